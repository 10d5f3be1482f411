// c = activation(a @ b + bias) with a sparse: a [m, k] in compressed sparse rows (see tandem/sparse.h).
#pragma once

#include <tandem/sparse.h>

#include "common/ops/matmul.h"

namespace tandem {

/// Operands: row_offsets s32 [m + 1], columns s32 [stored], values f32 [stored], b [k, n], [bias,] c [m, n]. The first
/// three lie without gaps and satisfy check_csr(). bias is [n], added to every row, or [m, 1], added to every column.
struct SpmmAttributes {
  Activation activation = Activation::none;
  bool bias = false;
};

struct SpmmProblem {
  std::int64_t m = 0, n = 0, k = 0;
  std::int64_t stored = 0;  // elements of a
  Layout b = Layout::row, c = Layout::row;
  bool bias = false;
  Activation activation = Activation::none;
  friend bool operator==(const SpmmProblem&, const SpmmProblem&) = default;

  double density() const {
    const double all = static_cast<double>(m) * static_cast<double>(k);
    return all == 0 ? 0 : static_cast<double>(stored) / all;
  }
};

/// Row i of a has the elements row_offsets[i] .. row_offsets[i + 1] - 1. Elements of a that are not stored contribute
/// nothing, whatever b holds there: no 0 x infinity.
struct SpmmArgs {
  MatmulArgs dense;  // all but a, whose data is null; no batch, alpha 1, beta 0
  std::int64_t stored = 0;
  const std::int32_t* row_offsets = nullptr;
  const std::int32_t* columns = nullptr;
  const float* values = nullptr;
};

struct Spmm {
  static constexpr const char* kName = "spmm";
  static constexpr std::string_view kForm = "csr:MxNxK@DENSITY[,tb][,tc][,bias|,bias=rows][,act=NAME]";
  static constexpr bool kRateIsFlops = true;
  static constexpr std::size_t kChanging = 3;  // b: the sparse a holds the weights
  using Attributes = SpmmAttributes;
  using Problem = SpmmProblem;
  using Args = SpmmArgs;

  static Problem describe(const Attributes&, std::span<const View> operands);
  static Args bind(const Attributes&, std::span<const View> operands);
  static bool reads_result(const Attributes&) { return false; }
  static double flops(const Problem& p);        // 2 stored n: what is computed, not what a dense product would
  static double dense_flops(const Problem& p);  // 2 m n k
  static double bytes(const Problem& p);        // of b, no more rows than elements are stored
  /// "spmm" with kForm. DENSITY is the fraction of a that is stored, rounded to whole elements; tb, tc: b, c are
  /// column-major; bias=rows: one value a row.
  static std::optional<Request<Spmm>> parse(std::string_view op, std::string_view text);
  static std::string op_name(const Problem&) { return kName; }
  static std::vector<std::string> op_names() { return {kName}; }
  static std::string print(const Problem& p);

  /// Makes a legal matrix of the operands' sizes, each set of places equally likely, on the host.
  static void fill_structure(std::span<const View> operands, std::uint64_t seed);
  /// The density below which a sparse product is predicted to be faster than a dense f32 one, among the CPU kernels of
  /// this machine that are no references; 0: nowhere, 1: everywhere.
  static double break_even_density(const Problem& p, const Machine& machine);
  /// A sentence for explain().
  static std::string remark(const Problem& p, const Machine& machine);
};

}  // namespace tandem
