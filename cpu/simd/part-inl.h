// Loads and stores of the first few elements of a vector that touch no byte beyond them. Highway 1.0.3's MaskedLoad and
// BlendedStore do so only where the hardware masks (AVX2 and up); on SSE4 they read and write whole, aligned vectors.
#if defined(TANDEM_CPU_SIMD_PART_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_SIMD_PART_INL_H_
#undef TANDEM_CPU_SIMD_PART_INL_H_
#else
#define TANDEM_CPU_SIMD_PART_INL_H_
#endif

#include <cstddef>

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#undef TANDEM_SIMD_MASKED_MEMORY
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
#define TANDEM_SIMD_MASKED_MEMORY 1
#else
#define TANDEM_SIMD_MASKED_MEMORY 0
#endif

/// p[0 .. n), 0 in the other lanes; n <= Lanes(d).
template <class D>
HWY_INLINE hn::Vec<D> load_part(D d, const hn::TFromD<D>* p, size_t n) {
#if TANDEM_SIMD_MASKED_MEMORY
  return hn::MaskedLoad(hn::FirstN(d, n), d, p);
#else
  HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(D())] = {};
  for (size_t i = 0; i < n; ++i) lanes[i] = p[i];
  return hn::Load(d, lanes);
#endif
}

/// p[0 .. n) = the first lanes of v; n <= Lanes(d).
template <class D>
HWY_INLINE void store_part(hn::Vec<D> v, D d, hn::TFromD<D>* p, size_t n) {
#if TANDEM_SIMD_MASKED_MEMORY
  hn::BlendedStore(v, hn::FirstN(d, n), d, p);
#else
  HWY_ALIGN hn::TFromD<D> lanes[hn::MaxLanes(D())];
  hn::Store(v, d, lanes);
  for (size_t i = 0; i < n; ++i) p[i] = lanes[i];
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
