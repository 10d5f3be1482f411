// Samples with the figures that are made of them.
#pragma once

#include <tandem/measurement.h>

#include "common/profile/measure.h"

namespace tandem::profile {

Timing timing_of(Samples samples);

}  // namespace tandem::profile
