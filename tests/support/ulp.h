// Distances between floats in units in the last place.
#pragma once

#include <cstdint>
#include <limits>

namespace tandem::test {

/// The distance of anything to something it can never be close to: NaN to a number.
inline constexpr std::int64_t kNoUlp = std::numeric_limits<std::int64_t>::max();

/// How many floats lie between a and b, plus one; 0 for equal values, +0 and -0, and two NaNs. The infinities are the
/// neighbours of the largest numbers. kNoUlp when exactly one is NaN.
std::int64_t ulp_distance(float a, float b);

/// |got - want| in units of the spacing of floats at `want` (never below the spacing of the denormals, 2^-149), so half
/// an ulp is a correctly rounded result. 0 when `want` rounds to an infinity or a NaN in f32 and `got` is the same;
/// infinity when only one of them is finite.
double ulp_error(float got, double want);

}  // namespace tandem::test
