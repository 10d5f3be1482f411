// bf16 in memory and its conversions: the upper half of an f32.
#pragma once

#include <bit>
#include <cstdint>

namespace tandem {

/// One element of DType::bf16.
struct Bf16 {
  std::uint16_t bits = 0;
};

/// Exact.
inline float to_f32(Bf16 value) noexcept { return std::bit_cast<float>(static_cast<std::uint32_t>(value.bits) << 16); }
inline float to_f32(float value) noexcept { return value; }

/// Rounded to the nearest, ties to even. A NaN stays one and becomes quiet.
inline Bf16 to_bf16(float value) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  if (value != value) return {static_cast<std::uint16_t>(bits >> 16 | 0x40)};
  return {static_cast<std::uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

/// A finished f32 on its way to an element.
inline void assign(float& to, float value) noexcept { to = value; }
inline void assign(Bf16& to, float value) noexcept { to = to_bf16(value); }

}  // namespace tandem
