// What the rest of the library needs from the CPU side, free of SIMD types: what this CPU and the operating system
// allow, and how fast it is. cpu/backend.cpp implements it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tandem/machine.h>

namespace tandem::cpu {

/// Name, ISA level (CPUID and XGETBV), usable threads (affinity mask and cgroup quota) and cache sizes.
CpuInfo query();

// `threads` threads run together where more than one is asked for: the work of all over the time of the slowest. The
// best of several rounds in about `seconds`, after what is needed to prepare.

/// flop/s of independent f32 multiply-adds in registers.
double measure_fma(IsaLevel level, double seconds, int threads = 1);
/// Bytes/s read plus written by threads that each copy `bytes` within a buffer of twice that size, through the caches
/// or past them, whichever is faster.
double measure_copy(IsaLevel level, std::size_t bytes, double seconds, int threads = 1);
/// Bytes/s read by threads that each sum `bytes`.
double measure_read(IsaLevel level, std::size_t bytes, double seconds, int threads = 1);

/// Fills the cpu_ fields of `ceilings`, about 20 ms.
void measure(const CpuInfo& cpu, Ceilings& ceilings);

/// matrix = left diag(values) right^T, row-major; with most = min(rows, cols), left is [rows, most], right [cols, most],
/// the values fall. Not empty, finite.
struct Svd {
  std::vector<double> left, values, right;
};
Svd thin_svd(const float* matrix, std::int64_t rows, std::int64_t cols);

}  // namespace tandem::cpu
