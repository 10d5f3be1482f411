// tandem-pool-bench [threads]: the cost of one empty parallel region (fork and join) of the thread pool, for helpers
// that still spin and for helpers that have gone to sleep, and of one barrier inside a region.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "bench/support/program.h"
#include "bench/support/run_options.h"
#include "common/core/thread_pool.h"

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::microseconds;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

void busy(microseconds time) {
  const Clock::time_point end = Clock::now() + time;
  while (Clock::now() < end) {
  }
}

void print(const char* what, std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](std::size_t percent) { return samples[samples.size() * percent / 100] * 1e6; };
  fmt::print("{:<44} median {:8.3f} us   p10 {:8.3f}   p90 {:8.3f}   p99 {:8.3f}\n", what, at(50), at(10), at(90),
             at(99));
}

// Runs of many regions, so that the clock's own cost (some 20 ns) does not count.
void back_to_back(tandem::ThreadPool& pool) {
  constexpr int kRegions = 100;
  std::vector<double> samples;
  for (int i = 0; i < 2000; ++i) {
    const Clock::time_point start = Clock::now();
    for (int r = 0; r < kRegions; ++r) pool.run(pool.threads(), [](int, int) {});
    samples.push_back(seconds_since(start) / kRegions);
  }
  print("empty region, back to back", samples);
}

void after_gap(tandem::ThreadPool& pool, microseconds gap, int rounds) {
  std::vector<double> samples;
  for (int i = 0; i < rounds; ++i) {
    busy(gap);
    const Clock::time_point start = Clock::now();
    pool.run(pool.threads(), [](int, int) {});
    samples.push_back(seconds_since(start));
  }
  print(fmt::format("empty region after {} us of serial work", gap.count()).c_str(), samples);
}

void barriers(tandem::ThreadPool& pool) {
  constexpr int kBarriers = 1000;
  std::vector<double> samples;
  for (int i = 0; i < 200; ++i) {
    const Clock::time_point start = Clock::now();
    pool.run(pool.threads(), [&](int, int) {
      for (int b = 0; b < kBarriers; ++b) pool.barrier();
    });
    samples.push_back(seconds_since(start) / kBarriers);
  }
  print("barrier inside a region", samples);
}

int run(int argc, const char* const* argv) {
  int threads = static_cast<int>(std::thread::hardware_concurrency());
  CLI::App app("what an empty parallel region and a barrier of the thread pool cost", "tandem-pool-bench");
  app.add_option("threads", threads, "of the pool (default: as many as there are)");
  if (!tandem::bench::parse_command_line(app, argc, argv)) return 0;
  if (threads < 1 || threads > 1024)
    throw tandem::bench::UsageError(fmt::format("threads {}: write 1 to 1024", threads));
  tandem::ThreadPool pool(threads);
  fmt::print("{} threads, helpers spin {} us\n", pool.threads(), tandem::ThreadPool::kSpin.count());
  back_to_back(pool);
  for (int gap : {1, 10, 50, 200, 1000}) after_gap(pool, microseconds(gap), gap > 100 ? 500 : 5000);
  barriers(pool);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tandem::bench::run_program("tandem-pool-bench", [&] { return run(argc, argv); });
}
