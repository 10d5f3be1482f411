// What a network of <tandem/network.h> should give, in double, with bounds that follow every rounding through its
// layers.
//
// Each number is an interval: a value and a radius. A product widens it by gamma(n) of the sum of its magnitudes, an
// activation by its own accuracy and its slope, a rounding to integers or to bf16 by where the ends of the interval
// go. Integer products of exact inputs are exact, so a quantised network of relu layers has radius 0 throughout.
// Pruning and the quantisation of the weights are done here once more; of the network only the scales of calibrated
// inputs are taken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/network.h>

#include "common/verify/check.h"

namespace tandem::verify {

/// How weights are thinned out before they are stored.
struct Thinning {
  double sparsity = 0;       ///< over the whole model, by magnitude
  bool two_of_four = false;  ///< along the inputs
};

/// By the library: what is then stored and run.
inline Model thinned(const Model& model, const Thinning& thinning) {
  return thinning.two_of_four ? prune_2_4(model) : prune_magnitude(model, thinning.sparsity);
}

class NetworkOracle {
 public:
  /// The model itself in real numbers: no rounding, radius 0.
  explicit NetworkOracle(const Model& model);
  /// A network made of the thinned-out model. `inputs` as in NetworkOptions.
  NetworkOracle(const Model& model, const Thinning& thinning, WeightForm form, const std::vector<Quantization>& inputs);

  std::int64_t inputs() const { return layers_.front().k; }
  std::int64_t outputs() const { return layers_.back().n; }
  /// Multiplications of one row, the radii included.
  double work() const;
  /// The outputs for one row of inputs.
  std::vector<Expected> row(const float* x) const;

 private:
  enum class Arithmetic : std::uint8_t { real, f32, bf16, s8 };
  struct Layer {
    std::int64_t k = 0, n = 0;
    std::vector<double> weights;  // [k][n]; integers for s8
    std::vector<double> scales;   // s8: one an output
    std::vector<double> bias;     // empty where there is none
    double input_scale = 0;       // s8: 0 where each row has its own
    Activation activation = Activation::none;
  };
  /// Numbers known within radii.
  struct Row {
    std::vector<double> value, radius;
    std::size_t size() const { return value.size(); }
  };
  /// s8 inputs: integers within radii, and the range of their common scale.
  struct QuantizedRow {
    Row integers;
    double scale = 1, low = 1, high = 1;
    bool known = true;  // false: nothing can be said
  };

  void read(const Model& model);
  void thin_out(double sparsity);
  void thin_out_2_4();
  static void quantize_weights(Layer& layer);

  Row rounded_product(const Layer& layer, const Row& x) const;
  Row integer_product(const Layer& layer, const Row& x) const;
  static QuantizedRow quantized(const Row& x, double static_scale);
  void apply(Activation activation, Row& row) const;
  std::vector<Expected> softmax_of(const Row& row) const;

  Arithmetic arithmetic_ = Arithmetic::real;
  std::vector<Layer> layers_;
  bool softmax_ = false;
};

}  // namespace tandem::verify
