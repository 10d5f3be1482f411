#include "common/core/thread_pool.h"

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <utility>
#include <vector>

namespace tandem {
namespace {

using Clock = std::chrono::steady_clock;

void relax() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Participants of the region that the calling thread works in; 0 outside of one. Shared by all pools, so that a
// region inside another pool's region stays serial too.
thread_local int participants = 0;

class Inside {
 public:
  explicit Inside(int count) noexcept : outer_(participants) { participants = count; }
  ~Inside() { participants = outer_; }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  int outer_;
};

// Spins until done() holds. Gives the core away now and then after the first tens of microseconds, for the thread that
// is waited for may have none.
template <class Done>
void spin_until(Done done) noexcept {
  constexpr int kBeforeYield = 2000;
  for (int i = 0; !done(); ++i) {
    if (i < kBeforeYield) {
      relax();
    } else {
      std::this_thread::yield();
    }
  }
}

// How often this process or one that it comes from was forked: where a pool knows another number, its threads are those
// of another process.
std::atomic<unsigned> forks{0};

unsigned watch_forks() noexcept {
  static const int watching = pthread_atfork(nullptr, nullptr, [] { forks.fetch_add(1, std::memory_order_relaxed); });
  (void)watching;
  return forks.load(std::memory_order_relaxed);
}

constexpr std::uint64_t kCountBits = 12;
constexpr std::uint64_t kCountMask = (1u << kCountBits) - 1;
constexpr int kMaxThreads = static_cast<int>(kCountMask);

}  // namespace

// A region is published by storing `epoch`: its sequence number and, in the low bits, its number of participants. A
// helper that is not one of them touches nothing else of the region, so nobody has to wait for it. It may miss any
// number of epochs; with 52 bits of sequence none comes back, in which it would take a new region for an old one.
// Helpers sleep on a word of their own, since the kernel waits on 32 bits.
struct ThreadPool::State {
  State(int threads, std::chrono::microseconds spin)
      : spin_time(spin), made_after(watch_forks()), done(static_cast<std::size_t>(threads - 1)) {
    helpers.reserve(static_cast<std::size_t>(threads - 1));
  }
  ~State() {
    stop.store(true, std::memory_order_relaxed);
    publish(0);
    for (std::thread& t : helpers) t.join();
  }

  // Whether the helpers are those of a parent process.
  bool inherited() const noexcept { return made_after != forks.load(std::memory_order_relaxed); }

  // False when there are no helpers. In a child process what the parent's pool holds is given up, not freed: threads
  // that are not there can neither be joined nor dropped.
  static bool has_helpers(std::unique_ptr<State>& state, int threads) noexcept {
    if (state->inherited()) {
      try {
        auto own = std::make_unique<State>(threads, state->spin_time);
        (void)state.release();
        state = std::move(own);
      } catch (const std::exception&) {  // no memory
        return false;
      }
    }
    return state->start(threads);
  }

  // False when not all could be started.
  bool start(int threads) noexcept {
    while (static_cast<int>(helpers.size()) < threads - 1) {
      const int index = static_cast<int>(helpers.size()) + 1;
      // Taken here: a region may be published before the new thread first looks.
      const std::uint64_t seen = epoch.load(std::memory_order_relaxed);
      try {
        helpers.emplace_back([this, index, seen] { help(index, seen); });
      } catch (const std::exception&) {  // no thread to be had, or no memory for one
        return false;
      }
    }
    return true;
  }

  std::uint64_t publish(int count) noexcept {
    const std::uint64_t last = epoch.load(std::memory_order_relaxed);
    const std::uint64_t next = (((last >> kCountBits) + 1) << kCountBits) | static_cast<std::uint64_t>(count);
    epoch.store(next, std::memory_order_seq_cst);
    if (sleepers.load(std::memory_order_seq_cst) != 0) {
      wakes.fetch_add(1, std::memory_order_seq_cst);
      wakes.notify_all();
    }
    return next;
  }

  // The epoch after `seen`, or `seen` where none came while it spun.
  std::uint64_t spin_for_epoch(std::uint64_t seen) noexcept {
    constexpr int kSpinsBetweenClocks = 32;
    Clock::time_point end{};
    for (int i = 1;; ++i) {
      const std::uint64_t now = epoch.load(std::memory_order_acquire);
      if (now != seen) return now;
      relax();
      if (i % kSpinsBetweenClocks != 0) continue;
      const Clock::time_point t = Clock::now();
      if (end == Clock::time_point{}) {
        end = t + spin_time;
      } else if (t >= end) {
        return seen;
      }
    }
  }

  std::uint64_t next_epoch(std::uint64_t seen) noexcept {
    for (;;) {
      const std::uint64_t now = spin_for_epoch(seen);
      if (now != seen) return now;
      // Who publishes after the second look at the epoch sees a sleeper and changes `wakes`. It may have been changed
      // for an epoch that was seen already.
      sleepers.fetch_add(1, std::memory_order_seq_cst);
      const std::uint32_t old = wakes.load(std::memory_order_seq_cst);
      if (epoch.load(std::memory_order_seq_cst) == seen) wakes.wait(old, std::memory_order_seq_cst);
      sleepers.fetch_sub(1, std::memory_order_seq_cst);
    }
  }

  void help(int index, std::uint64_t seen) noexcept {
    for (;;) {
      seen = next_epoch(seen);
      if (stop.load(std::memory_order_relaxed)) return;
      const int count = static_cast<int>(seen & kCountMask);
      if (index >= count) continue;
      {
        const Inside inside(count);
        job(arg, index, count);
      }
      done[static_cast<std::size_t>(index - 1)].epoch.store(seen, std::memory_order_release);
    }
  }

  void run(int count, Job new_job, void* new_arg) noexcept {
    job = new_job;
    arg = new_arg;
    const std::uint64_t published = publish(count);
    {
      const Inside inside(count);
      new_job(new_arg, 0, count);
    }
    for (int i = 0; i < count - 1; ++i) {
      spin_until([&] { return done[static_cast<std::size_t>(i)].epoch.load(std::memory_order_acquire) == published; });
    }
  }

  void wait_for_all(int count) noexcept {
    const std::uint32_t phase = barrier_phase.load(std::memory_order_relaxed);
    if (barrier_arrived.fetch_add(1, std::memory_order_acq_rel) == count - 1) {
      barrier_arrived.store(0, std::memory_order_relaxed);
      barrier_phase.store(phase + 1, std::memory_order_release);
      return;
    }
    spin_until([&] { return barrier_phase.load(std::memory_order_acquire) != phase; });
  }

  // Read by all participants, written between regions.
  alignas(64) std::atomic<std::uint64_t> epoch{0};
  Job job = nullptr;
  void* arg = nullptr;
  std::atomic<bool> stop{false};
  std::chrono::microseconds spin_time;
  unsigned made_after;
  // The epoch whose region each helper has left last. Lines of their own, written by nobody else and never reset: the
  // caller waits for two moves of a line between cores, not four.
  struct alignas(64) Done {
    std::atomic<std::uint64_t> epoch{0};
  };
  std::vector<Done> done;
  alignas(64) std::atomic<int> sleepers{0};
  std::atomic<std::uint32_t> wakes{0};
  alignas(64) std::atomic<int> barrier_arrived{0};
  alignas(64) std::atomic<std::uint32_t> barrier_phase{0};
  std::vector<std::thread> helpers;
};

ThreadPool::ThreadPool(int threads, std::chrono::microseconds spin)
    : threads_(std::clamp(threads, 1, kMaxThreads)), state_(std::make_unique<State>(threads_, spin)) {}

ThreadPool::~ThreadPool() {
  if (state_->inherited()) (void)state_.release();
}

void ThreadPool::run_erased(int count, Job job, void* arg) {
  count = std::min(count, threads_);
  if (count <= 0) return;
  if (count == 1 || participants != 0 || !State::has_helpers(state_, threads_)) {
    const Inside inside(1);
    job(arg, 0, 1);
    return;
  }
  if (watch_) return run_watched(count, job, arg);
  state_->run(count, job, arg);
}

void ThreadPool::run_watched(int count, Job job, void* arg) {
  struct Watched {
    Job job;
    void* arg;
    RegionClock::Share* shares;
  } watched{job, arg, watch_->shares.data()};
  const Clock::time_point begin = Clock::now();
  state_->run(
      count,
      [](void* p, int t, int n) {
        const auto& w = *static_cast<const Watched*>(p);
        w.shares[t].begin = Clock::now();
        w.job(w.arg, t, n);
        w.shares[t].end = Clock::now();
      },
      &watched);
  const Clock::duration whole = Clock::now() - begin;
  Clock::duration longest{};
  for (int t = 0; t < count; ++t) longest = std::max(longest, watched.shares[t].end - watched.shares[t].begin);
  watch_->fork_join_seconds += std::chrono::duration<double>(whole - longest).count();
  ++watch_->regions;
}

void ThreadPool::barrier() noexcept {
  const int count = participants;
  if (count > 1) state_->wait_for_all(count);
}

}  // namespace tandem
