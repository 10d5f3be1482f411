// f16 as bits on the device.
#pragma once

#include <cstdint>

namespace tandem::cuda {

// With the bits of to_f32() and to_f16() on the host (common/core/f16.h says how); the instructions for this would give
// every NaN the same ones.
__device__ __forceinline__ float f16_value(std::uint16_t bits) {
  const unsigned sign = (bits & 0x8000u) << 16, rest = bits & 0x7fffu, wide = rest << 13;
  const unsigned finite = __float_as_uint(__uint_as_float(wide) * 0x1p112f);
  const unsigned other = 0x7f800000 | wide | (rest > 0x7c00 ? 0x400000u : 0u);
  return __uint_as_float(sign | (rest < 0x7c00 ? finite : other));
}

__device__ __forceinline__ std::uint16_t f16_bits(float value) {
  const unsigned bits = __float_as_uint(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  const unsigned denormal = __float_as_uint(__uint_as_float(magnitude) + 0.5f) - 0x3f000000;
  const unsigned normal = (magnitude + 0xfff + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
  unsigned rest = magnitude < 0x38800000 ? denormal : normal;
  if (magnitude >= 0x47800000) rest = magnitude > 0x7f800000 ? 0x7e00 | (magnitude >> 13 & 0x3ff) : 0x7c00;
  return static_cast<std::uint16_t>(sign | rest);
}

}  // namespace tandem::cuda
