// The partial result of a reduction over a piece of its elements. Pieces are of a fixed size and are combined in their
// order in double, so that the result does not depend on which thread reduced which.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include "common/ops/reduce.h"

namespace tandem::cpu {

/// The larger of two, NaN when one is.
inline double larger(double x, double y) noexcept { return std::isnan(x) || x > y ? x : y; }

/// sum, max, sum of products or of squared differences; for the cosine the sums of a b, a a and b b.
struct Partial {
  double value[3] = {};
};

inline Partial empty_partial(ReduceFn fn) noexcept {
  return {{fn == ReduceFn::max ? -std::numeric_limits<double>::infinity() : 0.0, 0.0, 0.0}};
}
inline void combine(ReduceFn fn, Partial& into, const Partial& next) noexcept {
  if (fn == ReduceFn::max) {
    into.value[0] = larger(into.value[0], next.value[0]);
    return;
  }
  for (int i = 0; i < 3; ++i) into.value[i] += next.value[i];
}
inline float result(ReduceFn fn, const Partial& total) noexcept {
  const double* v = total.value;
  switch (fn) {
    case ReduceFn::euclidean_distance:
      return static_cast<float>(std::sqrt(v[0]));
    case ReduceFn::cosine_similarity:
      return static_cast<float>(v[0] / (std::sqrt(v[1]) * std::sqrt(v[2])));
    default:
      return static_cast<float>(v[0]);
  }
}

}  // namespace tandem::cpu
