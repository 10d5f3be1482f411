// From f32 to bf16 and back.
#pragma once

#include <tandem/ops.h>

#include "common/ops/operand.h"

namespace tandem {

struct ConvertAttributes {};

struct ConvertProblem {
  DType dtype = DType::bf16;  // of the result: bf16 from f32, or f32 from bf16
  std::int64_t elements = 0;
  bool contiguous = true;  // x and y have unit stride along the innermost loop
  friend bool operator==(const ConvertProblem&, const ConvertProblem&) = default;
};

/// Every kernel gives the same bits: those of to_bf16() and to_f32() in common/core/bf16.h.
struct ConvertArgs {
  DType dtype = DType::bf16;  // of y
  const void* x = nullptr;
  void* y = nullptr;
  Loops<2> loops;  // x, y
};

struct Convert {
  static constexpr const char* kName = "convert";
  static constexpr std::string_view kForm = "f32|bf16:SIZE[xSIZE...]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = ConvertAttributes;
  using Problem = ConvertProblem;
  using Args = ConvertArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, y
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p) { return static_cast<double>(p.elements); }
  static double bytes(const Problem& p) { return 6.0 * static_cast<double>(p.elements); }
  /// "convert" with kForm: the dtype of the result.
  static std::optional<Request<Convert>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

}  // namespace tandem
