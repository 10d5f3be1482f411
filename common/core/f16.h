// f16 (IEEE binary16) in memory and its conversions.
#pragma once

#include <bit>
#include <cstdint>

namespace tandem {

/// One element of DType::f16.
struct F16 {
  std::uint16_t bits = 0;
};

/// Exact. A NaN keeps its payload and becomes quiet.
inline float to_f32(F16 value) noexcept {
  const std::uint32_t sign = (value.bits & 0x8000u) << 16, rest = value.bits & 0x7fffu;
  if (rest >= 0x7c00) return std::bit_cast<float>(sign | 0x7f800000 | rest << 13 | (rest > 0x7c00 ? 0x400000u : 0u));
  // With the exponent of f16, which counts from 15 instead of 127, and for denormals without its implied one.
  return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(std::bit_cast<float>(rest << 13) * 0x1p112f));
}

/// Rounded to the nearest, ties to even. A NaN stays one and becomes quiet.
inline F16 to_f16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  std::uint32_t rest = 0;
  if (magnitude > 0x7f800000)
    rest = 0x7e00 | (magnitude >> 13 & 0x3ff);
  else if (magnitude >= 0x47800000)  // 2^16; what lies below it and rounds there has the bits of infinity
    rest = 0x7c00;
  else if (magnitude < 0x38800000)  // 2^-14: a sum from 0.5 on is rounded to multiples of 2^-24, as denormals are
    rest = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000;
  else
    rest = (magnitude + 0xfff + (magnitude >> 13 & 1) - (std::uint32_t{112} << 23)) >> 13;
  return {static_cast<std::uint16_t>(sign | rest)};
}

}  // namespace tandem
