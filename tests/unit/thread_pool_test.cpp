#include "common/core/thread_pool.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/child.h"

namespace tandem::thread_pool_test {
namespace {

using std::chrono::microseconds;
using test::in_child;

TEST(ThreadPool, EachParticipantRunsOnce) {
  for (int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int count = 1; count <= threads; ++count) {
      std::vector<int> runs(static_cast<std::size_t>(threads), 0);
      std::atomic<int> wrong_count{0};
      pool.run(count, [&](int t, int n) {
        ++runs[static_cast<std::size_t>(t)];  // no atomics: the join must make it visible
        if (n != count) ++wrong_count;
      });
      EXPECT_EQ(wrong_count, 0);
      for (int t = 0; t < threads; ++t) EXPECT_EQ(runs[static_cast<std::size_t>(t)], t < count ? 1 : 0);
    }
  }
}

TEST(ThreadPool, TheCallerIsParticipantZero) {
  ThreadPool pool(3);
  std::thread::id first;
  pool.run(3, [&](int t, int) {
    if (t == 0) first = std::this_thread::get_id();
  });
  EXPECT_EQ(first, std::this_thread::get_id());
}

TEST(ThreadPool, CountIsCutToTheThreads) {
  ThreadPool pool(2);
  std::atomic<int> runs{0};
  pool.run(5, [&](int, int n) {
    ++runs;
    EXPECT_EQ(n, 2);
  });
  EXPECT_EQ(runs, 2);
  pool.run(0, [&](int, int) { ++runs; });
  EXPECT_EQ(runs, 2);
}

// Regions of changing size, back to back: helpers that take no part must neither run nor be waited for.
TEST(ThreadPool, ManyRegionsOfChangingSize) {
  constexpr int kThreads = 4;
  ThreadPool pool(kThreads);
  std::vector<long> sums(kThreads, 0);
  long expected = 0;
  for (int i = 0; i < 2000; ++i) {
    const int count = 1 + i % kThreads;
    pool.run(count, [&](int t, int) { sums[static_cast<std::size_t>(t)] += i; });
    expected += static_cast<long>(i) * count;
  }
  long total = 0;
  for (long s : sums) total += s;
  EXPECT_EQ(total, expected);
}

TEST(ThreadPool, SleepersWakeUp) {
  ThreadPool pool(3, microseconds(0));
  for (int i = 0; i < 50; ++i) {
    if (i % 10 == 0) std::this_thread::sleep_for(microseconds(2000));
    std::atomic<int> runs{0};
    pool.run(3, [&](int, int) { ++runs; });
    ASSERT_EQ(runs, 3);
  }
}

// What is written before a barrier is seen after it, by everyone, several times in one region.
TEST(ThreadPool, BarrierSeparatesPhases) {
  constexpr int kThreads = 3, kPhases = 200;
  ThreadPool pool(kThreads);
  std::vector<int> values(kThreads, -1);
  std::atomic<int> mismatches{0};
  pool.run(kThreads, [&](int t, int n) {
    for (int phase = 0; phase < kPhases; ++phase) {
      values[static_cast<std::size_t>(t)] = phase;
      pool.barrier();
      for (int other = 0; other < n; ++other)
        if (values[static_cast<std::size_t>(other)] != phase) ++mismatches;
      pool.barrier();
    }
  });
  EXPECT_EQ(mismatches, 0);
  EXPECT_EQ(values, std::vector<int>(kThreads, kPhases - 1));
}

TEST(ThreadPool, BarrierOfOneParticipantReturns) {
  ThreadPool pool(2);
  bool passed = false;
  pool.run(1, [&](int, int) {
    pool.barrier();
    passed = true;
  });
  EXPECT_TRUE(passed);
}

TEST(ThreadPool, NestedCallsAreSerial) {
  ThreadPool pool(2), other(2);
  std::atomic<int> inner{0};
  std::atomic<int> wrong{0};
  pool.run(2, [&](int, int) {
    const std::thread::id here = std::this_thread::get_id();
    for (ThreadPool* p : {&pool, &other}) {
      p->run(2, [&](int t, int n) {
        ++inner;
        p->barrier();
        if (t != 0 || n != 1 || std::this_thread::get_id() != here) ++wrong;
      });
    }
  });
  EXPECT_EQ(inner, 4);
  EXPECT_EQ(wrong, 0);
  std::atomic<int> after{0};
  pool.run(2, [&](int, int n) { after += n; });
  EXPECT_EQ(after, 4);
}

TEST(ThreadPool, SeparatePoolsRunAtTheSameTime) {
  constexpr int kCallers = 4;
  std::vector<std::thread> callers;
  std::vector<long> totals(kCallers, 0);
  for (int c = 0; c < kCallers; ++c) {
    callers.emplace_back([&, c] {
      ThreadPool pool(2);
      std::vector<long> sums(2, 0);
      for (int i = 0; i < 300; ++i) pool.run(2, [&](int t, int) { ++sums[static_cast<std::size_t>(t)]; });
      totals[static_cast<std::size_t>(c)] = sums[0] + sums[1];
    });
  }
  for (std::thread& t : callers) t.join();
  EXPECT_EQ(totals, std::vector<long>(kCallers, 600));
}

TEST(ThreadPool, IsDestroyedWhetherHelpersNeverStartedSpinOrSleep) {
  { ThreadPool pool(4); }
  {
    ThreadPool pool(4, microseconds(1000000));
    pool.run(4, [](int, int) {});
  }
  {
    ThreadPool pool(4, microseconds(0));
    pool.run(4, [](int, int) {});
    std::this_thread::sleep_for(microseconds(2000));
  }
}

// The helpers stay in the parent: a child, and one of its own, start others, and wait for none when the pool goes.
TEST(ThreadPool, IsOfUseInAForkedChild) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a child of several threads is beyond this sanitizer";
#endif
  const auto participants = [](ThreadPool& pool) {
    std::atomic<int> runs{0};
    pool.run(3, [&](int, int) {
      ++runs;
      pool.barrier();
    });
    return runs.load();
  };
  for (const bool started : {false, true}) {
    auto pool = std::make_unique<ThreadPool>(3);
    if (started) participants(*pool);
    const int result = in_child([&] {
      if (participants(*pool) != 3) return 1;
      const int grandchild = in_child([&] { return participants(*pool); });
      if (participants(*pool) != 3) return 2;
      pool.reset();
      return grandchild;
    });
    EXPECT_EQ(result, 3) << started;
    EXPECT_EQ(in_child([&] {
                pool.reset();
                return 4;
              }),
              4);
    EXPECT_EQ(participants(*pool), 3);
  }
}

TEST(ShareOf, CoversEverythingOnceInGrains) {
  for (std::int64_t total : {0, 1, 15, 16, 17, 255, 1000}) {
    for (std::int64_t grain : {1, 4, 16}) {
      for (int n : {1, 2, 3, 8}) {
        std::int64_t at = 0;
        for (int t = 0; t < n; ++t) {
          const Share s = share_of(total, grain, t, n);
          EXPECT_EQ(s.begin, at);
          EXPECT_GE(s.end, s.begin);
          if (s.end != total) {
            EXPECT_EQ(s.end % grain, 0);
          }
          at = s.end;
        }
        EXPECT_EQ(at, total);
      }
    }
  }
}

}  // namespace
}  // namespace tandem::thread_pool_test
