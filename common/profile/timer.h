// The clock that everything is timed with, and how good it is here.
#pragma once

#include <chrono>

#include <tandem/profile.h>

namespace tandem::profile {

/// Seconds of a clock that never steps back.
inline double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Measured once a process, in under a millisecond.
const TimerFacts& timer_facts();

/// The shortest interval that is worth a sample: 1000 ticks, and not below 20 us, so that reading the clock and
/// starting a batch stay well under one per cent of it.
double shortest_sample();

}  // namespace tandem::profile
