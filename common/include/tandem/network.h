// Models prepared to run: their weights in one form, ready for the kernels.
//
// Errors: Error(invalid_argument) names the function and the offending value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <tandem/model.h>
#include <tandem/quantize.h>
#include <tandem/weights.h>

namespace tandem {

struct NetworkOptions {
  WeightForm form = WeightForm::f32;
  /// Integer forms: the quantisation of each layer's input, s8 or u8 with one scale (axis -1); calibrate() gives
  /// symmetric s8. Empty: each row of each input gets its own scale when the network runs.
  std::vector<Quantization> inputs;
  /// Where the weights are kept, and what passes from layer to layer. A layer runs elsewhere only where that is
  /// predicted to be faster with the copies both ways, or the policy forces it.
  Device device = Device::cpu();
};

/// Called after each layer with its number, from 0, and its output, which is gone when it returns.
using LayerObserver = std::function<void(std::size_t layer, ConstView output)>;

/// A model ready to run. A cheap handle on what never changes: copies share it, and several contexts and threads may
/// run it at once.
class Network {
 public:
  /// Converts and packs the weights; the model is not needed afterwards. Throws for a form that there is not, and,
  /// naming the layer, for a model that is not 2:4 when the form asks for it and for quantisations that do not fit the
  /// model.
  Network(Context& ctx, const Model& model, const NetworkOptions& options = {});

  /// x is f32 [rows, inputs] of any strides, on the host or on the GPU; it is copied to the network's device first. The
  /// result is f32 [rows, outputs], new, where x is unless the context's policy names a device; the call waits when
  /// that is the host.
  Tensor run(Context& ctx, ConstView x, const LayerObserver& observe = {}) const;

  std::int64_t inputs() const noexcept;
  std::int64_t outputs() const noexcept;
  Device device() const noexcept;
  /// Bytes of weights, scales, zero points and biases that the network holds, on its device.
  std::int64_t bytes() const noexcept;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// Quantisations for NetworkOptions::inputs, from what the layers of the model (run in f32) take when its input is x:
/// the largest magnitude, or for a percentile below 100 that percentile of the magnitudes (see calibrate_percentile).
std::vector<Quantization> calibrate(Context& ctx, const Model& model, ConstView x, double percentile = 100);

}  // namespace tandem
