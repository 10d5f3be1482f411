#include "tests/support/ulp.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace tandem::test {
namespace {

// A number that grows by 1 from each float to the next; both zeros are 0.
std::int64_t order(float x) {
  const std::int32_t bits = std::bit_cast<std::int32_t>(x);
  const std::int64_t magnitude = bits & 0x7fffffff;
  return bits < 0 ? -magnitude : magnitude;
}

}  // namespace

std::int64_t ulp_distance(float a, float b) {
  if (std::isnan(a) || std::isnan(b)) return std::isnan(a) && std::isnan(b) ? 0 : kNoUlp;
  return std::abs(order(a) - order(b));
}

double ulp_error(float got, double want) {
  const float rounded = static_cast<float>(want);
  if (!std::isfinite(rounded) || !std::isfinite(got)) {
    return ulp_distance(got, rounded) == 0 ? 0.0 : std::numeric_limits<double>::infinity();
  }
  constexpr int kLeast = -149;  // 2^-149 is the smallest denormal
  const int exponent = want == 0 ? kLeast : std::max(std::ilogb(want) - 23, kLeast);
  return std::ldexp(std::abs(static_cast<double>(got) - want), -exponent);
}

}  // namespace tandem::test
