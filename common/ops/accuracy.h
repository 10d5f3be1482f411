// How far the result of an elementwise function may be from the exact value, for every kernel of the table. The oracle
// of the tests and of the comparison holds each kernel to these figures; docs/numerics.md repeats them.
#pragma once

#include <tandem/ops.h>

namespace tandem {

/// |result - exact| <= (ulp + slope * |x|) * (spacing of f32 at the exact value) + argument * 2^-24 * |x|.
/// slope: the argument of an exponential is rounded, and that error grows with it. argument: a kernel that evaluates
/// x/2 (1 + erf(...)) or x/2 (1 + tanh(...)) as it is written loses the leading digits of the sum where the function is
/// near -1, so its error there is small against x and not against the result.
struct Accuracy {
  double ulp = 0;
  double slope = 0;
  double argument = 0;
};

constexpr Accuracy accuracy(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::relu:
      return {0, 0, 0};
    case UnaryFn::exp:
      return {3, 0, 0};
    case UnaryFn::sigmoid:
      return {6, 0, 0};
    case UnaryFn::tanh:
      return {6, 0, 0};
    case UnaryFn::silu:
      return {7, 0, 0};
    case UnaryFn::gelu_sigmoid:
      return {7, 2.5, 0};
    case UnaryFn::gelu_erf:
      return {6, 0, 4};
    case UnaryFn::gelu_tanh:
      return {6, 0, 4};
  }
  return {};
}

/// ulp of the logarithm inside log_softmax, for arguments >= 1.
inline constexpr double kLogUlp = 4;

}  // namespace tandem
