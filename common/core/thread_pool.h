// The host threads of one context. An empty region costs a fraction of a microsecond while the helpers spin; they
// sleep after a while without work. Static splits only: the same share for the same number of threads.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace tandem {

/// What the regions of a pool took beyond the work of their slowest thread, for traces.
struct RegionClock {
  double fork_join_seconds = 0;  ///< of all regions: from publishing one to its end, less the longest share
  int regions = 0;
  struct alignas(64) Share {
    std::chrono::steady_clock::time_point begin, end;
  };
  std::vector<Share> shares;  ///< as many as the pool has threads
};

class ThreadPool {
 public:
  /// How long a helper without work spins before it sleeps. Waking a sleeper costs some 30 us on a virtual machine.
  static constexpr std::chrono::microseconds kSpin{100};

  /// `threads` participants, the caller included. Helpers start at the first region, in a forked child anew.
  explicit ThreadPool(int threads, std::chrono::microseconds spin = kSpin);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const noexcept { return threads_; }

  /// Runs fn(t, count) for t = 0 .. count-1, the caller as t = 0, and returns when all are done. All participants run
  /// at the same time, so fn may use barrier(). A count above threads() is cut to it. fn(0, 1) runs on the calling
  /// thread alone when the call comes from inside a region (of any pool), or when no thread could be started.
  /// fn must not throw. One region at a time: the calls of different threads must not overlap.
  template <class F>
  void run(int count, F&& fn) {
    run_erased(
        count, [](void* f, int t, int n) { (*static_cast<std::remove_reference_t<F>*>(f))(t, n); },
        const_cast<void*>(static_cast<const void*>(&fn)));
  }

  /// Regions on several threads are timed from now on, two readings of the clock a thread; null: no longer.
  void watch(RegionClock* clock) noexcept { watch_ = clock; }

  /// Waits until all participants of the current region have arrived. Only inside a region, by each of them.
  void barrier() noexcept;

 private:
  using Job = void (*)(void*, int, int);
  struct State;
  void run_erased(int count, Job job, void* arg);

  void run_watched(int count, Job job, void* arg);

  int threads_;
  RegionClock* watch_ = nullptr;
  std::unique_ptr<State> state_;
};

/// The half-open share of [0, total) for participant t of n, in multiples of `grain` (the last share takes the rest).
struct Share {
  std::int64_t begin;
  std::int64_t end;
};
constexpr Share share_of(std::int64_t total, std::int64_t grain, int t, int n) noexcept {
  const std::int64_t grains = (total + grain - 1) / grain;
  const std::int64_t b = grains * t / n * grain;
  const std::int64_t e = grains * (t + 1) / n * grain;
  return {b < total ? b : total, e < total ? e : total};
}

}  // namespace tandem
