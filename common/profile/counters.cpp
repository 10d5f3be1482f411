#include "common/profile/counters.h"

#include <dirent.h>
#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include <fmt/format.h>

namespace tandem::profile {
namespace {

struct Event {
  std::uint64_t code;
  double CounterReading::*field;
};

constexpr std::array<Event, 5> kEvents = {{
    {PERF_COUNT_HW_CPU_CYCLES, &CounterReading::cycles},
    {PERF_COUNT_HW_INSTRUCTIONS, &CounterReading::instructions},
    {PERF_COUNT_HW_CACHE_REFERENCES, &CounterReading::cache_references},
    {PERF_COUNT_HW_CACHE_MISSES, &CounterReading::cache_misses},
    {PERF_COUNT_HW_BRANCH_MISSES, &CounterReading::branch_misses},
}};

std::vector<int> threads_of_this_process() {
  std::vector<int> threads;
  if (DIR* folder = opendir("/proc/self/task")) {
    while (const dirent* entry = readdir(folder))
      if (const int thread = std::atoi(entry->d_name); thread > 0) threads.push_back(thread);
    closedir(folder);
  }
  if (threads.empty()) threads.push_back(0);  // the caller
  return threads;
}

std::string paranoid_setting() {
  std::string value;
  std::ifstream("/proc/sys/kernel/perf_event_paranoid") >> value;
  return value.empty() ? "unreadable" : value;
}

}  // namespace

int open_counter(std::uint64_t event, int thread) {
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_HARDWARE;
  attributes.config = event;
  attributes.disabled = 1;
  attributes.inherit = 1;
  attributes.exclude_kernel = 1;
  attributes.exclude_hv = 1;
  attributes.read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
  const long descriptor = syscall(SYS_perf_event_open, &attributes, thread, -1, -1, PERF_FLAG_FD_CLOEXEC);
  return descriptor >= 0 ? static_cast<int>(descriptor) : -errno;
}

std::string counter_refusal(int error, const std::string& paranoid) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "n/a: no permission to read counters (perf_event_paranoid is " + paranoid + ")";
    case ENOENT:
    case EOPNOTSUPP:
    case ENODEV:
      return "n/a: the processor offers no such counter here, as on many virtual machines";
    case ENOSYS:
      return "n/a: this kernel has no perf_event_open";
    case EMFILE:
    case ENFILE:
      return "n/a: no file descriptors left for counters";
    default:
      return fmt::format("n/a: perf_event_open failed: {}", std::strerror(error));
  }
}

Counters::Counters(const OpenCounter& open) {
  const std::vector<int> threads = threads_of_this_process();
  for (std::size_t i = 0; i < kEvents.size(); ++i) {
    const std::size_t before = open_.size();
    int error = 0;
    for (const int thread : threads) {
      const int descriptor = open(kEvents[i].code, thread);
      if (descriptor >= 0)
        open_.push_back({i, descriptor, {}});
      else if (descriptor != -ESRCH)  // a thread that has ended since it was listed
        error = -descriptor;
    }
    if (error == 0) continue;
    // Some threads alone would be a part that looks like the whole.
    for (std::size_t k = before; k < open_.size(); ++k) close(open_[k].descriptor);
    open_.resize(before);
    const std::string why = counter_refusal(error, paranoid_setting());
    if (reason_.find(why) != std::string::npos) continue;
    reason_ += (reason_.empty() ? "" : "; ") + why;
  }
}

Counters::~Counters() {
  for (const Open& open : open_) close(open.descriptor);
}

// Resetting an event leaves its times as they are, so all three are taken as differences.
void Counters::start() {
  for (Open& open : open_)
    if (read(open.descriptor, &open.begin, sizeof open.begin) != sizeof open.begin) open.begin = {};
  for (const Open& open : open_) (void)ioctl(open.descriptor, PERF_EVENT_IOC_ENABLE, 0);
}

CounterReading Counters::stop() {
  for (const Open& open : open_) (void)ioctl(open.descriptor, PERF_EVENT_IOC_DISABLE, 0);
  CounterReading reading;
  reading.reason = reason_;
  std::array<bool, std::size(kEvents)> starved{};
  for (const Open& open : open_) {
    Value end{};
    double& sum = reading.*kEvents[open.event].field;
    if (read(open.descriptor, &end, sizeof end) != sizeof end) continue;
    const auto enabled = static_cast<double>(end.enabled - open.begin.enabled);
    const auto running = static_cast<double>(end.running - open.begin.running);
    if (enabled > 0 && running <= 0) starved[open.event] = true;
    if (std::isnan(sum)) sum = 0;
    if (running <= 0) continue;  // the thread slept, or was never given a counter
    sum += static_cast<double>(end.count - open.begin.count) * enabled / running;
    reading.counted_fraction = std::fmin(reading.counted_fraction, running / enabled);
  }
  if (std::find(starved.begin(), starved.end(), true) == starved.end()) return reading;
  for (std::size_t event = 0; event < starved.size(); ++event)
    if (starved[event]) reading.*kEvents[event].field = kAbsent;
  reading.reason += std::string(reading.reason.empty() ? "" : "; ") + "other events had the counters all the time";
  return reading;
}

}  // namespace tandem::profile
