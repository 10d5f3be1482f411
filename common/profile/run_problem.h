// One problem of a comparison: what benchmark_operation() and the programs that show each problem at once share.
#pragma once

#include <span>
#include <vector>

#include <tandem/profile.h>

#include "common/dispatch/registry.h"
#include "common/ops/matmul.h"

namespace tandem::profile {

/// One row a kernel, in the order of the table, then of `products` where the problem is one, then kAuto. `products` are
/// rows that are in no table, such as those of peers. Throws Error as check_problem does.
std::vector<Row> run_problem(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options,
                             std::span<const Entry<Matmul>> products = {});

/// A/A: the kernel that dispatch chooses (where it is not wanted, the first wanted one that runs) twice, the second row
/// named "KERNEL again" and held against the first in `vs_reference`. Throws Error as check_problem does, and where no
/// wanted kernel can run.
std::vector<Row> run_selftest(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options);

}  // namespace tandem::profile
