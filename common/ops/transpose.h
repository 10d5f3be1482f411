// The last two dimensions exchanged in memory. Any dtype: elements are moved as 1, 2 or 4 bytes.
#pragma once

#include <tandem/ops.h>

#include "common/ops/operand.h"

namespace tandem {

struct TransposeAttributes {};

struct TransposeProblem {
  DType dtype = DType::f32;
  std::int64_t batch = 1;
  std::int64_t rows = 0, cols = 0;  // of x
  Layout x = Layout::row, y = Layout::row;
  friend bool operator==(const TransposeProblem&, const TransposeProblem&) = default;
};

/// y(j, i) = x(i, j); x(i, j) is at x[i * x_row + j * x_col], y(j, i) at y[j * y_row + i * y_col], in elements.
struct TransposeArgs {
  const void* x = nullptr;
  void* y = nullptr;
  int element_bytes = 4;
  std::int64_t rows = 0, cols = 0;
  std::int64_t x_row = 0, x_col = 0, y_row = 0, y_col = 0;
  Loops<2> batch;  // x, y
};

struct Transpose {
  static constexpr const char* kName = "transpose";
  static constexpr std::string_view kForm = "DTYPE:ROWSxCOLS[*BATCH]";
  static constexpr bool kRateIsFlops = false;
  using Attributes = TransposeAttributes;
  using Problem = TransposeProblem;
  using Args = TransposeArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);  // x, y
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem&) { return 0; }
  static double bytes(const Problem& p);
  /// "transpose" with kForm.
  static std::optional<Request<Transpose>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);
};

}  // namespace tandem
