// One problem of a comparison: what benchmark_operation() and the programs that show each problem at once share.
#pragma once

#include <span>
#include <type_traits>
#include <vector>

#include <tandem/profile.h>

#include "common/dispatch/registry.h"
#include "common/ops/matmul.h"
#include "common/ops/quantized_matmul.h"

namespace tandem::profile {

/// Rows that are in no table, such as those of peers.
struct MoreRows {
  std::vector<Entry<Matmul>> products;
  std::vector<Entry<QuantizedMatmul>> quantized_products;

  template <class Op>
  std::span<const Entry<Op>> of() const {
    if constexpr (std::is_same_v<Op, Matmul>)
      return products;
    else if constexpr (std::is_same_v<Op, QuantizedMatmul>)
      return quantized_products;
    else
      return {};
  }
};

/// One row a kernel, in the order of the table, then of `more`, then kAuto. Throws Error as check_problem does.
std::vector<Row> run_problem(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options,
                             const MoreRows& more = {});

/// A/A: the kernel that dispatch chooses (where it is not wanted, the first wanted one that runs) twice, the second row
/// named "KERNEL again" and held against the first in `vs_reference`. Throws Error as check_problem does, and where no
/// wanted kernel can run.
std::vector<Row> run_selftest(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options);

}  // namespace tandem::profile
