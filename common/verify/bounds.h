// Error bounds of f32 arithmetic, derived as in N. Higham, Accuracy and Stability of Numerical Algorithms, chapter 3.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <tandem/ops.h>

#include "common/ops/accuracy.h"

namespace tandem::verify {

/// Unit roundoff of f32.
inline constexpr double kUnit = 0x1p-24;
/// The smallest denormal: what an underflowing operation may lose, twice.
inline constexpr double kDenormal = 0x1p-149;
/// The smallest normal number.
inline constexpr double kNormal = 0x1p-126;
inline constexpr double kLargest = std::numeric_limits<float>::max();
inline constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// n u / (1 - n u): the relative error of n roundings in a row. Where that formula has no meaning (n u >= 1) n u itself
/// is used, which holds for sums and inner products of any length (Jeannerod and Rump, 2013).
inline double gamma(double n) {
  const double nu = n * kUnit;
  return nu < 0.5 ? nu / (1 - nu) : nu;
}

/// The spacing of floats at `value`, never below that of the denormals, which is also that at a NaN. No allowance
/// beyond the largest float.
inline double spacing(double value) {
  const double magnitude = std::min(std::abs(value), kLargest);
  if (!(magnitude >= 0x1p-126)) return kDenormal;
  return std::ldexp(1.0, std::ilogb(magnitude) - 23);
}

/// What one correctly rounded operation may lose. The oracle's own rounding, in double, is inside the last factor.
inline double half_ulp(double value) { return 0.5 * spacing(value) * (1 + 0x1p-20); }

/// sup |f'| over the reals, rounded up: how much an error of the argument grows.
inline double steepness(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::relu:
    case UnaryFn::tanh:
      return 1.0;
    case UnaryFn::sigmoid:
      return 0.25;
    case UnaryFn::gelu_erf:
    case UnaryFn::gelu_tanh:
    case UnaryFn::gelu_sigmoid:
    case UnaryFn::silu:
      return 1.13;
    case UnaryFn::exp:
      return kInfinity;
  }
  return kInfinity;
}

/// The bound of accuracy(fn) at argument x with exact value y.
inline double function_bound(UnaryFn fn, double x, double y) {
  if (!std::isfinite(x)) return 0;  // the limits are exact
  const Accuracy a = accuracy(fn);
  return (a.ulp + a.slope * std::abs(x)) * spacing(y) + a.argument * kUnit * std::abs(x);
}

}  // namespace tandem::verify
