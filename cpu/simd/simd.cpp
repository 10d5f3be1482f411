#include "cpu/simd/simd.h"

#include <array>

namespace tandem::cpu {
namespace {

// Detected when the library is loaded; hwy::SupportedTargets() asks CPUID at each call, which a hypervisor traps.
std::array<std::int64_t, 4> detect() noexcept {
  const std::int64_t here = hwy::SupportedTargets();
#if HWY_ARCH_X86
  constexpr std::int64_t kBaseline = HWY_SCALAR | HWY_EMU128;
  constexpr std::int64_t kSse4 = kBaseline | HWY_SSE4;
  constexpr std::int64_t kAvx2 = kSse4 | HWY_AVX2;
  return {here & kBaseline, here & kSse4, here & kAvx2, here & (kAvx2 | HWY_AVX3)};
#else
  // The levels name x86 clusters; elsewhere `scalar` is the baseline and the others stand for all there is.
  return {0, here, here, here};
#endif
}

}  // namespace

std::int64_t simd_targets(IsaLevel level) noexcept {
  static const std::array<std::int64_t, 4> targets = detect();
  return targets[static_cast<std::size_t>(level)];
}

}  // namespace tandem::cpu
