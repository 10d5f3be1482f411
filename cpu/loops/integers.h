// Runs of elements between f32 and 8-bit integers: what they are given, and when a division can be left out.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

#include "common/ops/quantization.h"

namespace tandem::cpu {

/// Scales and zero points of a run of elements.
struct ScaleRun {
  const float* scales = nullptr;
  const std::int32_t* zero_points = nullptr;  // null: zero; they are within +-2^9
  bool scale_each = false;                    // one for every element; else the first one for all
  bool zero_each = false;
  std::int32_t low = -128;  // results are at least that; above they saturate at the type's largest value
};

/// A quotient that far from 0 saturates, whatever the zero point.
constexpr float kFar = 1024;

/// Where rint(RN(x / s)) may be computed without a division (RN: rounded to f32), for |x| <= kFar s, as
///     i = RN(1 / s)   d = RN((1 - s i) i)   y = RN(x i + RN(x d))   rint(y)
/// with fused multiply-adds for 1 - s i, which is exact, and for y.
///
/// Error analysis: with t = x / s and u = 2^-24, i + d differs from 1 / s by less than 2.1 u^2 / s, and RN(x d) adds at
/// most 1.1 u^2 |t|: x i + RN(x d) is within 3.2 u^2 |t| of t. So y and RN(t) are the same float, or neighbours with
/// a rounding boundary that close to t. rint() of neighbours differs only where one of them is h = n + 1/2; that leaves
/// the boundaries h +- half a spacing. Scaling x and s by powers of two changes nothing, so all that matters is the
/// 2^23 significands of s times the h times the few x around each boundary, up to the h that bytes can tell apart
/// (further out everything saturates). The tests QuantizeDivision.* run the kernel over those x against a division: for
/// a sample of the significands in every run, for each one of them when asked to. One significand fails, all ones, for
/// x a power of two: t is just above 1/2 and y is 1/2. It is left to the division.
///
/// For larger |x| y still differs from t by no more than that, which saturates alike, unless it is an infinity or NaN.
///
/// Within these scales nothing overflows for |x| <= kFar s, and nothing is denormal where it matters: |t| >= 1/4 makes
/// |x| >= 2^-66, and d is 0 or above 2^-48 |i|.
constexpr bool has_fast_quotient(float scale) {
  constexpr std::uint32_t kSignificand = 0x7fffff;
  return scale >= 0x1p-64f && scale <= 0x1p64f && (std::bit_cast<std::uint32_t>(scale) & kSignificand) != kSignificand;
}
/// The d above.
inline float inverse_correction(float scale) {
  const float inverse = 1.0f / scale;
  return std::fma(-scale, inverse, 1.0f) * inverse;
}

}  // namespace tandem::cpu
