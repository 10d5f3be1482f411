// How many threads a product is worth.
#pragma once

#include <algorithm>

#include "common/core/thread_pool.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"

namespace tandem::cpu {

inline double matmul_flops(const MatmulArgs& args) {
  return 2.0 * static_cast<double>(args.m) * static_cast<double>(args.n) * static_cast<double>(args.k) *
         static_cast<double>(args.batch.elements);
}

/// Each participant must have about 1 us of work at full speed: a region costs some 0.1 us while the helpers spin.
constexpr double kFlopsPerThread = 200e3;

inline int threads_worth(double flops, int available) {
  if (available <= 1 || flops < 2 * kFlopsPerThread) return 1;
  return static_cast<int>(std::min(static_cast<double>(available), flops / kFlopsPerThread));
}
inline int threads_worth(double flops, const Queue& queue) {
  return queue.pool == nullptr ? 1 : threads_worth(flops, std::min(queue.pool->threads(), queue.machine->cpu.threads));
}

}  // namespace tandem::cpu
