// What could disturb a measurement, as far as the system tells. Nothing is guessed: what cannot be read says so.
#pragma once

#include <string>

namespace tandem::profile {

struct NoiseFacts {
  double load_average = 0;  ///< of the last minute; NaN when unknown
  int online_cpus = 0;
  int usable_cpus = 0;      ///< by the affinity mask
  std::string governor;     ///< cpufreq governor of CPU 0, or "n/a: ..."
  std::string turbo;        ///< "on", "off" or "n/a: ..."
  std::string smt;          ///< "on", "off" or "n/a: ..."
  std::string cpu_quota;    ///< of the control group: "none", "1.5 CPUs" or "n/a: ..."
  std::string virtualised;  ///< "yes", "no" or "n/a: ..."
};
NoiseFacts read_noise_facts();

/// Counters that only grow; the difference of two readings says what happened in between.
struct NoiseCounters {
  double stolen_seconds = 0;        ///< taken by the hypervisor, all CPUs; NaN when unknown
  double involuntary_switches = 0;  ///< of this process
};
NoiseCounters read_noise_counters();
NoiseCounters operator-(const NoiseCounters& later, const NoiseCounters& earlier);

/// Bytes of memory that can be had without swapping; 0 when unknown.
double available_memory();

}  // namespace tandem::profile
