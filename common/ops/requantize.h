// Integers to integers: accumulators to 8 bits, and relu without leaving 8 bits.
#pragma once

#include "common/ops/quantization.h"

namespace tandem {

struct RequantizeAttributes {
  std::int32_t zero_point = 0;
};

struct RequantizeProblem {
  DType dtype = DType::s8;  // of the result
  std::int64_t elements = 0;
  std::int64_t multipliers = 1;
  bool contiguous = true;              // acc and q have unit stride along the innermost loop
  ScalePlace place = ScalePlace::run;  // of the multipliers
  std::int64_t run = 0;                // elements of the innermost loop
  friend bool operator==(const RequantizeProblem&, const RequantizeProblem&) = default;
};

struct RequantizeArgs {
  DType dtype = DType::s8;
  const std::int32_t* acc = nullptr;
  const float* multipliers = nullptr;
  void* q = nullptr;
  std::int32_t zero_point = 0;
  IntRange range;
  Loops<3> loops;  // acc, multipliers, q
};

struct Requantize {
  static constexpr const char* kName = "requantize";
  static constexpr std::string_view kForm = "s8|u8:SIZE[xSIZE...][,per_channel][,zp=N]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = RequantizeAttributes;
  using Problem = RequantizeProblem;
  using Args = RequantizeArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // acc, multipliers, q
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p) { return 3.0 * static_cast<double>(p.elements); }
  static double bytes(const Problem& p);
  /// "requantize" with kForm: the dtype of the result; per_channel: a multiplier for every index of the last dimension.
  static std::optional<Request<Requantize>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

struct QuantizedReluAttributes {
  int axis = -1;             // of the zero points
  bool zero_points = false;  // then the operands are q, zero points, y; else q, y
};

struct QuantizedReluProblem {
  DType dtype = DType::s8;
  std::int64_t elements = 0;
  bool zero_points = false;
  bool contiguous = true;              // q and y have unit stride along the innermost loop
  ScalePlace place = ScalePlace::run;  // of the zero points
  bool in_place = false;
  friend bool operator==(const QuantizedReluProblem&, const QuantizedReluProblem&) = default;
};

struct QuantizedReluArgs {
  DType dtype = DType::s8;
  const void* q = nullptr;
  const std::int32_t* zero_points = nullptr;  // null: all zero
  void* y = nullptr;                          // may be q, then with the same strides
  Loops<3> loops;                             // q, zero points, y
};

struct QuantizedRelu {
  static constexpr const char* kName = "quantized_relu";
  static constexpr std::string_view kForm = "s8|u8:SIZE[xSIZE...][,axis=N|,per_token|,per_channel][,zp]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = QuantizedReluAttributes;
  using Problem = QuantizedReluProblem;
  using Args = QuantizedReluArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // q, [zero points,] y
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p) { return static_cast<double>(p.elements); }
  static double bytes(const Problem& p) { return 2.0 * static_cast<double>(p.elements); }
  /// "quantized_relu" with kForm. An axis asks for zero points.
  static std::optional<Request<QuantizedRelu>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

}  // namespace tandem
