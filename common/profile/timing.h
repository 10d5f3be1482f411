// Samples with the figures that are made of them.
#pragma once

#include <string>

#include <tandem/measurement.h>

#include "common/profile/measure.h"

namespace tandem::profile {

Timing timing_of(Samples samples);

/// Why there are no samples: the clock is too coarse, or measuring was interrupted.
std::string why_not_measured(const Timing& timing);

}  // namespace tandem::profile
