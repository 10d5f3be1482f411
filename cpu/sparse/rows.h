// Sharing the rows of a sparse matrix out over threads.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/core/thread_pool.h"
#include "common/dispatch/kernel.h"
#include "common/ops/spmm.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {

/// The first row of share t of n, so that shares have about equal numbers of stored elements. A row counts as two more,
/// since empty rows are written as well. Depends on the matrix and on n alone.
inline std::int64_t first_row_of_share(const SpmmArgs& args, int t, int n) {
  const std::int64_t m = args.dense.m;
  if (t >= n) return m;
  const auto work_before = [&](std::int64_t row) { return args.row_offsets[row] + 2 * row; };
  const std::int64_t all = args.stored + 2 * m;
  const std::int64_t target = all / n * t + all % n * t / n;
  std::int64_t low = 0, high = m;  // work_before(low) <= target
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (work_before(middle) <= target)
      low = middle;
    else
      high = middle - 1;
  }
  return t == 0 ? 0 : low;
}

/// The flops that a product takes as much time as: each stored element of a narrow one costs that of some 32 columns,
/// and c is written.
inline double flops_worth(std::int64_t stored, std::int64_t m, std::int64_t n) {
  return 2.0 * static_cast<double>(stored) * static_cast<double>(std::max<std::int64_t>(n, 32)) +
         static_cast<double>(m) * static_cast<double>(n);
}

/// Calls rows(first, last) for every share, on as many threads as the product is worth.
template <class Rows>
void for_each_share_of_rows(const SpmmArgs& args, const Queue& queue, Rows rows) {
  const int threads = threads_worth(flops_worth(args.stored, args.dense.m, args.dense.n), queue);
  if (threads == 1) return rows(0, args.dense.m);
  // Of a c in columns no two threads write the same cache lines where their shares are many lines long, but for columns
  // that begin within one.
  constexpr std::int64_t kLineOfC = 16;
  const std::int64_t m = args.dense.m;
  const bool in_columns = args.dense.c.row == 1 && args.dense.c.col != 1;
  const std::int64_t step = in_columns && m >= 4 * kLineOfC * threads ? kLineOfC : 1;
  const auto first = [&](int t, int n) {
    const std::int64_t row = first_row_of_share(args, t, n);
    return t == n ? m : std::min(m, (row + step / 2) / step * step);
  };
  queue.pool->run(threads, [&](int t, int n) { rows(first(t, n), first(t + 1, n)); });
}

}  // namespace tandem::cpu
