// Hardware counters: refused, half refused, and made-up events whose values come from files.
#include <fcntl.h>
#include <linux/perf_event.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cmath>
#include <cstdint>
#include <string>

#include <gtest/gtest.h>

#include "common/profile/counters.h"
#include "tests/support/temporary_folder.h"

namespace tandem::profile::counters_test {
namespace {

using test::TemporaryFolder;

TEST(Counters, EachRefusalSaysWhy) {
  EXPECT_EQ(counter_refusal(EACCES, "4"), "n/a: no permission to read counters (perf_event_paranoid is 4)");
  EXPECT_EQ(counter_refusal(EPERM, "3"), "n/a: no permission to read counters (perf_event_paranoid is 3)");
  EXPECT_NE(counter_refusal(ENOENT, "2").find("virtual machines"), std::string::npos);
  EXPECT_NE(counter_refusal(ENOSYS, "2").find("no perf_event_open"), std::string::npos);
  EXPECT_NE(counter_refusal(EMFILE, "2").find("descriptors"), std::string::npos);
  EXPECT_NE(counter_refusal(EBUSY, "2").find("busy"), std::string::npos);
  for (const int error : {EACCES, ENOENT, ENOSYS, EMFILE, EBUSY})
    EXPECT_EQ(counter_refusal(error, "2").rfind("n/a: ", 0), 0u);
}

TEST(Counters, RefusedCountersAreAbsentWithOneReason) {
  Counters counters([](std::uint64_t, int) { return -EACCES; });
  EXPECT_FALSE(counters.any());
  counters.start();
  const CounterReading reading = counters.stop();
  for (const double value : {reading.cycles, reading.instructions, reading.cache_references, reading.cache_misses,
                             reading.branch_misses, reading.counted_fraction})
    EXPECT_TRUE(std::isnan(value));
  EXPECT_NE(reading.reason.find("no permission"), std::string::npos) << reading.reason;
  EXPECT_EQ(reading.reason.find("no permission"), reading.reason.rfind("no permission")) << "said once";
}

/// Opens a file that holds what two readings of an event yield: count, time enabled, time running.
int made_up(const TemporaryFolder& folder, const std::array<std::uint64_t, 6>& values) {
  const std::string path = folder.file("event");
  const int descriptor = ::open(path.c_str(), O_CREAT | O_TRUNC | O_RDWR, 0600);
  EXPECT_EQ(::write(descriptor, values.data(), sizeof values), static_cast<ssize_t>(sizeof values));
  EXPECT_EQ(::lseek(descriptor, 0, SEEK_SET), 0);
  ::unlink(path.c_str());
  return descriptor;
}

TEST(Counters, FiguresAreDifferencesScaledByTheTimeThatWasCounted) {
  const TemporaryFolder folder;
  bool first_of_cycles = true;
  Counters counters([&](std::uint64_t event, int) {
    if (event == PERF_COUNT_HW_CACHE_MISSES) return -ENOENT;
    if (event == PERF_COUNT_HW_INSTRUCTIONS) return made_up(folder, {100, 10, 10, 1100, 50, 20});  // a quarter counted
    if (event != PERF_COUNT_HW_CPU_CYCLES) return made_up(folder, {0, 0, 0, 7, 5, 5});
    const bool first = first_of_cycles;
    first_of_cycles = false;
    return first ? made_up(folder, {1000, 10, 10, 3000, 30, 30}) : made_up(folder, {0, 0, 0, 0, 0, 0});  // asleep
  });
  EXPECT_TRUE(counters.any());
  counters.start();
  const CounterReading reading = counters.stop();
  EXPECT_EQ(reading.cycles, 2000);
  // Every thread of this process counts: each has the same made-up file.
  EXPECT_GE(reading.instructions, 4000);
  EXPECT_EQ(std::fmod(reading.instructions, 4000), 0);
  EXPECT_GE(reading.branch_misses, 7);
  EXPECT_TRUE(std::isnan(reading.cache_misses));
  EXPECT_EQ(reading.counted_fraction, 0.25);
  EXPECT_NE(reading.reason.find("no such counter"), std::string::npos);
}

TEST(Counters, AnEventThatNeverGotACounterIsAbsentWithTheReason) {
  const TemporaryFolder folder;
  Counters counters([&](std::uint64_t event, int) {
    if (event == PERF_COUNT_HW_BRANCH_MISSES) return made_up(folder, {0, 0, 0, 0, 50, 0});
    return made_up(folder, {0, 0, 0, 9, 50, 50});
  });
  counters.start();
  const CounterReading reading = counters.stop();
  EXPECT_TRUE(std::isnan(reading.branch_misses));
  EXPECT_GE(reading.cycles, 9);
  EXPECT_NE(reading.reason.find("had the counters all the time"), std::string::npos) << reading.reason;
}

TEST(Counters, AThreadThatCannotBeCountedLeavesTheEventOut) {
  const TemporaryFolder folder;
  int opened = 0;
  Counters counters([&](std::uint64_t event, int) {
    if (event != PERF_COUNT_HW_CPU_CYCLES) return -ESRCH;  // ended: no reason
    return ++opened == 1 ? -EMFILE : made_up(folder, {0, 0, 0, 9, 1, 1});
  });
  EXPECT_FALSE(counters.any());
  EXPECT_TRUE(std::isnan(counters.stop().cycles));
  EXPECT_NE(counters.stop().reason.find("descriptors"), std::string::npos);
}

// On any machine: all five, or the reason.
TEST(Counters, ThisMachineCountsOrSaysWhy) {
  Counters counters;
  counters.start();
  volatile double x = 1;
  for (int i = 0; i < 1000000; ++i) x = x * 1.0000001;
  const CounterReading reading = counters.stop();
  bool all = true;
  for (const double value :
       {reading.cycles, reading.instructions, reading.cache_references, reading.cache_misses, reading.branch_misses})
    all = all && !std::isnan(value);
  EXPECT_NE(all, !reading.reason.empty()) << reading.reason;
  if (!std::isnan(reading.instructions)) {
    EXPECT_GE(reading.instructions, 1e6);
  }
}

}  // namespace
}  // namespace tandem::profile::counters_test
