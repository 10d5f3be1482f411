// From f32 to the types of 16 bits and back.
#pragma once

#include <tandem/ops.h>

#include "common/dispatch/kernel.h"
#include "common/ops/operand.h"

namespace tandem {

struct ConvertAttributes {};

struct ConvertProblem {
  DType dtype = DType::bf16;  // of the result: bf16 or f16 from f32, or f32 from one of them
  DType from = DType::f32;
  std::int64_t elements = 0;
  bool contiguous = true;  // x and y have unit stride along the innermost loop
  friend bool operator==(const ConvertProblem&, const ConvertProblem&) = default;
};

/// For Kernel::supports, of kernels for one type of 16 bits.
inline Refusal takes_bf16(const ConvertProblem& p, const Machine&) {
  return p.dtype == DType::bf16 || p.from == DType::bf16 ? nullptr : "converts bf16 only";
}
inline Refusal takes_f16(const ConvertProblem& p, const Machine&) {
  return p.dtype == DType::f16 || p.from == DType::f16 ? nullptr : "converts f16 only";
}

/// Every kernel gives the same bits: those of to_bf16(), to_f16() and to_f32() in common/core/bf16.h and f16.h.
struct ConvertArgs {
  DType dtype = DType::bf16;  // of y
  DType from = DType::f32;    // of x
  const void* x = nullptr;
  void* y = nullptr;
  Loops<2> loops;  // x, y
};

struct Convert {
  static constexpr const char* kName = "convert";
  static constexpr std::string_view kForm = "f32|bf16|f16:SIZE[xSIZE...][,from=f16]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = ConvertAttributes;
  using Problem = ConvertProblem;
  using Args = ConvertArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, y
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p) { return static_cast<double>(p.elements); }
  static double bytes(const Problem& p) { return 6.0 * static_cast<double>(p.elements); }
  /// "convert" with kForm: the dtype of the result; f32 is from bf16 unless said.
  static std::optional<Request<Convert>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

}  // namespace tandem
