// Vectors of f32 to f16 and back, with the bits of common/core/f16.h. Include after cpu/simd/simd.h, once a target.
#if defined(TANDEM_CPU_SIMD_F16_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_SIMD_F16_INL_H_
#undef TANDEM_CPU_SIMD_F16_INL_H_
#else
#define TANDEM_CPU_SIMD_F16_INL_H_
#endif

#include <cstdint>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Where the target has F16C. Elsewhere Highway 1.0.3 would cut off what must be rounded.
#undef TANDEM_HAVE_F16C
#if HWY_TARGET <= HWY_AVX2
#define TANDEM_HAVE_F16C 1
#else
#define TANDEM_HAVE_F16C 0
#endif

/// Rounded to the nearest, ties to even; a NaN becomes quiet.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<std::uint16_t, D>> round_to_f16(D d, hn::Vec<D> v) {
  const hn::Rebind<std::uint16_t, D> halves;
#if TANDEM_HAVE_F16C
  (void)d;
  return hn::BitCast(halves, hn::DemoteTo(hn::Rebind<hwy::float16_t, D>(), v));
#else
  const hn::RebindToSigned<D> bits;
  const auto all = hn::BitCast(bits, v), magnitude = hn::And(all, hn::Set(bits, 0x7fffffff));
  const auto shifted = hn::ShiftRight<13>(magnitude);
  const auto sum = hn::BitCast(bits, hn::Add(hn::BitCast(d, magnitude), hn::Set(d, 0.5f)));
  const auto denormal = hn::Sub(sum, hn::Set(bits, 0x3f000000));
  const auto odd = hn::And(shifted, hn::Set(bits, 1));
  const auto normal = hn::ShiftRight<13>(hn::Add(hn::Add(magnitude, hn::Set(bits, 0xfff - (112 << 23))), odd));
  const auto nan = hn::Or(hn::And(shifted, hn::Set(bits, 0x3ff)), hn::Set(bits, 0x7e00));
  auto rest = hn::IfThenElse(hn::Lt(magnitude, hn::Set(bits, 0x38800000)), denormal, normal);
  rest = hn::IfThenElse(hn::Lt(magnitude, hn::Set(bits, 0x47800000)), rest, hn::Set(bits, 0x7c00));
  rest = hn::IfThenElse(hn::Gt(magnitude, hn::Set(bits, 0x7f800000)), nan, rest);
  const auto sign = hn::And(hn::ShiftRight<16>(all), hn::Set(bits, 0x8000));
  return hn::DemoteTo(halves, hn::Or(sign, rest));
#endif
}

/// Exact; a NaN becomes quiet.
template <class D>
HWY_INLINE hn::Vec<D> widen_f16(D d, hn::Vec<hn::Rebind<std::uint16_t, D>> halves) {
#if TANDEM_HAVE_F16C
  return hn::PromoteTo(d, hn::BitCast(hn::Rebind<hwy::float16_t, D>(), halves));
#else
  const hn::RebindToSigned<D> bits;
  const auto all = hn::PromoteTo(bits, halves), rest = hn::And(all, hn::Set(bits, 0x7fff));
  const auto shifted = hn::ShiftLeft<13>(rest);
  const auto finite = hn::BitCast(bits, hn::Mul(hn::BitCast(d, shifted), hn::Set(d, 0x1p112f)));
  const auto quiet = hn::IfThenElseZero(hn::Gt(rest, hn::Set(bits, 0x7c00)), hn::Set(bits, 0x400000));
  const auto other = hn::Or(hn::Or(shifted, quiet), hn::Set(bits, 0x7f800000));
  const auto value = hn::IfThenElse(hn::Lt(rest, hn::Set(bits, 0x7c00)), finite, other);
  const auto sign = hn::ShiftLeft<16>(hn::And(all, hn::Set(bits, 0x8000)));
  return hn::BitCast(d, hn::Or(sign, value));
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
