// Google Highway as this project uses it: which targets are compiled, and dispatch by the calling context's IsaLevel
// instead of Highway's process-wide choice. A file with SIMD code begins
//
//     #undef HWY_TARGET_INCLUDE
//     #define HWY_TARGET_INCLUDE "cpu/kernels/this_file.cpp"
//     #include "cpu/simd/simd.h"         // before any Highway header
//     #include <hwy/foreach_target.h>
//     #include <hwy/highway.h>
//
// puts its code into namespace HWY_NAMESPACE, and calls TANDEM_SIMD_CALL(level, Func)(arguments) in its HWY_ONCE part.
#pragma once

// SSSE3 is skipped: no IsaLevel names it. HWY_WANT_AVX3_DL stays undefined, since that target of Highway 1.0.3 allows
// the compiler AVX-VNNI, which CPUs with AVX512-VNNI need not have.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include <hwy/targets.h>

#include <tandem/machine.h>

namespace tandem::cpu {

/// The Highway targets that `level` allows and this CPU and operating system run, as a mask of HWY_<target> bits.
/// Asked from the system once a process.
std::int64_t simd_targets(IsaLevel level) noexcept;

/// The entry of a dispatch table (as HWY_EXPORT defines it) for the best target that was compiled and is in `allowed`.
/// The baseline target is compiled into every table and is the answer when nothing better is allowed.
inline std::size_t simd_table_index(std::int64_t compiled, std::int64_t baseline, std::int64_t allowed) noexcept {
  if (compiled == baseline) return 0;  // HWY_EXPORT makes a table of one
  const std::int64_t usable = (compiled & allowed) | baseline;
  return static_cast<std::size_t>(
      std::countr_zero(static_cast<std::uint64_t>(HWY_CHOSEN_TARGET_SHIFT(usable) | HWY_CHOSEN_TARGET_MASK_SCALAR)));
}

}  // namespace tandem::cpu

/// The function of the table HWY_EXPORT(func) for an IsaLevel.
#define TANDEM_SIMD_CALL(level, func) \
  (HWY_DISPATCH_TABLE(                \
      func)[::tandem::cpu::simd_table_index(HWY_TARGETS, HWY_STATIC_TARGET, ::tandem::cpu::simd_targets(level))])
