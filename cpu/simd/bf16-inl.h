// Vectors of f32 to bf16 and back, with the bits of common/core/bf16.h. Include after cpu/simd/simd.h, once a target.
#if defined(TANDEM_CPU_SIMD_BF16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_SIMD_BF16_INL_H_
#undef TANDEM_CPU_SIMD_BF16_INL_H_
#else
#define TANDEM_CPU_SIMD_BF16_INL_H_
#endif

#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// As many bf16, as bits, as a vector has f32.
template <class D>
using Halves = hn::Rebind<std::uint16_t, D>;

/// Rounded to the nearest, ties to even; a NaN becomes quiet.
template <class D>
HWY_INLINE hn::Vec<Halves<D>> round_to_bf16(D, hn::Vec<D> v) {
  const hn::RebindToUnsigned<D> bits;
  const auto all = hn::BitCast(bits, v), high = hn::ShiftRight<16>(all);
  const auto odd = hn::And(high, hn::Set(bits, 1));
  const auto rounded = hn::ShiftRight<16>(hn::Add(hn::Add(all, hn::Set(bits, 0x7fff)), odd));
  const auto quiet = hn::Or(high, hn::Set(bits, 0x40));
  const auto is_number = hn::RebindMask(bits, hn::Eq(v, v));
  const auto kept = hn::IfThenElse(is_number, rounded, quiet);
  return hn::DemoteTo(Halves<D>(), hn::BitCast(hn::RebindToSigned<D>(), kept));
}

/// Exact.
template <class D>
HWY_INLINE hn::Vec<D> widen_bf16(D d, hn::Vec<Halves<D>> halves) {
  const hn::RebindToUnsigned<D> bits;
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(bits, halves)));
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
