// The state of a GPU while something is measured on it, as far as NVML tells.
#pragma once

#include <string>

#include <tandem/profile.h>

#include "common/core/nvml.h"

namespace tandem::profile {

/// Names of the bits of NVML's clock throttle reasons: "no" for none that slows (an idle GPU is not slowed).
std::string throttle_words(unsigned long long reasons);

GpuState read_gpu_state(const GpuInfo& gpu, const nvml::Library& library = nvml::library());

/// "SM 1980 of 1980 MHz, memory 2619 of 2619 MHz, 34 C, 71 W, slowed: no, persistence on, other processes 0", or why
/// not.
std::string to_text(const GpuState& state);

}  // namespace tandem::profile
