// When, where and under which conditions a program measured: the head of every report.
#pragma once

#include <cstdint>
#include <string>

#include <tandem/machine.h>

#include "common/profile/noise.h"
#include "common/profile/roof.h"
#include "common/profile/timer.h"

namespace tandem::profile {

struct RunFacts {
  std::string date;     ///< UTC, ISO 8601
  std::string library;  ///< version
  Machine machine;
  Roof roof;
  TimerFacts timer;
  NoiseFacts noise;
  NoiseCounters during;
  std::uint64_t seed = 0;
  double min_seconds = 0;
  bool interrupted = false;
  double seconds = 0;  ///< of the whole run
  double started = 0;  ///< what now() said at its begin
};

/// Reads the machine's state and measures its ceilings.
RunFacts begin_run(const Machine& machine, std::uint64_t seed, double min_seconds);
/// Fills `during` and `seconds` in.
void finish_run(RunFacts& facts);

}  // namespace tandem::profile
