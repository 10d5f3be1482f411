// Figures of a profile that follow from others, and what is read around it.
#pragma once

#include <tandem/operation_profile.h>

namespace tandem::profile {

/// What the clocks of the processors are at the moment. Takes a fraction of a millisecond.
struct ClockReadings {
  Figure cpu;  ///< of the calling thread's core
};
ClockReadings read_clocks();

/// Counters of the processor, a call; `reason` where there is none of them.
std::vector<NamedFigure> counter_figures(const CounterReading& reading, int calls);

/// Fills work, bound_by, clocks and overhead in, from what was measured. The run is finished.
void derive_figures(Profile& profile, const ClockReadings& before, const ClockReadings& after);

}  // namespace tandem::profile
