// Splitting elementwise work over the threads of a queue, and when its result should bypass the caches.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/core/thread_pool.h"
#include "common/dispatch/kernel.h"

namespace tandem::cpu {

/// How many of `available` threads are worth starting for `items` pieces of work, with at least `per_thread` for each.
inline int threads_worth(std::int64_t items, std::int64_t per_thread, int available) noexcept {
  return static_cast<int>(std::clamp<std::int64_t>(items / per_thread, 1, std::max(available, 1)));
}
inline int threads_worth(std::int64_t items, std::int64_t per_thread, const Queue& queue) noexcept {
  if (queue.pool == nullptr) return 1;
  return threads_worth(items, per_thread, std::min(queue.pool->threads(), queue.machine->cpu.threads));
}

/// f(begin, end) for the shares of [0, total), multiples of `grain` but for the last end, each on its own thread.
template <class F>
void for_shares(const Queue& queue, std::int64_t total, std::int64_t grain, std::int64_t per_thread, F f) {
  const int threads = threads_worth(total, per_thread, queue);
  if (threads == 1) return f(std::int64_t{0}, total);
  queue.pool->run(threads, [&](int t, int count) {
    const Share share = share_of(total, grain, t, count);
    if (share.begin < share.end) f(share.begin, share.end);
  });
}

/// Non-temporal stores save the read of each line that a store to memory otherwise causes: three transfers become two.
/// They pay when the data would not stay in the last-level cache anyway: measured break-even in unary_f32_simd.cpp. A
/// level of hundreds of MiB is shared with the programs of many other cores, also where a virtual machine shows all of
/// it, and not all of it is near: 64 MiB are then what is counted on (docs/results/cpu-xeon-amx-2026-11-28.md).
inline bool bypass_caches(const Machine& machine, std::int64_t bytes) noexcept {
  constexpr std::int64_t kMost = std::int64_t{64} << 20;
  return bytes > std::min(machine.cpu.l3_bytes / 2, kMost);
}

}  // namespace tandem::cpu
