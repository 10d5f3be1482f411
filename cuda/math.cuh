// The elementwise functions of tandem/ops.h on the device, each written once: full-precision library functions,
// denormals kept, NaN propagated. Where a formula cancels or its argument is large, a second float carries the rounding
// error of the argument, since exp turns an absolute error there into a relative one of the result.
#pragma once

#include <cfloat>
#include <cmath>

#include <tandem/ops.h>

namespace tandem::cuda {

/// +0 for -0; NaN stays NaN, since the comparison is false.
__device__ __forceinline__ float relu(float x) { return x <= 0.0f ? 0.0f : x; }

/// From exp(-|x|), which neither overflows nor cancels: small results keep their relative accuracy.
__device__ __forceinline__ float sigmoid(float x) {
  const float e = expf(-fabsf(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

/// -infinity as a factor of something that vanishes faster: the product is its limit, zero.
__device__ __forceinline__ float finite_below(float x) { return x < -FLT_MAX ? -FLT_MAX : x; }

/// x * sigmoid(t + t_low), with |t_low| a rounding error of t, and t having the sign of x.
__device__ __forceinline__ float times_sigmoid(float x, float t, float t_low) {
  if (t < -80.0f) {
    // exp(t) alone would lose bits to the denormal range before x brings the product back; 1 + exp(t) is 1 here.
    const float h = expf(0.5f * t);
    return __fmul_rn(__fmul_rn(finite_below(x), h), __fmaf_rn(h, t_low, h));
  }
  const float e = expf(-fabsf(t));
  const float corrected = __fmaf_rn(e, t < 0.0f ? t_low : -t_low, e);
  return __fmul_rn(x, t < 0.0f ? corrected : 1.0f) / (1.0f + corrected);
}

__device__ __forceinline__ float silu(float x) { return times_sigmoid(x, x, 0.0f); }

__device__ __forceinline__ float gelu_sigmoid(float x) {
  constexpr float kScale = 1.702f;
  constexpr float kScaleLow = static_cast<float>(1.702 - static_cast<double>(kScale));
  const float t = __fmul_rn(kScale, x);
  const float low = __fmaf_rn(kScaleLow, x, __fmaf_rn(kScale, x, -t));
  return times_sigmoid(x, t, fabsf(t) < 1e30f ? low : 0.0f);
}

/// x/2 (1 + tanh(u)) = x sigmoid(2 u), with 2 u = x (c + d x^2): no cancellation for negative x.
__device__ __forceinline__ float gelu_tanh(float x) {
  constexpr double kC = 1.5957691216057308;  // 2 sqrt(2 / pi)
  constexpr double kD = kC * 0.044715;
  constexpr float c = static_cast<float>(kC), c_low = static_cast<float>(kC - static_cast<double>(c));
  constexpr float d = static_cast<float>(kD), d_low = static_cast<float>(kD - static_cast<double>(d));
  const float square = __fmul_rn(x, x);
  const float square_low = __fmaf_rn(x, x, -square);
  const float q = __fmul_rn(d, square);
  const float q_low = __fmaf_rn(d_low, square, __fmaf_rn(d, square_low, __fmaf_rn(d, square, -q)));
  const float p = __fadd_rn(c, q);
  const float c_part = __fsub_rn(p, q);  // what of c is in p, and so on: the error of the sum, exactly
  const float q_part = __fsub_rn(p, c_part);
  const float p_low = __fadd_rn(__fadd_rn(__fsub_rn(c, c_part), __fsub_rn(q, q_part)), __fadd_rn(q_low, c_low));
  const float t = __fmul_rn(x, p);
  const float t_low = __fmaf_rn(x, p_low, __fmaf_rn(x, p, -t));
  return times_sigmoid(x, t, fabsf(t) < 1e30f ? t_low : 0.0f);
}

/// x Phi(x). Far on the negative side through erfcx, so that the product leaves the normal range only at its end.
__device__ __forceinline__ float gelu_erf(float x) {
  if (x < -12.0f) {
    const float square = __fmul_rn(x, x);
    const float square_low = __fmaf_rn(x, x, -square);
    const float h = expf(-0.25f * square);
    const float scaled = __fmul_rn(0.5f * finite_below(x), erfcxf(-0.70710678f * x));
    const float low = square < 1e30f ? -0.5f * square_low : 0.0f;
    return __fmul_rn(__fmul_rn(scaled, h), __fmaf_rn(h, low, h));
  }
  return x * normcdff(x);
}

template <UnaryFn kFn>
__device__ __forceinline__ float apply(float x) {
  if constexpr (kFn == UnaryFn::relu) return relu(x);
  if constexpr (kFn == UnaryFn::gelu_erf) return gelu_erf(x);
  if constexpr (kFn == UnaryFn::gelu_tanh) return gelu_tanh(x);
  if constexpr (kFn == UnaryFn::gelu_sigmoid) return gelu_sigmoid(x);
  if constexpr (kFn == UnaryFn::sigmoid) return sigmoid(x);
  if constexpr (kFn == UnaryFn::tanh) return tanhf(x);
  if constexpr (kFn == UnaryFn::silu) return silu(x);
  if constexpr (kFn == UnaryFn::exp) return expf(x);
}

/// The function chosen at run time; every thread takes the same branch.
__device__ __forceinline__ float apply(UnaryFn fn, float x) {
  switch (fn) {
    case UnaryFn::relu:
      return apply<UnaryFn::relu>(x);
    case UnaryFn::gelu_erf:
      return apply<UnaryFn::gelu_erf>(x);
    case UnaryFn::gelu_tanh:
      return apply<UnaryFn::gelu_tanh>(x);
    case UnaryFn::gelu_sigmoid:
      return apply<UnaryFn::gelu_sigmoid>(x);
    case UnaryFn::sigmoid:
      return apply<UnaryFn::sigmoid>(x);
    case UnaryFn::tanh:
      return apply<UnaryFn::tanh>(x);
    case UnaryFn::silu:
      return apply<UnaryFn::silu>(x);
    case UnaryFn::exp:
      return apply<UnaryFn::exp>(x);
  }
  return x;
}

__device__ __forceinline__ float apply(Activation activation, float x) {
  switch (activation) {
    case Activation::none:
      return x;
    case Activation::relu:
      return apply<UnaryFn::relu>(x);
    case Activation::gelu_erf:
      return apply<UnaryFn::gelu_erf>(x);
    case Activation::gelu_tanh:
      return apply<UnaryFn::gelu_tanh>(x);
    case Activation::gelu_sigmoid:
      return apply<UnaryFn::gelu_sigmoid>(x);
    case Activation::sigmoid:
      return apply<UnaryFn::sigmoid>(x);
    case Activation::tanh:
      return apply<UnaryFn::tanh>(x);
    case Activation::silu:
      return apply<UnaryFn::silu>(x);
  }
  return x;
}

template <BinaryFn kFn>
__device__ __forceinline__ float apply(float a, float b) {
  if constexpr (kFn == BinaryFn::add) return __fadd_rn(a, b);
  if constexpr (kFn == BinaryFn::sub) return __fsub_rn(a, b);
  if constexpr (kFn == BinaryFn::mul) return __fmul_rn(a, b);
  if constexpr (kFn == BinaryFn::div) return __fdiv_rn(a, b);
  if constexpr (kFn == BinaryFn::squared_difference) {
    const float difference = __fsub_rn(a, b);
    return __fmul_rn(difference, difference);
  }
}

__device__ __forceinline__ float apply(BinaryFn fn, float a, float b) {
  switch (fn) {
    case BinaryFn::add:
      return apply<BinaryFn::add>(a, b);
    case BinaryFn::sub:
      return apply<BinaryFn::sub>(a, b);
    case BinaryFn::mul:
      return apply<BinaryFn::mul>(a, b);
    case BinaryFn::div:
      return apply<BinaryFn::div>(a, b);
    case BinaryFn::squared_difference:
      return apply<BinaryFn::squared_difference>(a, b);
  }
  return a;
}

}  // namespace tandem::cuda
