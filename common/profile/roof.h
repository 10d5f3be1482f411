// The measured ceilings that a comparison holds its kernels against.
#pragma once

#include <tandem/machine.h>
#include <tandem/profile.h>

namespace tandem::profile {

/// Bytes, of all threads together, at which the last cache level is measured: half of it, or less where it is far
/// larger than L2. Such a level is shared with programs of others, also where a virtual machine shows all of it: on a
/// Xeon of 480 MiB, half of it was read at 15 GB/s and what kernels use of it at 27.
std::int64_t last_level_working_set(const CpuInfo& cpu);

/// Each ceiling is measured for as long as a row, min_seconds, but for 50 ms at most: a second in all, and some more
/// where the last cache level is so large that a GiB has to be touched beside it. The machine says how many threads,
/// and which instruction sets may be used.
Roof measure_roof(const CpuInfo& cpu, double min_seconds);

/// The roofline: the larger of flops at the arithmetic ceiling and bytes at that of the level which holds them. Where a
/// quarter or more of the traffic is written the copy ceiling counts, else the read ceiling. Operations told in bytes/s
/// are held against bandwidth alone. Between one and four times the last cache level the two ceilings are mixed.
Bound host_bound(const Work& work, const Roof& roof);
Bound device_bound(const Work& work, const Ceilings& ceilings);

/// What operations are told in: "op" for products of integers, which are no floating-point operations, else "FLOP".
inline const char* operation_word(const Work& work) { return work.arithmetic == DType::s8 ? "op" : "FLOP"; }
inline const char* arithmetic_unit(const Work& work) { return work.arithmetic == DType::s8 ? "Gop/s" : "GFLOP/s"; }

}  // namespace tandem::profile
