// One problem of a comparison: what benchmark_operation() and the programs that show each problem at once share.
#pragma once

#include <tuple>
#include <variant>
#include <vector>

#include <tandem/profile.h>

#include "common/dispatch/registry.h"
#include "common/ops/all.h"

namespace tandem::profile {

/// Rows that are in no table, such as those of peers.
class MoreRows {
 public:
  template <class Op>
  std::vector<Entry<Op>>& of() {
    return std::get<std::vector<Entry<Op>>>(rows_);
  }
  template <class Op>
  const std::vector<Entry<Op>>& of() const {
    return std::get<std::vector<Entry<Op>>>(rows_);
  }

 private:
#define TANDEM_OP(Op) std::vector<Entry<Op>>,
  std::tuple<
#include "common/ops/ops.def"
      std::monostate>  // after the last comma
      rows_;
#undef TANDEM_OP
};

/// One row a kernel, in the order of the table, then of `more`, then kAuto. Throws Error as check_problem does.
std::vector<Row> run_problem(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options,
                             const MoreRows& more = {});

/// A/A: the kernel that dispatch chooses (where it is not wanted, the first wanted one that runs) twice, the second row
/// named "KERNEL again" and held against the first in `vs_reference`. Throws Error as check_problem does, and where no
/// wanted kernel can run.
std::vector<Row> run_selftest(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options);

}  // namespace tandem::profile
