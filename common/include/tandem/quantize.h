// Integer tensors: quantisation, products of integers, and the numbers that both promise.
//
// q = clamp(rint(x / s) + z, qmin, qmax): division in f32, ties to even, the clamp before the conversion. NaN gives z,
// infinities saturate. x is recovered as (q - z) * s. Every result below, unless stated, is the same bit for bit on
// every kernel of both backends.
//
// Scales are finite and > 0 and zero points lie in the range of their dtype: checked where they are on the host. On a
// GPU they are taken as they are; wrong ones there give wrong numbers and nothing else.
#pragma once

#include <cstdint>

#include <tandem/ops.h>
#include <tandem/sparse.h>

namespace tandem {

/// Scales and zero points: one of each, or one for every index along `axis`.
struct Quantization {
  DType dtype = DType::s8;  ///< s8 or u8
  int axis = -1;            ///< -1: one scale for the whole tensor; else a dimension of the tensor, counted from 0
  Tensor scales;            ///< f32, [1] or [size of the axis]; finite and > 0
  Tensor zero_points;       ///< s32, [1] or [size of the axis]; empty: all zero
  bool narrow = false;      ///< the lowest value is not used: s8 [-127, 127], u8 [1, 255]
};

/// An integer tensor with the meaning of its numbers.
struct QuantizedTensor {
  Tensor values;
  Quantization quantization;
};

/// How scales are derived from a range of values. The range is first extended to hold 0, so that a zero point always
/// fits, and infinities count as the largest finite float. Each step is rounded once in f32; a scale is never below
/// the smallest normal float. The empty range [0, 0] gives scale 1, and zero point 0 (s8, symmetric), 128 (u8,
/// symmetric) or qmin (asymmetric).
enum class Scheme : std::uint8_t {
  symmetric,   ///< s = max|x| / 127, z = 0 for s8 and 128 for u8, narrow
  asymmetric,  ///< s = (max / 2 - min / 2) / 127.5, z = clamp(rint(qmin - min / s), qmin, qmax)
};

std::string_view name(Scheme scheme) noexcept;

struct QuantizeOptions {
  DType dtype = DType::s8;
  Scheme scheme = Scheme::symmetric;
  int axis = -1;     ///< one scale for every index along this axis; -1: one for the tensor
  CallOptions call;  ///< of dynamic_quantize; the calibrate functions run on the host and leave it alone
};

/// How many inputs a quantisation could not represent.
struct Saturation {
  std::int64_t saturated = 0;  ///< clamped to qmin or qmax, infinities included
  std::int64_t nan = 0;        ///< became the zero point
};

/// Scales from the smallest and the largest value (of the tensor, or along the axis), on the host. NaN and infinities
/// are an error: data to calibrate with must not hold them.
Quantization calibrate_min_max(Context& ctx, ConstView x, const QuantizeOptions& options = {});
/// Scales from the percentiles 100 - p and p of the values, 50 < p <= 100, linearly interpolated between the neighbours
/// as NumPy does; symmetric: from percentile p of |x|. On the host; NaN and infinities are an error.
Quantization calibrate_percentile(Context& ctx, ConstView x, double percentile, const QuantizeOptions& options = {});

/// x (f32) with given scales.
Tensor quantize(Context& ctx, ConstView x, const Quantization& quantization, const CallOptions& call = {});
/// q has x's shape and the quantisation's dtype.
void quantize_into(Context& ctx, ConstView x, const Quantization& quantization, View q, const CallOptions& call = {});
/// What quantize() cannot represent of x: a separate pass over x, on the host.
Saturation count_saturated(Context& ctx, ConstView x, const Quantization& quantization);

/// f32 (q - z) * s.
Tensor dequantize(Context& ctx, ConstView q, const Quantization& quantization, const CallOptions& call = {});
void dequantize_into(Context& ctx, ConstView q, const Quantization& quantization, View x, const CallOptions& call = {});

/// Range, scale and values in one call, from the data itself: for the whole tensor, or for every index along an axis
/// (axis 0 of a matrix of activations is "per token"). NaN is left out of the range.
QuantizedTensor dynamic_quantize(Context& ctx, ConstView x, const QuantizeOptions& options = {});

/// Accumulators (s32, [..., n]) to s8 or u8: clamp(rint(float(acc) * m) + z), with float(acc) rounded to nearest even
/// and the product rounded. m is f32 [1] or [n], finite and > 0.
Tensor requantize(Context& ctx, ConstView acc, ConstView multipliers, std::int32_t zero_point, DType dtype,
                  const CallOptions& call = {});
void requantize_into(Context& ctx, ConstView acc, ConstView multipliers, std::int32_t zero_point, View q,
                     const CallOptions& call = {});

/// max(q, z), in the integer domain: the same as quantising the relu of what q means.
Tensor quantized_relu(Context& ctx, ConstView q, const Quantization& quantization, const CallOptions& call = {});
/// y has q's shape and dtype; y may be q.
void quantized_relu_into(Context& ctx, ConstView q, const Quantization& quantization, View y,
                         const CallOptions& call = {});

struct QuantizedMatmulOptions {
  DType result = DType::f32;  ///< s32: the exact sum; f32: with its scale; s8, u8: requantised to result_*
  float result_scale = 1.0f;
  std::int32_t result_zero_point = 0;
  /// Empty, or n elements. s32: at scale sa sb, added to the sum. f32, for f32 results only: added after the scale.
  ConstView bias;
  /// none or relu on every result type (integers: clamped below at z, s32 at 0); the others on f32 results only, where
  /// they are as accurate as the functions of <tandem/ops.h> and not the same bits on every kernel.
  Activation activation = Activation::none;
  CallOptions call;
};

/// a [m, k] (s8 or u8) times b [k, n] (s8): acc = sum (a - za)(b - zb) + bias, exact. a has one scale, or one a row
/// (axis 0); b has one, or one a column (axis 1). With every step rounded once in f32, in this order:
///   s32     acc
///   f32     activation(float(acc) * (sa sb) + bias)
///   s8, u8  clamp(rint(float(acc) * ((sa sb) / result_scale)) + result_zero_point)
/// Refused when a sum of k products could pass 32 bits. With 128 for s8 and 255 for u8 or any operand with zero points
/// as the largest factors, the largest k is
///                                b without zero points   b with zero points
///   a s8 without zero points                   131,071               65,793
///   a u8, or s8 with zero points                65,793               33,025
/// So is a bias on the host that could carry a sum past 32 bits; one on a GPU is not looked at, and the sum would wrap.
Tensor quantized_matmul(Context& ctx, ConstView a, const Quantization& qa, ConstView b, const Quantization& qb,
                        const QuantizedMatmulOptions& options = {});
/// c is [m, n] of the result's dtype, with any strides, and overlaps no operand.
void quantized_matmul_into(Context& ctx, ConstView a, const Quantization& qa, ConstView b, const Quantization& qb,
                           View c, const QuantizedMatmulOptions& options = {});

/// The same with b in 2:4 storage, transposed: `b_transposed` is [n, k] of s8, one row a column of the result, and
/// stands for the dense matrix with zeros in the other places (with zero points of b these count as 0 - zb). qb has one
/// scale, or one a row of b_transposed, spelled axis 1 as for a dense b. The storage is not checked beyond shapes: one
/// from elsewhere needs check_2_4 first; wrong metadata give wrong numbers and nothing else.
Tensor quantized_matmul_2_4(Context& ctx, ConstView a, const Quantization& qa, const Sparse24& b_transposed,
                            const Quantization& qb, const QuantizedMatmulOptions& options = {});
void quantized_matmul_2_4_into(Context& ctx, ConstView a, const Quantization& qa, const Sparse24& b_transposed,
                               const Quantization& qb, View c, const QuantizedMatmulOptions& options = {});

/// f32 in, f32 out: quantises a per row and b per column (symmetric s8), multiplies, and applies the scales. `call` is
/// of the product; its backend also of the two dynamic_quantize before it.
Tensor quantized_matmul(Context& ctx, ConstView a, ConstView b, const CallOptions& call = {});

}  // namespace tandem
