// The largest errors of the functions of math-inl.h, over all targets and the whole f32 range. Held by
// tests/unit/simd_math_test.cpp.
#pragma once

#include <limits>

namespace tandem::cpu {

/// |result - exact| <= ulp * (spacing of f32 at the exact value) + absolute, for arguments >= from.
struct MathError {
  float from;
  double ulp;
  double absolute;
};

inline constexpr float kNoLimit = -std::numeric_limits<float>::infinity();

inline constexpr MathError kReluError[] = {{kNoLimit, 0, 0}};
inline constexpr MathError kExpError[] = {{kNoLimit, 1.5, 0}};
inline constexpr MathError kLogError[] = {{kNoLimit, 1.5, 0}};
inline constexpr MathError kSigmoidError[] = {{-20, 4, 0}, {kNoLimit, 6, 0}};
inline constexpr MathError kTanhError[] = {{kNoLimit, 5, 0}};
inline constexpr MathError kSiluError[] = {{-20, 4, 0}, {kNoLimit, 7, 0}};
/// The argument of the exponential is rounded once (1.702 x) or a few times (the cubic): that error grows with it.
inline constexpr MathError kGeluSigmoidError[] = {{-1, 4, 0}, {-5, 12, 0}, {kNoLimit, 100, 0}};
inline constexpr MathError kGeluTanhError[] = {{-1, 4, 0}, {-3, 16, 0}, {kNoLimit, 200, 0}};
/// AVX-512 flushes to zero below -7.625, where the exact value is -9e-14; the other targets hold 6 ulp everywhere.
inline constexpr MathError kGeluErfError[] = {{-3, 6, 0}, {-5, 50, 0}, {-7.625f, 1000, 0}, {kNoLimit, 6, 1e-13}};

}  // namespace tandem::cpu
