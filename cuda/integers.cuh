// The formulas of <tandem/quantize.h> on the device, each step rounded once. A byte is handled without its type: s8
// and u8 differ in the range that results are clamped to, and in `sign`, which is 0x80 for s8 and 0 for u8.
#pragma once

#include <cfloat>
#include <cstdint>

#include "common/ops/quantize.h"
#include "common/ops/requantize.h"
#include "cuda/vector.cuh"

namespace tandem::cuda {

inline int sign_of(DType dtype) { return dtype == DType::s8 ? 0x80 : 0; }

/// The value of a byte.
__device__ __forceinline__ int value_of(std::uint8_t byte, int sign) { return (byte ^ sign) - sign; }

/// clamp(rint(v) + zero_point), where NaN counts as 0.
__device__ __forceinline__ float clamped(float v, float zero_point, float low, float high) {
  const float rounded = rintf(v);
  return fminf(fmaxf(__fadd_rn(rounded != rounded ? 0.0f : rounded, zero_point), low), high);
}
__device__ __forceinline__ std::uint8_t byte_of(float whole) {
  return static_cast<std::uint8_t>(static_cast<int>(whole));
}

// Steps: one element of an operation, given its scale and its zero point.

struct QuantizeStep {
  using In = float;
  using Out = std::uint8_t;
  float low, high;

  explicit QuantizeStep(IntRange range) : low(static_cast<float>(range.low)), high(static_cast<float>(range.high)) {}
  explicit QuantizeStep(const QuantizeArgs& args) : QuantizeStep(args.range) {}
  __device__ __forceinline__ Out operator()(In x, float scale, std::int32_t zero_point) const {
    return byte_of(clamped(__fdiv_rn(x, scale), static_cast<float>(zero_point), low, high));
  }
};

struct DequantizeStep {
  using In = std::uint8_t;
  using Out = float;
  int sign;

  explicit DequantizeStep(const QuantizeArgs& args) : sign(sign_of(args.dtype)) {}
  __device__ __forceinline__ Out operator()(In q, float scale, std::int32_t zero_point) const {
    return __fmul_rn(static_cast<float>(value_of(q, sign) - zero_point), scale);
  }
};

/// The multiplier is the scale; the zero point is one for all.
struct RequantizeStep {
  using In = std::int32_t;
  using Out = std::uint8_t;
  float low, high, zero_point;

  explicit RequantizeStep(const RequantizeArgs& args)
      : low(static_cast<float>(args.range.low)),
        high(static_cast<float>(args.range.high)),
        zero_point(static_cast<float>(args.zero_point)) {}
  __device__ __forceinline__ Out operator()(In acc, float multiplier, std::int32_t) const {
    return byte_of(clamped(__fmul_rn(__int2float_rn(acc), multiplier), zero_point, low, high));
  }
};

struct QuantizedReluStep {
  using In = std::uint8_t;
  using Out = std::uint8_t;
  int sign;

  explicit QuantizedReluStep(const QuantizedReluArgs& args) : sign(sign_of(args.dtype)) {}
  __device__ __forceinline__ Out operator()(In q, float, std::int32_t zero_point) const {
    return static_cast<Out>(::max(value_of(q, sign), value_of(static_cast<std::uint8_t>(zero_point), sign)));
  }
  /// Four bytes at once: with their signs flipped, s8 compare as u8.
  __device__ __forceinline__ std::uint32_t four(std::uint32_t q, std::int32_t zero_point) const {
    const std::uint32_t signs = static_cast<std::uint32_t>(sign) * 0x01010101u;
    return __vmaxu4(q ^ signs, (static_cast<std::uint8_t>(zero_point) * 0x01010101u) ^ signs) ^ signs;
  }
};

/// RN(x / scale), RN being rounding to f32, for many x and one scale, without the division: for normal scales up to
/// FLT_MAX / 127, and finite x up to 2^9 scale in magnitude. Infinities stay what they are, and NaN is NaN.
///
/// With the divisor d scaled into [1, 2) and x by the same power of two, which is exact where the quotient is not tiny
/// (a tiny one is rounded to 0 anyway), and y = RN(1 / d):
///     q = RN(x y)   q' = RN(q + RN(x - d q) y)   q'' = RN(q' + RN(x - d q') y)
/// q is within 2 u + u^2 of the quotient (u = 2^-24), relatively, and q + RN(x - d q) y within a few u^2 before it is
/// rounded, so that q' is one of the two floats around the quotient. Then x - d q' is exact, and q'' is the rounded
/// quotient: Markstein's theorem on correcting a faithful quotient with the rounded reciprocal.
class Quotient {
 public:
  __device__ __forceinline__ explicit Quotient(float scale) {
    const std::uint32_t exponent = __float_as_uint(scale) >> 23;
    power_ = __uint_as_float((254 - exponent) << 23);
    divisor_ = __fmul_rn(scale, power_);
    inverse_ = __frcp_rn(divisor_);
  }
  __device__ __forceinline__ float operator()(float x) const {
    const float scaled = __fmul_rn(x, power_);
    const float first = __fmul_rn(scaled, inverse_);
    const float second = __fmaf_rn(__fmaf_rn(-divisor_, first, scaled), inverse_, first);
    const float third = __fmaf_rn(__fmaf_rn(-divisor_, second, scaled), inverse_, second);
    return fabsf(first) <= FLT_MAX ? third : first;
  }

 private:
  float power_, divisor_, inverse_;
};

/// QuantizeStep for one scale that comes from the data.
struct QuantizeByQuotientStep {
  using In = float;
  using Out = std::uint8_t;
  Quotient quotient;
  float zero_point, low, high;

  __device__ __forceinline__ QuantizeByQuotientStep(const QuantizeStep& step, const ScaleAndZero& s)
      : quotient(s.scale), zero_point(static_cast<float>(s.zero_point)), low(step.low), high(step.high) {}
  __device__ __forceinline__ Out operator()(In x, float, std::int32_t) const {
    return byte_of(clamped(quotient(x), zero_point, low, high));
  }
};

/// The step for neighbouring elements that share a scale.
template <int kWidth, class Step>
__device__ __forceinline__ Bits<typename Step::Out, kWidth> stepped(const Step& step,
                                                                    const Bits<typename Step::In, kWidth>& in,
                                                                    float scale, std::int32_t zero_point) {
  if constexpr (std::is_same_v<Step, QuantizedReluStep> && kWidth == 16) {
    return make_uint4(step.four(in.x, zero_point), step.four(in.y, zero_point), step.four(in.z, zero_point),
                      step.four(in.w, zero_point));
  } else {
    const Pack<typename Step::In, kWidth> x(in);
    Pack<typename Step::Out, kWidth> out;
#pragma unroll
    for (int i = 0; i < kWidth; ++i) out.v[i] = step(x.v[i], scale, zero_point);
    return out.bits();
  }
}

/// How scales come from ranges: what scale_from_range() decides on the host.
struct ScaleRule {
  bool symmetric;
  float low, high;                  // of the type
  std::int32_t symmetric_zero = 0;  // the zero point of symmetric values

  ScaleRule(DType dtype, Scheme scheme)
      : symmetric(scheme == Scheme::symmetric),
        low(static_cast<float>(range_of(dtype).low)),
        high(static_cast<float>(range_of(dtype).high)),
        symmetric_zero(scale_from_range(0.0f, 0.0f, dtype, Scheme::symmetric).zero_point) {}
};

/// scale_from_range() for low <= 0 <= high.
__device__ __forceinline__ ScaleAndZero scale_of(float low, float high, const ScaleRule& rule) {
  low = fmaxf(low, -FLT_MAX);
  high = fminf(high, FLT_MAX);
  const bool empty = low == 0.0f && high == 0.0f;
  if (rule.symmetric) {
    const float scale = fmaxf(__fdiv_rn(fmaxf(-low, high), 127.0f), FLT_MIN);
    return {empty ? 1.0f : scale, rule.symmetric_zero};
  }
  if (empty) return {1.0f, static_cast<std::int32_t>(rule.low)};
  const float width = __fsub_rn(__fmul_rn(0.5f, high), __fmul_rn(0.5f, low));
  const float scale = fmaxf(__fdiv_rn(width, 127.5f), FLT_MIN);
  const float zero = rintf(__fsub_rn(rule.low, __fdiv_rn(low, scale)));
  return {scale, static_cast<std::int32_t>(fminf(fmaxf(zero, rule.low), rule.high))};
}

}  // namespace tandem::cuda
