// f32 functions of Highway vectors: vrelu, vexp, vsigmoid, vtanh, vgelu_erf, vgelu_tanh, vgelu_sigmoid, vsilu, vlog.
// Each takes a tag with a vector or with a Batch of them (batch-inl.h; several vectors in step are up to 1.3 times
// faster). Include it in a file that follows simd.h; it is compiled once a target.
//
// NaN gives NaN; denormal arguments and results are kept. The largest errors are the constants of math_error.h, and
// tests/unit/simd_math_test.cpp walks the whole f32 range to hold them. Limits:
//   vrelu(-0) = +0
//   vexp        +inf -> +inf, -inf -> 0
//   vsigmoid    +inf -> 1, -inf -> 0
//   vtanh       +-inf -> +-1, +-0 -> +-0
//   vgelu_*, vsilu    +inf -> +inf, -inf -> -0 or +0, +-0 -> +-0 or +0
//   vlog        +-0 -> -inf, +inf -> +inf, negative -> NaN
//
// On AVX-512 two-register permutes fetch table entries and segment coefficients, and vscalefps scales; elsewhere plain
// polynomials and rational functions. Both share everything that is not behind TANDEM_SIMD_AVX512.
#if defined(TANDEM_CPU_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_SIMD_MATH_INL_H_
#undef TANDEM_CPU_SIMD_MATH_INL_H_
#else
#define TANDEM_CPU_SIMD_MATH_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "cpu/simd/batch-inl.h"
#include "cpu/simd/math_tables.h"

#undef TANDEM_SIMD_AVX512
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define TANDEM_SIMD_AVX512 1
#else
#define TANDEM_SIMD_AVX512 0
#endif

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// ---- Building blocks ------------------------------------------------------------------------------------------------

// The smaller of x and a constant; NaN stays NaN.
template <class D, int N>
HWY_INLINE Batch<D, N> at_most(D d, float limit, Batch<D, N> x) {
  const auto c = hn::Set(d, limit);
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return each([c](auto v) TANDEM_LAMBDA { return hn::Min(c, v); }, x);  // minps returns its second operand at NaN
#else
  return each([c](auto v) TANDEM_LAMBDA { return hn::IfThenElse(hn::Gt(v, c), c, v); }, x);
#endif
}
template <class D, int N>
HWY_INLINE Batch<D, N> at_least(D d, float limit, Batch<D, N> x) {
  const auto c = hn::Set(d, limit);
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return each([c](auto v) TANDEM_LAMBDA { return hn::Max(c, v); }, x);
#else
  return each([c](auto v) TANDEM_LAMBDA { return hn::IfThenElse(hn::Lt(v, c), c, v); }, x);
#endif
}

// max(x, 0) with NaN kept and +0 for -0.
template <class D>
HWY_INLINE hn::Vec<D> positive_part(D d, hn::Vec<D> x) {
  return hn::IfThenElseZero(hn::Not(hn::Le(x, hn::Zero(d))), x);
}

// x < 0 ? a : b
template <class D, int N, class B>
HWY_INLINE Batch<D, N> if_negative(D d, Batch<D, N> x, Batch<D, N> a, B b) {
  const auto zero = hn::Zero(d);
  return each([zero](auto v, auto p, auto q) TANDEM_LAMBDA { return hn::IfThenElse(hn::Lt(v, zero), p, q); }, x, a, b);
}

// c[0] + c[1] x + ... by Horner's rule, given the value y of the terms from c[k] on.
template <size_t k, class D, int N, size_t kTerms>
HWY_INLINE Batch<D, N> horner(D d, const Batch<D, N>& x, const float (&c)[kTerms], const Batch<D, N>& y) {
  if constexpr (k == 0) {
    return y;
  } else {
    return horner<k - 1>(d, x, c, mul_add(y, x, hn::Set(d, c[k - 1])));
  }
}
template <class D, int N, size_t kTerms>
HWY_INLINE Batch<D, N> polynomial(D d, const Batch<D, N>& x, const float (&c)[kTerms]) {
  static_assert(kTerms >= 2);
  return horner<kTerms - 2>(d, x, c, mul_add(x, hn::Set(d, c[kTerms - 1]), hn::Set(d, c[kTerms - 2])));
}

constexpr float kLog2e = 0x1.715476p+0f;

#if TANDEM_SIMD_AVX512

// Entry (bits of `index` mod 32) of a table; Highway 1.0.3 has no TwoTablesLookupLanes.
template <int N, class D>
HWY_INLINE Batch<D, N> pick(const float (&table)[32], Batch<D, N> index) {
  const __m512 low = _mm512_load_ps(table), high = _mm512_load_ps(table + 16);
  return each([low, high](hn::Vec<D> i)
                  TANDEM_LAMBDA { return hn::Vec<D>{_mm512_permutex2var_ps(low, _mm512_castps_si512(i.raw), high)}; },
              index);
}

// The polynomial in u whose coefficients are those of segment `index`, given the value y of the terms from c[k] on.
template <size_t k, class D, int N, size_t kTerms>
HWY_INLINE Batch<D, N> segment_horner(const float (&c)[kTerms][32], const Batch<D, N>& index, const Batch<D, N>& u,
                                      const Batch<D, N>& y) {
  if constexpr (k == 0) {
    return y;
  } else {
    return segment_horner<k - 1>(c, index, u, mul_add(y, u, pick(c[k - 1], index)));
  }
}
template <class D, int N, size_t kTerms>
HWY_INLINE Batch<D, N> segment_polynomial(const float (&c)[kTerms][32], const Batch<D, N>& index,
                                          const Batch<D, N>& u) {
  return segment_horner<kTerms - 1>(c, index, u, pick(c[kTerms - 1], index));
}

// 1.5 * 2^18: adding it rounds to a multiple of 1/32, whose low bits are then the low bits of the sum's pattern.
constexpr float kRound32 = 393216.0f;

// Results that are 0 are not computed: Intel's processors take 150 cycles for a vector in which one underflows, and
// softmax has -inf wherever something is masked. Lanes that are so far out hold anything until they are left out.
template <class D>
HWY_INLINE __mmask16 not_below(D, float limit, hn::Vec<D> x) {  // NaN is not below
  return _mm512_cmp_ps_mask(x.raw, _mm512_set1_ps(limit), _CMP_NLT_UQ);
}

// 2^64 e^y for y <= 0, and 0 for y < -110.
template <class D, int N>
HWY_INLINE Batch<D, N> scaled_exp(D d, Batch<D, N> y) {
  const auto round = hn::Set(d, kRound32);
  const auto t = mul_add(y, hn::Set(d, kLog2e), round);
  const auto n = sub(t, round);
  const auto r = neg_mul_add(n, hn::Set(d, 0x1.62e43p-1f), y);
  const hn::RebindToSigned<D> di;
  const auto s = each(
      [d, di](auto entry, auto bits) TANDEM_LAMBDA {
        return hn::BitCast(d, hn::Add(hn::BitCast(di, entry), hn::ShiftLeft<18>(hn::BitCast(di, bits))));
      },
      pick(kExp2Biased[0], t), t);
  return each(
      [d](auto p, auto scale, auto v) TANDEM_LAMBDA {
        return hn::Vec<D>{_mm512_maskz_fmadd_ps(not_below(d, -110.0f, v), p.raw, scale.raw, scale.raw)};
      },
      mul(polynomial(d, r, kExpShort), r), s, y);
}

// e^x for x <= 90.
template <class D, int N>
HWY_INLINE Batch<D, N> exp_below_90(D d, Batch<D, N> x) {
  const auto round = hn::Set(d, kRound32), log2e = hn::Set(d, kLog2e);
  const auto t = mul_add(x, log2e, round);
  const auto n = sub(t, round);
  const auto f = mul_add(x, hn::Set(d, 0x1.4ae0cp-26f), mul_sub(x, log2e, n));
  const auto s = pick(kExp2Table[0], t);
  // p 2^floor(n), rounded once: right for overflow and denormal results. Below -104 it is less than half of the least.
  return each([d](auto p, auto k, auto v)
                  TANDEM_LAMBDA { return hn::Vec<D>{_mm512_maskz_scalef_ps(not_below(d, -104.0f, v), p.raw, k.raw)}; },
              mul_add(mul(polynomial(d, f, kExp2Short), f), s, s), n, x);
}

template <class D, int N>
HWY_INLINE Batch<D, N> vtanh(D d, Batch<D, N> x) {
  const hn::RebindToSigned<D> di;
  const auto offset = hn::Set(d, 0.625f);
  const auto y = at_most(d, 9.25f, abs(x));
  const auto z = add(y, offset);
  const auto low_end = sub(bit_and(z, hn::BitCast(d, hn::Set(di, -(1 << 20)))), offset);
  const auto index =
      each([d, di](auto v) TANDEM_LAMBDA { return hn::BitCast(d, hn::ShiftRight<20>(hn::BitCast(di, v))); }, z);
  return copy_sign_to_abs(segment_polynomial(kTanhSegments, index, sub(y, low_end)), x);
}

// relu(x) - |x| Phi(-|x|), with Phi from 31 segments of width 1/4; 0 for x < -7.625.
template <class D, int N>
HWY_INLINE Batch<D, N> vgelu_erf(D d, Batch<D, N> x) {
  const auto round = hn::Set(d, 3145728.0f);  // 1.5 * 2^21: to a multiple of 1/4
  const auto y = at_most(d, 7.75f, abs(x));
  const auto z = add(y, round);
  const auto u = sub(y, sub(z, round));
  return neg_mul_add(y, segment_polynomial(kPhiSegments, z, u), at_least(d, 0.0f, x));
}

#else  // TANDEM_SIMD_AVX512

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, the low bits of the sum's pattern
constexpr std::int32_t kRoundBits = 0x4b400000;

// kRound + n with n = y / ln 2 rounded to an integer.
template <class D, int N>
HWY_INLINE Batch<D, N> rounded_log2(D d, const Batch<D, N>& y) {
  return mul_add(y, hn::Set(d, kLog2e), hn::Set(d, kRound));
}
// e^(y + y_low - n ln 2) for rounded = kRound + n; y_low is a small correction.
template <class D, int N, class L>
HWY_INLINE Batch<D, N> exp_fraction(D d, const Batch<D, N>& y, const L& y_low, const Batch<D, N>& rounded) {
  const auto n = sub(rounded, hn::Set(d, kRound));
  // ln 2 in two parts, n times the first being exact, so that targets without FMA lose nothing.
  const auto high = neg_mul_add(n, hn::Set(d, 0.693359375f), y);
  const auto r = add(neg_mul_add(n, hn::Set(d, -2.12194440e-4f), high), y_low);
  return mul_add(polynomial(d, r, kExpPoly), r, hn::Set(d, 1.0f));
}
// 2^(n + shift) for normal results, and 0 for 2^-127. The exponents of what is far below 0 end there, so that its
// result is an exact 0: where one underflows, Intel's processors take 150 cycles.
template <class D>
HWY_INLINE hn::Vec<D> power_of_two(D d, hn::Vec<hn::RebindToSigned<D> > n, std::int32_t shift) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::ShiftLeft<23>(hn::Add(n, hn::Set(di, 127 + shift))));
}

constexpr float kScaledExpIsZero = -132.5f;  // n is -191 there: the exponent bits of 2^(64 + n) are 0

// 2^64 e^(y + y_low) for y <= 0, and 0 for y <= kScaledExpIsZero.
template <class D, int N, class L>
HWY_INLINE Batch<D, N> scaled_exp(D d, Batch<D, N> y, L y_low) {
  const hn::RebindToSigned<D> di;
  y = at_least(d, kScaledExpIsZero, y);
  const auto rounded = rounded_log2(d, y);
  return each([d, di](auto p, auto t)
                  TANDEM_LAMBDA { return hn::Mul(p, power_of_two(d, hn::BitCast(di, t), 64 - kRoundBits)); },
              exp_fraction(d, y, y_low, rounded), rounded);
}
template <class D, int N>
HWY_INLINE Batch<D, N> scaled_exp(D d, Batch<D, N> y) {
  return scaled_exp(d, y, hn::Zero(d));
}

// e^x for x <= 90.
template <class D, int N>
HWY_INLINE Batch<D, N> exp_below_90(D d, Batch<D, N> x) {
  const hn::RebindToSigned<D> di;
  const auto y = at_least(d, -176.0f, x);  // n = -254: both factors are 0
  const auto rounded = rounded_log2(d, y);
  // 2^n as 2^half 2^(n - half): the first product is normal, so a denormal result is rounded once.
  return each(
      [d, di](auto p, auto t) TANDEM_LAMBDA {
        const auto n = hn::Sub(hn::BitCast(di, t), hn::Set(di, kRoundBits));
        const auto half = hn::ShiftRight<1>(n);
        return hn::Mul(hn::Mul(p, power_of_two(d, half, 0)), power_of_two(d, hn::Sub(n, half), 0));
      },
      exp_fraction(d, y, hn::Zero(d), rounded), rounded);
}

template <class D, int N>
HWY_INLINE Batch<D, N> vtanh(D d, Batch<D, N> x) {
  const auto y = at_most(d, 9.02f, abs(x));
  const auto y2 = mul(y, y);
  const auto t = div(mul(polynomial(d, y2, kTanhTop), y), polynomial(d, y2, kTanhBottom));
  return copy_sign_to_abs(at_most(d, 1.0f, t), x);
}

// relu(x) - |x| Phi(-|x|), with Phi(-y) = e^(-y^2/2) times a rational function of y.
template <class D, int N>
HWY_INLINE Batch<D, N> vgelu_erf(D d, Batch<D, N> x) {
  const hn::RebindToSigned<D> di;
  const auto y = at_most(d, 16.28f, abs(x));  // e^(-y^2/2) is 0 there
  // The rounding error of y^2 would be multiplied by y^2/2: square the upper half of y, which is exact.
  const auto high = bit_and(y, hn::BitCast(d, hn::Set(di, -(1 << 12))));
  const auto minus_half = hn::Set(d, -0.5f);
  const auto e = scaled_exp(d, mul(mul(high, high), minus_half), mul(mul(sub(y, high), add(y, high)), minus_half));
  const auto mills = div(polynomial(d, y, kMillsTop), polynomial(d, y, kMillsBottom));
  const auto w = mul(mul(mul(mills, e), y), hn::Set(d, 0x1p-64f));
  return sub(at_least(d, 0.0f, x), w);
}

#endif  // TANDEM_SIMD_AVX512

// ---- Functions that all targets share -------------------------------------------------------------------------------

template <class D, int N>
HWY_INLINE Batch<D, N> vrelu(D d, Batch<D, N> x) {
  return each([d](auto v) TANDEM_LAMBDA { return positive_part(d, v); }, x);
}

template <class D, int N>
HWY_INLINE Batch<D, N> vexp(D d, Batch<D, N> x) {
  return exp_below_90(d, at_most(d, 90.0f, x));
}

// -|x|
template <class D, int N>
HWY_INLINE Batch<D, N> minus_abs(D d, Batch<D, N> x) {
  return bit_or(x, hn::Set(d, -0.0f));
}

// 1 / (1 + e) or e / (1 + e) with e = e^-|x|, both sides scaled by 2^64: no overflow, and denormal results rounded
// once.
template <class D, int N>
HWY_INLINE Batch<D, N> vsigmoid(D d, Batch<D, N> x) {
  const auto one = hn::Set(d, 0x1p64f);
  const auto e = scaled_exp(d, minus_abs(d, x));
  return div(if_negative(d, x, e, one), add(e, one));
}

// x sigmoid(u) for u with the sign of x: x / (1 + e) or x e / (1 + e) with e = e^-|u|.
template <class D, int N>
HWY_INLINE Batch<D, N> times_sigmoid(D d, Batch<D, N> x, Batch<D, N> u) {
  const auto e = scaled_exp(d, minus_abs(d, u));
  const auto q = div(if_negative(d, x, mul(x, e), x), mul_add(e, hn::Set(d, 0x1p-64f), hn::Set(d, 1.0f)));
  return if_negative(d, x, mul(q, hn::Set(d, 0x1p-64f)), q);
}

// Every function here is 0 there, and scaled_exp() gives 0; a limit keeps -inf * 0 away.
constexpr float kFarBelow = -140.0f;
template <class D, int N>
HWY_INLINE Batch<D, N> vsilu(D d, Batch<D, N> x) {
  x = at_least(d, kFarBelow, x);
  return times_sigmoid(d, x, x);
}
template <class D, int N>
HWY_INLINE Batch<D, N> vgelu_sigmoid(D d, Batch<D, N> x) {
  x = at_least(d, kFarBelow, x);
  return times_sigmoid(d, x, mul(x, hn::Set(d, 1.702f)));
}
// x/2 (1 + tanh(v)) = x sigmoid(2 v), v = sqrt(2/pi) (x + 0.044715 x^3)
template <class D, int N>
HWY_INLINE Batch<D, N> vgelu_tanh(D d, Batch<D, N> x) {
  constexpr float kLinear = 1.5957691216057308f, kCubic = 0.07135481282605302f;
  x = at_least(d, kFarBelow, x);
  return times_sigmoid(d, x, mul(x, mul_add(mul(x, x), hn::Set(d, kCubic), hn::Set(d, kLinear))));
}

// m 2^k with sqrt(1/2) <= m < sqrt(2): log(m) + k ln 2.
template <class D, int N>
HWY_INLINE Batch<D, N> vlog(D d, Batch<D, N> x) {
  const hn::RebindToSigned<D> di;
  const auto one = hn::Set(d, 1.0f);
  const auto inf = hn::Set(d, std::numeric_limits<float>::infinity());
  const auto sqrt_half = hn::Set(di, 0x3f3504f3), fraction = hn::Set(di, 0x7fffff);
  const auto smallest = hn::Set(d, std::numeric_limits<float>::min()), zero = hn::Zero(d);
  const auto scaled = each(
      [=](auto v) TANDEM_LAMBDA { return hn::IfThenElse(hn::Lt(v, smallest), hn::Mul(v, hn::Set(d, 0x1p23f)), v); }, x);
  const auto m = each(
      [=](auto v) TANDEM_LAMBDA {
        return hn::BitCast(d, hn::Add(hn::And(hn::Sub(hn::BitCast(di, v), sqrt_half), fraction), sqrt_half));
      },
      scaled);
  const auto k = each(
      [=](auto v, auto given) TANDEM_LAMBDA {
        const auto exponent = hn::ConvertTo(d, hn::ShiftRight<23>(hn::Sub(hn::BitCast(di, v), sqrt_half)));
        return hn::Sub(exponent, hn::IfThenElseZero(hn::Lt(given, smallest), hn::Set(d, 23.0f)));
      },
      scaled, x);
  const auto u = sub(m, one);
  const auto series = mul(polynomial(d, u, kLogPoly), mul(u, u));
  const auto low = mul_add(k, hn::Set(d, -2.12194440e-4f), series);
  const auto log = mul_add(k, hn::Set(d, 0.693359375f), add(u, low));
  return each(
      [=](auto v, auto y) TANDEM_LAMBDA {
        y = hn::IfThenElse(hn::Lt(v, inf), y, v);  // +inf and NaN are their own logarithms
        y = hn::IfThenElse(hn::Eq(v, zero), hn::Neg(inf), y);
        return hn::IfThenElse(hn::Lt(v, zero), hn::Set(d, std::numeric_limits<float>::quiet_NaN()), y);
      },
      x, log);
}

// ---- The same of one vector -----------------------------------------------------------------------------------------

#define TANDEM_ONE_VECTOR(name)                   \
  template <class D>                              \
  HWY_INLINE hn::Vec<D> name(D d, hn::Vec<D> x) { \
    return name(d, Batch<D, 1>{{x}}).v[0];        \
  }
TANDEM_ONE_VECTOR(vrelu)
TANDEM_ONE_VECTOR(vexp)
TANDEM_ONE_VECTOR(vsigmoid)
TANDEM_ONE_VECTOR(vtanh)
TANDEM_ONE_VECTOR(vgelu_erf)
TANDEM_ONE_VECTOR(vgelu_tanh)
TANDEM_ONE_VECTOR(vgelu_sigmoid)
TANDEM_ONE_VECTOR(vsilu)
TANDEM_ONE_VECTOR(vlog)
#undef TANDEM_ONE_VECTOR

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
