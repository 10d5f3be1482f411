// Products of 8-bit integers with exact sums, and what follows them: scales, bias, activation, requantisation.
#pragma once

#include "common/ops/quantization.h"
#include "common/ops/sparse24.h"

namespace tandem {

/// What is added to the sums.
enum class QuantizedBias : std::uint8_t {
  none,
  s32,  // to the sum, before its scale
  f32,  // after the scale; f32 results only
};

/// Operands: a, b, [the metadata of b in 2:4 storage, of which b is the values,] [sa, sb unless the result is s32,]
/// [za,] [zb,] [bias,] c.
struct QuantizedMatmulAttributes {
  bool a_zero_points = false, b_zero_points = false;
  QuantizedBias bias = QuantizedBias::none;
  Activation activation = Activation::none;
  float result_scale = 1.0f;           // integer results of 8 bits
  std::int32_t result_zero_point = 0;  // the same
  MatrixFormat b_format = MatrixFormat::dense;
};

struct QuantizedMatmulProblem {
  DType a = DType::s8;  // s8 or u8; b is s8
  DType result = DType::f32;
  std::int64_t m = 0, n = 0, k = 0;
  Layout a_layout = Layout::row, b_layout = Layout::row, c_layout = Layout::row;
  bool a_per_row = false;     // scales or zero points of a: one for each row
  bool b_per_column = false;  // those of b: one for each column
  bool a_zero_points = false, b_zero_points = false;
  QuantizedBias bias = QuantizedBias::none;
  Activation activation = Activation::none;
  MatrixFormat b_format = MatrixFormat::dense;
  bool packed = false;  // panels of b come with the call: no text says so, since none could bring them
  friend bool operator==(const QuantizedMatmulProblem&, const QuantizedMatmulProblem&) = default;
};

/// Element (i, j) of a matrix is at data[i * row + j * col]; value i of a vector at data[i * stride], stride 0: one
/// value for all.
///
/// Every kernel computes, with 32-bit integers that wrap and f32 steps that are each rounded once, in this order,
///   acc = sum over l of (a(i, l) - za[i]) (b(l, j) - zb[j])  [+ bias_s32[j]]
///   s32: c = max(acc, low);   low = 0 for relu, else the smallest
///   f32: c = activation(float(acc) * (sa[i] * sb[j])  [+ bias_f32[j]])
///   s8, u8: c = clamp(rint(float(acc) * ((sa[i] * sb[j]) / result_scale)) + result_zero_point, low, high)
///           NaN (from wrong scales) gives the zero point; low = max(qmin, result_zero_point) for relu
/// The sum of products itself fits 32 bits (checked before); it may be formed by the corrections
/// acc = sum a b - za colsum(b) - zb rowsum(a) + k za zb, whose parts may wrap.
struct QuantizedMatmulArgs {
  template <class P>
  struct Matrix {
    P data = nullptr;
    std::int64_t row = 0, col = 0;
  };
  template <class T>
  struct Vector {
    const T* data = nullptr;  // null: absent
    std::int64_t stride = 0;
    T operator[](std::int64_t i) const { return data[i * stride]; }
  };
  std::int64_t m = 0, n = 0, k = 0;
  DType a_type = DType::s8;
  DType result = DType::f32;
  Matrix<const void*> a;
  Matrix<const std::int8_t*> b;
  Sparse24Rows b24;  // with values: b.data is null; elements that are not stored are 0, whatever zb is
  Matrix<void*> c;
  /// b, made dense, packed by cpu::pack_b() in panels of so many columns, beside b itself; null: not. Kernels may use
  /// either.
  const void* packed_b = nullptr;
  std::int64_t packed_panel = 0;
  Vector<float> sa, sb;         // absent for s32 results
  Vector<std::int32_t> za, zb;  // absent: zero
  Vector<std::int32_t> bias_s32;
  Vector<float> bias_f32;
  Activation activation = Activation::none;
  float result_scale = 1.0f;
  std::int32_t result_zero_point = 0;
  IntRange range;  // of s32, s8 and u8 results, relu included
};

struct QuantizedMatmul {
  static constexpr const char* kName = "quantized_matmul";
  static constexpr std::string_view kForm =
      "s8|u8s8:MxNxK[,ta][,tb][,out=s32|f32|s8|u8][,per_token][,per_channel][,zp][,bias|,bias=f32][,act=NAME][,2:4]";
  static constexpr bool kRateIsFlops = true;
  using Attributes = QuantizedMatmulAttributes;
  using Problem = QuantizedMatmulProblem;
  using Args = QuantizedMatmulArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);        // 2 m n k integer operations; of a 2:4 operand the stored part of k
  static double dense_flops(const Problem& p);  // 2 m n k where b is compressed, else 0
  static double bytes(const Problem& p);
  static DType arithmetic(const Problem&) { return DType::s8; }
  /// "quantized_matmul" with kForm. s8: s8 x s8. per_token: a scale for each row of a; per_channel: for each column of
  /// b; zp: zero points of both; out: f32 by default.
  static std::optional<Request<QuantizedMatmul>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
  static void fill_structure(std::span<const View> operands, std::uint64_t seed);  // metadata of a 2:4 operand
};

/// The largest |a - za| |b - zb|, and the largest k for which a sum of that many fits 32 bits.
constexpr std::int64_t largest_product(DType a, bool a_zero_points, bool b_zero_points) {
  return (a == DType::u8 || a_zero_points ? 255 : 128) * (b_zero_points ? 255 : 128);
}
constexpr std::int64_t largest_k(DType a, bool a_zero_points, bool b_zero_points) {
  return 0x7fffffff / largest_product(a, a_zero_points, b_zero_points);
}

}  // namespace tandem
