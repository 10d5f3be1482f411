// bf16 as bits on the device.
#pragma once

#include <cstdint>

namespace tandem::cuda {

__device__ __forceinline__ float bf16_value(std::uint16_t bits) {
  return __uint_as_float(static_cast<unsigned>(bits) << 16);
}

/// The nearest bf16, ties to even, with the bits of to_bf16() on the host; the instruction for this would give every
/// NaN the same ones.
__device__ __forceinline__ std::uint16_t bf16_bits(float value) {
  const unsigned bits = __float_as_uint(value), high = bits >> 16;
  const unsigned rounded = (bits + 0x7fff + (high & 1)) >> 16;
  return static_cast<std::uint16_t>(value != value ? high | 0x40 : rounded);
}

}  // namespace tandem::cuda
