#include "common/profile/noise.h"

#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include <fmt/format.h>

namespace tandem::profile {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

std::string or_unreadable(const std::string& value, const std::string& path) {
  return value.empty() ? "n/a: " + path + " cannot be read" : value;
}

std::string on_off(const std::string& path, const std::string& on) {
  const std::string value = first_line(path);
  return value.empty() ? or_unreadable(value, path) : value == on ? "on" : "off";
}

std::string read_turbo() {
  const std::string intel = "/sys/devices/system/cpu/intel_pstate/no_turbo";
  if (!first_line(intel).empty()) return on_off(intel, "0");
  return on_off("/sys/devices/system/cpu/cpufreq/boost", "1");
}

std::string read_quota() {
  const std::string path = "/sys/fs/cgroup/cpu.max", line = first_line(path);
  if (line.empty()) return or_unreadable(line, path);
  std::istringstream text(line);
  std::string quota;
  double period = 0;
  text >> quota >> period;
  if (quota == "max") return "none";
  return period > 0 ? fmt::format("{:.3g} CPUs", std::strtod(quota.c_str(), nullptr) / period) : "n/a: " + line;
}

std::string read_virtualised() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("flags")) return line.find(" hypervisor") == std::string::npos ? "no" : "yes";
  return "n/a: /proc/cpuinfo has no flags";
}

/// The word in brackets of "always [madvise] never".
std::string read_huge_pages() {
  const std::string path = "/sys/kernel/mm/transparent_hugepage/enabled", line = first_line(path);
  const auto begin = line.find('['), end = line.find(']');
  if (begin == std::string::npos || end == std::string::npos || end < begin) return or_unreadable("", path);
  return line.substr(begin + 1, end - begin - 1);
}

/// A field of /proc/meminfo, in bytes.
double meminfo(const std::string& field) {
  std::ifstream file("/proc/meminfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with(field + ":")) return std::strtod(line.c_str() + field.size() + 1, nullptr) * 1024;
  return 0;
}

}  // namespace

NoiseFacts read_noise_facts() {
  NoiseFacts facts;
  if (getloadavg(&facts.load_average, 1) != 1) facts.load_average = kNaN;
  facts.online_cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  cpu_set_t set;
  facts.usable_cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : facts.online_cpus;
  const std::string governor = "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor";
  facts.governor = or_unreadable(first_line(governor), governor);
  facts.turbo = read_turbo();
  facts.smt = on_off("/sys/devices/system/cpu/smt/active", "1");
  facts.cpu_quota = read_quota();
  facts.virtualised = read_virtualised();
  facts.huge_pages = read_huge_pages();
  return facts;
}

NoiseCounters read_noise_counters() {
  NoiseCounters counters;
  counters.stolen_seconds = kNaN;
  std::istringstream line(first_line("/proc/stat"));  // cpu user nice system idle iowait irq softirq steal ...
  std::string label;
  double value = 0;
  line >> label;
  for (int field = 0; field < 8 && line >> value; ++field)
    if (field == 7) counters.stolen_seconds = value / static_cast<double>(sysconf(_SC_CLK_TCK));
  rusage usage{};
  counters.involuntary_switches = getrusage(RUSAGE_SELF, &usage) == 0 ? static_cast<double>(usage.ru_nivcsw) : kNaN;
  return counters;
}

NoiseCounters operator-(const NoiseCounters& later, const NoiseCounters& earlier) {
  return {later.stolen_seconds - earlier.stolen_seconds, later.involuntary_switches - earlier.involuntary_switches};
}

double available_memory() { return meminfo("MemAvailable"); }

}  // namespace tandem::profile
