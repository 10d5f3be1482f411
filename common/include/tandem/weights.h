// Weights: matrices prepared once and multiplied from then on, in any form that the kernels take, by one function.
//
// Errors: Error(invalid_argument) names the function and the offending value; Error(unavailable) is a context that
// pretends to be another machine, for whose CPU weights cannot be packed here.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <tandem/ops.h>
#include <tandem/quantize.h>
#include <tandem/tensor.h>

namespace tandem {

/// How weights are stored, and with it the arithmetic of their products.
enum class WeightForm : std::uint8_t {
  f32,
  bf16,        ///< bf16 operands, f32 accumulation
  s8,          ///< symmetric, one scale an output or one for all; inputs are quantised to s8 as well
  csr,         ///< f32, only the weights that are not 0
  sparse_2_4,  ///< f32, two of each four weights of an output (see prune_2_4)
  s8_sparse_2_4,
};

/// "f32", "bf16", "s8", "csr", "2:4" or "s8 2:4"; "invalid" for none of them.
std::string_view name(WeightForm form) noexcept;

/// Whether the products of a form are integer ones.
constexpr bool is_integer(WeightForm form) noexcept {
  return form == WeightForm::s8 || form == WeightForm::s8_sparse_2_4;
}

struct DenseWeightsOptions {
  DType dtype = DType::f32;  ///< f32 or bf16: each weight rounded once, to the nearest, ties to even
  bool pack = true;          ///< bf16: keep a packed copy too, where this CPU has a fast product that reads one
};

struct QuantizedWeightsOptions {
  bool per_channel = true;  ///< one scale an output (column), else one for the matrix
  bool pack = true;         ///< keep a packed copy too, where this CPU has a fast product that reads one; of 2:4
                            ///< it is as large as that of the dense matrix
};

/// Bytes that weights occupy.
struct WeightsBytes {
  std::int64_t host = 0;    ///< values, scales, and the places of sparse values
  std::int64_t packed = 0;  ///< the packed copy, on the host
  std::int64_t device = 0;  ///< the same on a GPU

  std::int64_t total() const noexcept { return host + packed + device; }
};

/// A matrix [inputs, outputs] that never changes. A cheap handle: copies share the matrix, and any number of contexts
/// and threads may use it at once. The view that it is made from is copied, may have any strides, be on the host or on
/// the GPU, and is not needed afterwards. A default-constructed handle holds no matrix.
class Weights {
 public:
  Weights() = default;
  /// w is f32; or bf16, for the dtype bf16, which takes f32 as well.
  static Weights dense(Context& ctx, ConstView w, const DenseWeightsOptions& options = {});
  /// w is f32 and is quantised as dynamic_quantize does: symmetric s8, NaN becomes 0.
  static Weights quantized(Context& ctx, ConstView w, const QuantizedWeightsOptions& options = {});
  /// w is f32: the weights that are not 0, with less than 2^31 of them.
  static Weights csr(Context& ctx, ConstView w);
  /// w is f32 with at most two of each four weights of an output that are not 0 (see prune_2_4, axis 0). Throws naming
  /// the first four that have more.
  static Weights sparse_2_4(Context& ctx, ConstView w);
  /// The same, quantised as quantized() does.
  static Weights quantized_2_4(Context& ctx, ConstView w, const QuantizedWeightsOptions& options = {});

  /// A handle on the same matrix that is on the context's GPU as well, once: calls of any context then move no weights,
  /// wherever they run. Without `keep_host` it is on the GPU only, and a call that runs on the CPU fetches it. Waits
  /// until it is there. The GPU's copy goes with the last handle on it, which must not go before calls that use it, in
  /// other contexts than this one, are done (Context::synchronize). Throws Error(unavailable) without a GPU.
  Weights upload(Context& ctx, bool keep_host = true) const;

  bool empty() const noexcept { return !state_; }
  WeightForm form() const noexcept;
  std::int64_t inputs() const noexcept;   ///< rows, the k of a product
  std::int64_t outputs() const noexcept;  ///< columns
  WeightsBytes bytes() const noexcept;

  struct State;
  const State& state() const noexcept { return *state_; }

 private:
  explicit Weights(std::shared_ptr<const State> state) : state_(std::move(state)) {}

  std::shared_ptr<const State> state_;
};

struct LinearOptions {
  /// Empty, or n elements added to every row: f32, or what quantized_matmul takes where the weights are integers.
  ConstView bias;
  Activation activation = Activation::none;  ///< integer results: none or relu
  /// Integer weights: what x means where it is s8 or u8, or how to quantise an f32 x (with one scale, or one a row).
  /// Null: an f32 x gets one symmetric s8 scale a row, from its own values. Only read during the call.
  const Quantization* input = nullptr;
  DType result = DType::f32;  ///< bf16 weights: f32 or bf16; integer weights: f32, s32, s8 or u8; else f32
  float result_scale = 1.0f;  ///< s8 and u8 results, as in QuantizedMatmulOptions
  std::int32_t result_zero_point = 0;
  CallOptions call;  ///< of the product
};

/// activation(x @ weights + bias): x [m, inputs] of any strides, the result [m, outputs]. What it computes, and how
/// exactly, is what the operation of the form says: matmul for f32 and bf16, quantized_matmul for s8, spmm for csr, and
/// the _2_4 of the first two for 2:4.
///   f32, csr, 2:4  x is f32
///   bf16           x is bf16, or f32, which is rounded to bf16 first (see convert)
///   s8, s8 2:4     x is f32, which is quantised first (see LinearOptions::input), or s8 or u8
/// The result is where x is, unless the context's policy names a device.
Tensor linear(Context& ctx, ConstView x, const Weights& weights, const LinearOptions& options = {});
/// y is [m, outputs] of the result's dtype, with any strides, and overlaps neither x nor the bias.
void linear_into(Context& ctx, ConstView x, const Weights& weights, View y, const LinearOptions& options = {});

}  // namespace tandem
