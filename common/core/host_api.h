// What the rest of the library needs from the CPU side, free of SIMD types: what this CPU and the operating system
// allow, and how fast it is. cpu/backend.cpp implements it.
#pragma once

#include <cstddef>

#include <tandem/machine.h>

namespace tandem::cpu {

/// Name, ISA level (CPUID and XGETBV), usable threads (affinity mask and cgroup quota) and cache sizes.
CpuInfo query();

/// flop/s of independent f32 multiply-adds in registers, one thread, over about `seconds`; the best of several runs.
double measure_fma(IsaLevel level, double seconds);
/// Bytes/s read plus written by one thread that copies `bytes` within a buffer of twice that size.
double measure_copy(IsaLevel level, std::size_t bytes, double seconds);
/// Bytes/s read by one thread that sums `bytes`.
double measure_read(IsaLevel level, std::size_t bytes, double seconds);

/// Fills the cpu_ fields of `ceilings`, about 20 ms.
void measure(const CpuInfo& cpu, Ceilings& ceilings);

}  // namespace tandem::cpu
