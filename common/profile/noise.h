// What could disturb a measurement, as far as the system tells. Nothing is guessed: what cannot be read says so.
#pragma once

#include <tandem/profile.h>

namespace tandem::profile {

NoiseFacts read_noise_facts();

NoiseCounters read_noise_counters();
NoiseCounters operator-(const NoiseCounters& later, const NoiseCounters& earlier);

/// Bytes of memory that can be had without swapping; 0 when unknown.
double available_memory();

}  // namespace tandem::profile
