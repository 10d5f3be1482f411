// The layout analysis between NUMA nodes: memory belongs to the node whose CPU touches it first.
#include <sched.h>

#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include "common/core/memory.h"
#include "common/profile/layout.h"
#include "common/profile/measure.h"
#include "common/profile/timing.h"

namespace tandem::profile {
namespace {

constexpr std::size_t kBytes = std::size_t{64} << 20;

/// Runs `work` in a thread that stays on one CPU.
void on_cpu(int cpu, const std::function<void()>& work) {
  std::thread([&] {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<unsigned>(cpu), &set);
    (void)sched_setaffinity(0, sizeof set, &set);
    work();
  }).join();
}

std::uint64_t read_all(const std::uint64_t* words) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBytes / 8; ++i) sum += words[i];
  return sum;
}

}  // namespace

std::vector<int> parse_cpu_list(const std::string& text) {
  std::vector<int> cpus;
  std::istringstream ranges(text);
  for (std::string range; std::getline(ranges, range, ',');) {
    int first = 0, last = 0;
    const int read = std::sscanf(range.c_str(), "%d-%d", &first, &last);
    if (read < 1) continue;
    if (read == 1) last = first;
    for (int cpu = first; cpu <= last && cpus.size() < 4096; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<int> one_cpu_of_each_node() {
  const auto line_of = [](const std::string& path) {
    std::string line;
    std::ifstream file("/sys/devices/system/node/" + path);
    std::getline(file, line);
    return line;
  };
  cpu_set_t usable;
  CPU_ZERO(&usable);
  std::vector<int> found;
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return found;
  for (const int node : parse_cpu_list(line_of("online")))
    for (const int cpu : parse_cpu_list(line_of(fmt::format("node{}/cpulist", node))))
      if (cpu < CPU_SETSIZE && CPU_ISSET(static_cast<unsigned>(cpu), &usable)) {
        found.push_back(cpu);
        break;
      }
  return found;
}

void measure_first_touch(LayoutReport& report, const std::vector<int>& cpus, const LayoutOptions& options) {
  if (cpus.size() < 2) {
    const char* why = cpus.empty() ? "n/a: the system tells of no NUMA nodes" : "n/a: this process has one NUMA node";
    report.rows.push_back({"first touch", "local and remote", {}, 0, kAbsent, kAbsent, why});
    return;
  }
  const std::shared_ptr<void> memory = allocate_host(kBytes, 4096, "layout analysis");
  on_cpu(cpus.front(), [&] { std::memset(memory.get(), 1, kBytes); });
  std::vector<Timed> timed;
  for (const int cpu : cpus)
    timed.push_back({fmt::format("touched on CPU {}, read on CPU {}", cpus.front(), cpu), [&memory, cpu](int calls) {
                       double seconds = 0;
                       on_cpu(cpu, [&] {
                         seconds = time_calls(calls, [&] {
                           volatile std::uint64_t sink = read_all(static_cast<const std::uint64_t*>(memory.get()));
                           (void)sink;
                         });
                       });
                       return seconds;
                     }});
  measure_ways(report, "first touch", timed, std::vector<double>(timed.size(), double{kBytes}), options);
}

}  // namespace tandem::profile
