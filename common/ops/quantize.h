// f32 to integers with given scales, and back.
#pragma once

#include "common/ops/quantization.h"

namespace tandem {

struct QuantizeAttributes {
  int axis = -1;             // of the scales and zero points that are not single; -1: both are
  bool zero_points = false;  // then the operands are x, scales, zero points, q; else x, scales, q
  bool narrow = false;       // only for quantize
};

struct QuantizeProblem {
  DType dtype = DType::s8;  // of the integers
  std::int64_t elements = 0;
  std::int64_t scales = 1;  // how many
  bool zero_points = false;
  bool narrow = false;
  bool contiguous = true;  // x and q have unit stride along the innermost loop
  ScalePlace place = ScalePlace::run;
  std::int64_t run = 0;  // elements of the innermost loop
  friend bool operator==(const QuantizeProblem&, const QuantizeProblem&) = default;
};

/// quantize: x is f32 and q integers; dequantize: the same names, x is written.
struct QuantizeArgs {
  DType dtype = DType::s8;
  const float* scales = nullptr;
  const std::int32_t* zero_points = nullptr;  // null: all zero
  const void* in = nullptr;
  void* out = nullptr;
  IntRange range;  // quantize: what to clamp to
  Loops<4> loops;  // in, scales, zero points, out
};

struct Quantize {
  static constexpr const char* kName = "quantize";
  static constexpr std::string_view kForm = "s8|u8:SIZE[xSIZE...][,axis=N|,per_token|,per_channel][,zp][,narrow]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = QuantizeAttributes;
  using Problem = QuantizeProblem;
  using Args = QuantizeArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, scales, [zero points,] q
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p) { return 2.0 * static_cast<double>(p.elements); }
  static double bytes(const Problem& p);
  /// "quantize" with kForm: the dtype of the result; zp: with zero points.
  static std::optional<Request<Quantize>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

struct Dequantize {
  static constexpr const char* kName = "dequantize";
  static constexpr std::string_view kForm = "s8|u8:SIZE[xSIZE...][,axis=N|,per_token|,per_channel][,zp]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = QuantizeAttributes;
  using Problem = QuantizeProblem;
  using Args = QuantizeArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // q, scales, [zero points,] x
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p) { return 2.0 * static_cast<double>(p.elements); }
  static double bytes(const Problem& p) { return Quantize::bytes(p); }
  /// "dequantize" with kForm: the dtype of the input.
  static std::optional<Request<Dequantize>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p) { return Quantize::print(p); }
};

}  // namespace tandem
