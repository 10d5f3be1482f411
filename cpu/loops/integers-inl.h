// Between f32 and 8-bit integers, for runs of contiguous elements. Include after cpu/simd/simd.h, once a target.
//
// Everything works on blocks of four vectors of f32, which become one vector of bytes. What is left of a run is the end
// of a block that begins before it, whose first elements are computed again; a run shorter than a block goes through
// one on the stack, so that nothing beyond the run is touched.
#if defined(TANDEM_CPU_LOOPS_INTEGERS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_INTEGERS_INL_H_
#undef TANDEM_CPU_LOOPS_INTEGERS_INL_H_
#else
#define TANDEM_CPU_LOOPS_INTEGERS_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <type_traits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "cpu/loops/integers.h"
#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#undef TANDEM_INTEGERS_SCALAR
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128
#define TANDEM_INTEGERS_SCALAR 1
#else
#define TANDEM_INTEGERS_SCALAR 0
#endif

#if !TANDEM_INTEGERS_SCALAR

using F32 = hn::ScalableTag<float>;
using S32 = hn::ScalableTag<std::int32_t>;
using VecF = hn::Vec<F32>;
using VecI = hn::Vec<S32>;
using S16 = hn::ScalableTag<std::int16_t>;
constexpr size_t kVector = hn::MaxLanes(F32());
constexpr size_t kBlock = 4 * kVector;

#if HWY_ARCH_X86

// Two vectors of integers, saturated to 16 bits, in the order of packing, which works within 128 bits.
HWY_INLINE hn::Vec<S16> packed(VecI a, VecI b) {
#if HWY_TARGET <= HWY_AVX3
  return hn::Vec<S16>{_mm512_packs_epi32(a.raw, b.raw)};
#elif HWY_TARGET <= HWY_AVX2
  return hn::Vec<S16>{_mm256_packs_epi32(a.raw, b.raw)};
#else
  return hn::Vec<S16>{_mm_packs_epi32(a.raw, b.raw)};
#endif
}

// Four vectors of integers as packed() gives them, + zero points, saturated to bytes and to what is not below `low`.
template <class T, bool kStream, bool kAdd, bool kClamp>
HWY_INLINE void store_bytes(hn::Vec<S16> ab, hn::Vec<S16> cd, hn::Vec<S16> zero, hn::Vec<hn::ScalableTag<T>> low,
                            T* p) {
  const hn::ScalableTag<T> dt;
  if constexpr (kAdd) {
    ab = hn::SaturatedAdd(ab, zero);
    cd = hn::SaturatedAdd(cd, zero);
  }
  // A permutation brings the groups of four back into order.
#if HWY_TARGET <= HWY_AVX3
  const __m512i mixed = std::is_signed_v<T> ? _mm512_packs_epi16(ab.raw, cd.raw) : _mm512_packus_epi16(ab.raw, cd.raw);
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const auto bytes = hn::Vec<hn::ScalableTag<T>>{_mm512_permutexvar_epi32(order, mixed)};
#elif HWY_TARGET <= HWY_AVX2
  const __m256i mixed = std::is_signed_v<T> ? _mm256_packs_epi16(ab.raw, cd.raw) : _mm256_packus_epi16(ab.raw, cd.raw);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  const auto bytes = hn::Vec<hn::ScalableTag<T>>{_mm256_permutevar8x32_epi32(mixed, order)};
#else
  const auto bytes = hn::Vec<hn::ScalableTag<T>>{std::is_signed_v<T> ? _mm_packs_epi16(ab.raw, cd.raw)
                                                                     : _mm_packus_epi16(ab.raw, cd.raw)};
#endif
  const auto clamped = kClamp ? hn::Max(bytes, low) : bytes;
  if constexpr (kStream)
    hn::Stream(clamped, dt, p);
  else
    hn::StoreU(clamped, dt, p);
}

#endif

// The same of four vectors of integers. Beyond +-2^15 they saturate before the zero point is added.
template <class T, bool kStream, bool kAdd, bool kClamp>
HWY_INLINE void store_bytes(VecI a, VecI b, VecI c, VecI d, hn::Vec<S16> zero, hn::Vec<hn::ScalableTag<T>> low, T* p) {
#if HWY_ARCH_X86
  store_bytes<T, kStream, kAdd, kClamp>(packed(a, b), packed(c, d), zero, low, p);
#else
  const hn::Rebind<T, S32> quarter;
  const auto lowest = hn::Set(quarter, hn::GetLane(low));
  const VecI far = hn::Set(S32(), 4096), add = hn::Set(S32(), hn::GetLane(zero));
  const auto one = [&](VecI v, size_t at) HWY_ATTR {
    const VecI shifted = hn::Add(hn::Min(hn::Max(v, hn::Neg(far)), far), add);
    hn::StoreU(hn::Max(hn::DemoteTo(quarter, shifted), lowest), quarter, p + at);
  };
  one(a, 0);
  one(b, kVector);
  one(c, 2 * kVector);
  one(d, 3 * kVector);
#endif
}

// Nearest integers, ties to even. On x86 what 32 bits do not hold, on either side, and NaN become -2^31: without
// Highway's care for numbers beyond the integers.
HWY_INLINE VecI nearest(VecF v) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return VecI{_mm512_cvtps_epi32(v.raw)};
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return VecI{_mm256_cvtps_epi32(v.raw)};
#elif HWY_ARCH_X86
  return VecI{_mm_cvtps_epi32(v.raw)};
#else
  const VecF far = hn::Set(F32(), kFar);
  return hn::NearestInt(hn::Min(hn::Max(v, hn::Neg(far)), far));
#endif
}

// v, at most `most`; NaN stays NaN.
HWY_INLINE VecF at_most(VecF most, VecF v) {
#if HWY_ARCH_X86
  return hn::Min(most, v);  // minps gives its second operand when one is NaN
#else
  return hn::IfThenElse(hn::Lt(most, v), most, v);
#endif
}

HWY_INLINE bool any_nan(VecF a, VecF b, VecF c, VecF d) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  return _kortestz_mask16_u8(_mm512_cmp_ps_mask(a.raw, b.raw, _CMP_UNORD_Q),
                             _mm512_cmp_ps_mask(c.raw, d.raw, _CMP_UNORD_Q)) == 0;
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX2
  return _mm256_movemask_ps(
             _mm256_or_ps(_mm256_cmp_ps(a.raw, b.raw, _CMP_UNORD_Q), _mm256_cmp_ps(c.raw, d.raw, _CMP_UNORD_Q))) != 0;
#else
  return !hn::AllTrue(F32(), hn::And(hn::And(hn::Eq(a, a), hn::Eq(b, b)), hn::And(hn::Eq(c, c), hn::Eq(d, d))));
#endif
}

// What the types below make of each x: a quotient x / s for nearest(). Beyond +-kFar it saturates whatever the zero
// point, so that far ones only need their sign. Their quick(x, at), for the elements from `at` on, is right but for NaN
// and for what is too far out: on x86 nearest() makes -2^31 of both. Their call operator is right for every x.
struct Ratio {
  VecF value, unusual;  // where `unusual` is NaN the result must be the zero point
};

// 0 where `unusual` is NaN.
HWY_INLINE VecF without_nan(const Ratio& r) { return hn::IfThenElseZero(hn::Eq(r.unusual, r.unusual), r.value); }
HWY_INLINE Ratio limited(VecF ratio) { return {at_most(hn::Set(F32(), kFar), ratio), ratio}; }

// x / s, and float(acc) * m for requantisation.
struct Divided {
  HWY_INLINE VecF operator()(VecF x, VecF scale) const { return hn::Div(x, scale); }
};
struct Multiplied {
  HWY_INLINE VecF operator()(VecF x, VecF scale) const { return hn::Mul(x, scale); }
};
// By one scale for all, and by one for every element.
template <class How>
struct ByOne {
  VecF scale;
  explicit ByOne(const ScaleRun& run) : scale(hn::Set(F32(), run.scales[0])) {}
  HWY_INLINE VecF quick(VecF x, size_t) const { return How()(x, scale); }
  HWY_INLINE Ratio operator()(VecF x, size_t at) const { return limited(quick(x, at)); }
};
template <class How>
struct ByEach {
  const float* scales;
  explicit ByEach(const ScaleRun& run) : scales(run.scales) {}
  HWY_INLINE VecF quick(VecF x, size_t at) const { return How()(x, hn::LoadU(F32(), scales + at)); }
  HWY_INLINE Ratio operator()(VecF x, size_t at) const { return limited(quick(x, at)); }
};

// ByOne<Divided> after rint() without a division, for scales that has_fast_quotient() admits: see cpu/loops/integers.h.
// Far negative x may give infinities of either sign or NaN, all of which nearest() takes for far negative.
struct MultiplyByOne {
  VecF inverse, correction, limit;
  explicit MultiplyByOne(const ScaleRun& run)
      : inverse(hn::Set(F32(), 1.0f / run.scales[0])),
        correction(hn::Set(F32(), inverse_correction(run.scales[0]))),
        limit(hn::Set(F32(), kFar * run.scales[0])) {}
  HWY_INLINE VecF quick(VecF x, size_t) const { return hn::MulAdd(x, inverse, hn::Mul(x, correction)); }
  HWY_INLINE Ratio operator()(VecF x, size_t at) const {
    VecF near = at_most(limit, x);
#if !HWY_ARCH_X86
    near = hn::Max(near, hn::Neg(limit));
#endif
    return {quick(near, at), x};
  }
};

// Zero points: none, one that is added to all in 16 bits, or each for its own element. kClamp: results may be below
// ScaleRun::low, which is not the least of the type.
template <bool kMayBeBelow>
struct NoZero {
  static constexpr bool kEach = false, kCommon = false, kClamp = kMayBeBelow;
  explicit NoZero(const ScaleRun&) {}
  HWY_INLINE VecI operator()(VecI v, size_t) const { return v; }
};
struct OneZero {
  static constexpr bool kEach = false, kCommon = true, kClamp = true;
  explicit OneZero(const ScaleRun&) {}
  HWY_INLINE VecI operator()(VecI v, size_t) const { return v; }
};
struct EachZero {
  static constexpr bool kEach = true, kCommon = false, kClamp = true;
  const std::int32_t* zeros;
  VecI least = hn::Set(S32(), -static_cast<std::int32_t>(kFar));
  explicit EachZero(const ScaleRun& run) : zeros(run.zero_points) {}
  HWY_INLINE VecI operator()(VecI v, size_t at) const {
    return hn::Add(hn::Max(v, least), hn::LoadU(S32(), zeros + at));
  }
};

// The first n < kBlock words of a block, `fill` behind them. Stored by vectors, as they will be loaded: no stall.
template <class Word>
HWY_INLINE void take_words(const Word* from, size_t n, Word fill, Word* block) {
  const hn::ScalableTag<Word> d;
  for (size_t i = 0; i < kBlock; i += kVector) {
    const size_t count = std::min(kVector, n - std::min(n, i));
    hn::Store(hn::IfThenElse(hn::FirstN(d, count), load_part(d, from + std::min(n, i), count), hn::Set(d, fill)), d,
              block + i);
  }
}
HWY_INLINE void give_words(const float* block, size_t n, float* to) {
  const F32 d;
  for (size_t i = 0; i < n; i += kVector) store_part(hn::Load(d, block + i), d, to + i, std::min(kVector, n - i));
}

// The same of bytes, of which only AVX-512 loads and stores parts of a vector.
template <class T>
HWY_INLINE void take_bytes(const T* from, size_t n, T* block) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const hn::ScalableTag<T> d;
  hn::Store(load_part(d, from, n), d, block);
#else
  std::fill(std::copy_n(from, n, block), block + kBlock, T{0});
#endif
}
template <class T>
HWY_INLINE void give_bytes(const T* block, size_t n, T* to) {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  const hn::ScalableTag<T> d;
  store_part(hn::Load(d, block), d, to, n);
#else
  std::copy_n(block, n, to);
#endif
}

// Scales and zero points of a run shorter than a block, filled up.
struct ShortRun {
  HWY_ALIGN float scales[kBlock];
  HWY_ALIGN std::int32_t zeros[kBlock];
  ScaleRun run;
  ShortRun(const ScaleRun& whole, size_t n) : run(whole) {
    if (whole.scale_each) {
      take_words(whole.scales, n, 1.0f, scales);
      run.scales = scales;
    }
    if (whole.zero_each) {
      take_words(whole.zero_points, n, std::int32_t{0}, zeros);
      run.zero_points = zeros;
    }
  }
};

// A run of n >= kBlock elements: blocks(at, end, past) for its whole blocks, and for one that begins or ends it, which
// the others may overlap. Past the caches from element `ahead` < kBlock on, where `stream` says so.
template <class Blocks>
HWY_INLINE void in_blocks(size_t n, bool stream, size_t ahead, Blocks blocks) {
  stream = stream && n >= 2 * kBlock;
  const size_t begin = stream ? ahead : 0, end = begin + (n - begin) / kBlock * kBlock;
  const size_t from[] = {0, begin, n - kBlock}, to[] = {begin > 0 ? kBlock : 0, end, end < n ? n : 0};
  for (int i = 0; i < 3; ++i)
    if (from[i] < to[i]) blocks(from[i], to[i], stream && i == 1);
}

// Blocks of [at, end), a multiple of kBlock elements.
template <class T, bool kStream, class Quotient, class Zero, class In>
HWY_INLINE void quantize_blocks(const In* x, const ScaleRun& run, T* q, size_t at, size_t end) {
  const F32 d;
  const Quotient quotient(run);
  const Zero zero(run);
  const auto common =
      hn::Set(S16(), static_cast<std::int16_t>(Zero::kCommon && run.zero_points ? run.zero_points[0] : 0));
  const auto low = hn::Set(hn::ScalableTag<T>(), static_cast<T>(run.low));
  const auto input = [&](size_t i) HWY_ATTR {
    if constexpr (std::is_same_v<In, float>)
      return hn::LoadU(d, x + i);
    else
      return hn::ConvertTo(d, hn::LoadU(S32(), x + i));
  };
  for (size_t i = at; i < end; i += kBlock) {
    const size_t i1 = i + kVector, i2 = i + 2 * kVector, i3 = i + 3 * kVector;
    const VecF x0 = input(i), x1 = input(i1), x2 = input(i2), x3 = input(i3);
#if HWY_ARCH_X86
    if constexpr (!Zero::kEach) {
      const auto ab = packed(nearest(quotient.quick(x0, i)), nearest(quotient.quick(x1, i1)));
      const auto cd = packed(nearest(quotient.quick(x2, i2)), nearest(quotient.quick(x3, i3)));
      // The least of 16 bits: NaN, or too far out on either side, or rightly that.
      const auto least = hn::Set(S16(), std::numeric_limits<std::int16_t>::min());
      if (HWY_LIKELY(hn::AllFalse(S16(), hn::Eq(hn::Min(ab, cd), least)))) {
        store_bytes<T, kStream, Zero::kCommon, Zero::kClamp>(ab, cd, common, low, q + i);
        continue;
      }
    }
#endif
    Ratio r0 = quotient(x0, i), r1 = quotient(x1, i1), r2 = quotient(x2, i2), r3 = quotient(x3, i3);
    if (HWY_UNLIKELY(any_nan(r0.unusual, r1.unusual, r2.unusual, r3.unusual))) {
      r0.value = without_nan(r0);
      r1.value = without_nan(r1);
      r2.value = without_nan(r2);
      r3.value = without_nan(r3);
    }
    store_bytes<T, kStream, Zero::kCommon, Zero::kClamp>(zero(nearest(r0.value), i), zero(nearest(r1.value), i1),
                                                         zero(nearest(r2.value), i2), zero(nearest(r3.value), i3),
                                                         common, low, q + i);
  }
}

template <class T, class Quotient, class Zero, class In>
HWY_INLINE void quantize_with(const In* x, const ScaleRun& run, T* q, size_t n, bool stream) {
  if (n >= kBlock)
    return in_blocks(n, stream, -reinterpret_cast<std::uintptr_t>(q) % kBlock,
                     [&](size_t at, size_t end, bool past) HWY_ATTR {
                       if (past)
                         quantize_blocks<T, true, Quotient, Zero>(x, run, q, at, end);
                       else
                         quantize_blocks<T, false, Quotient, Zero>(x, run, q, at, end);
                     });
  if (n == 0) return;
  HWY_ALIGN In in[kBlock];
  HWY_ALIGN T out[kBlock];
  take_words(x, n, In{0}, in);
  const ShortRun rest(run, n);
  quantize_blocks<T, false, Quotient, Zero>(in, rest.run, out, 0, kBlock);
  give_bytes(out, n, q);
}

template <class T>
HWY_INLINE void quantize_typed(const float* x, const ScaleRun& run, T* q, size_t n, bool stream) {
  if (run.scale_each) {
    if (run.zero_each) return quantize_with<T, ByEach<Divided>, EachZero>(x, run, q, n, stream);
    return quantize_with<T, ByEach<Divided>, OneZero>(x, run, q, n, stream);
  }
  if (run.zero_each) return quantize_with<T, ByOne<Divided>, EachZero>(x, run, q, n, stream);
#if HWY_NATIVE_FMA
  if (has_fast_quotient(run.scales[0])) {
    if (run.zero_points == nullptr || run.zero_points[0] == 0) {
      if (run.low == std::numeric_limits<T>::min())
        return quantize_with<T, MultiplyByOne, NoZero<false>>(x, run, q, n, stream);
      return quantize_with<T, MultiplyByOne, NoZero<true>>(x, run, q, n, stream);
    }
    return quantize_with<T, MultiplyByOne, OneZero>(x, run, q, n, stream);
  }
#endif
  quantize_with<T, ByOne<Divided>, OneZero>(x, run, q, n, stream);
}

template <class T>
HWY_INLINE void requantize_typed(const std::int32_t* acc, const ScaleRun& run, T* q, size_t n, bool stream) {
  if (run.scale_each) return quantize_with<T, ByEach<Multiplied>, OneZero>(acc, run, q, n, stream);
  quantize_with<T, ByOne<Multiplied>, OneZero>(acc, run, q, n, stream);
}

// (q - z) s of kVector elements.
template <class T, bool kScaleEach, bool kZeroEach>
HWY_INLINE VecF dequantized(const T* q, const ScaleRun& run, VecF scale, VecI zero, size_t i) {
  const F32 d;
  const S32 di;
  const VecI integer = hn::PromoteTo(di, hn::LoadU(hn::Rebind<T, S32>(), q + i));
  if constexpr (kScaleEach) scale = hn::LoadU(d, run.scales + i);
  if constexpr (kZeroEach) zero = hn::LoadU(di, run.zero_points + i);
  return hn::Mul(hn::ConvertTo(d, hn::Sub(integer, zero)), scale);
}

template <class T, bool kStream, bool kScaleEach, bool kZeroEach>
HWY_INLINE void dequantize_blocks(const T* q, const ScaleRun& run, float* x, size_t at, size_t end) {
  const F32 d;
  const VecF scale = hn::Set(d, run.scales[0]);
  const VecI zero = hn::Set(S32(), run.zero_points ? run.zero_points[0] : 0);
  const auto one = [&](size_t i) HWY_ATTR {
    const VecF v = dequantized<T, kScaleEach, kZeroEach>(q, run, scale, zero, i);
    if constexpr (kStream)
      hn::Stream(v, d, x + i);
    else
      hn::StoreU(v, d, x + i);
  };
  for (size_t i = at; i < end; i += kBlock) {
    one(i);
    one(i + kVector);
    one(i + 2 * kVector);
    one(i + 3 * kVector);
  }
}

template <class T, bool kScaleEach, bool kZeroEach>
HWY_INLINE void dequantize_with(const T* q, const ScaleRun& run, float* x, size_t n, bool stream) {
  constexpr size_t kBytes = kVector * sizeof(float);
  if (n >= kBlock)
    return in_blocks(n, stream, -reinterpret_cast<std::uintptr_t>(x) % kBytes / sizeof(float),
                     [&](size_t at, size_t end, bool past) HWY_ATTR {
                       if (past)
                         dequantize_blocks<T, true, kScaleEach, kZeroEach>(q, run, x, at, end);
                       else
                         dequantize_blocks<T, false, kScaleEach, kZeroEach>(q, run, x, at, end);
                     });
  if (n == 0) return;
  HWY_ALIGN T in[kBlock];
  HWY_ALIGN float out[kBlock];
  take_bytes(q, n, in);
  const ShortRun rest(run, n);
  dequantize_blocks<T, false, kScaleEach, kZeroEach>(in, rest.run, out, 0, kBlock);
  give_words(out, n, x);
}

template <class T>
HWY_INLINE void dequantize_typed(const T* q, const ScaleRun& run, float* x, size_t n, bool stream) {
  if (run.scale_each) {
    if (run.zero_each) return dequantize_with<T, true, true>(q, run, x, n, stream);
    return dequantize_with<T, true, false>(q, run, x, n, stream);
  }
  if (run.zero_each) return dequantize_with<T, false, true>(q, run, x, n, stream);
  dequantize_with<T, false, false>(q, run, x, n, stream);
}

// max(q, z) for n bytes with one zero point; y may be q.
template <class T, bool kStream>
HWY_INLINE void relu_vectors(const T* q, hn::Vec<hn::ScalableTag<T>> zero, T* y, size_t at, size_t end) {
  const hn::ScalableTag<T> d;
  for (size_t i = at; i < end; i += hn::Lanes(d)) {
    const auto v = hn::Max(hn::LoadU(d, q + i), zero);
    if constexpr (kStream)
      hn::Stream(v, d, y + i);
    else
      hn::StoreU(v, d, y + i);
  }
}
template <class T>
HWY_INLINE void relu_typed(const T* q, const ScaleRun& run, T* y, size_t n, bool stream) {
  const T zero = static_cast<T>(run.zero_points ? run.zero_points[0] : 0);
  const hn::ScalableTag<T> d;
  const auto rest = [&](size_t at, size_t count) {
    for (size_t i = at; i < at + count; ++i) y[i] = std::max(q[i], zero);
  };
  const size_t lanes = hn::Lanes(d);
  const size_t head = stream ? std::min<size_t>(n, -reinterpret_cast<std::uintptr_t>(y) % lanes) : 0;
  rest(0, head);
  const size_t end = head + (n - head) / lanes * lanes;
  if (stream)
    relu_vectors<T, true>(q, hn::Set(d, zero), y, head, end);
  else
    relu_vectors<T, false>(q, hn::Set(d, zero), y, head, end);
  rest(end, n - end);
}

#else  // TANDEM_INTEGERS_SCALAR: element by element

template <class T>
T to_byte(float rounded, const ScaleRun& run, size_t i) {
  const std::int32_t zero = run.zero_points ? run.zero_points[run.zero_each ? i : 0] : 0;
  const float shifted = (std::isnan(rounded) ? 0.0f : rounded) + static_cast<float>(zero);
  return static_cast<T>(
      std::min(std::max(shifted, static_cast<float>(run.low)), std::is_signed_v<T> ? 127.0f : 255.0f));
}
template <class T>
void quantize_typed(const float* x, const ScaleRun& run, T* q, size_t n, bool) {
  for (size_t i = 0; i < n; ++i) q[i] = to_byte<T>(std::nearbyint(x[i] / run.scales[run.scale_each ? i : 0]), run, i);
}
template <class T>
void requantize_typed(const std::int32_t* acc, const ScaleRun& run, T* q, size_t n, bool) {
  for (size_t i = 0; i < n; ++i)
    q[i] = to_byte<T>(std::nearbyint(static_cast<float>(acc[i]) * run.scales[run.scale_each ? i : 0]), run, i);
}
template <class T>
void dequantize_typed(const T* q, const ScaleRun& run, float* x, size_t n, bool) {
  for (size_t i = 0; i < n; ++i) {
    const std::int32_t zero = run.zero_points ? run.zero_points[run.zero_each ? i : 0] : 0;
    x[i] = static_cast<float>(q[i] - zero) * run.scales[run.scale_each ? i : 0];
  }
}
template <class T>
void relu_typed(const T* q, const ScaleRun& run, T* y, size_t n, bool) {
  for (size_t i = 0; i < n; ++i) y[i] = std::max(q[i], static_cast<T>(run.zero_points ? run.zero_points[0] : 0));
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
