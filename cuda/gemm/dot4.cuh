// Four products of bytes and their sum, one instruction (dp4a): a is s8 or u8, b is s8.
#pragma once

#include <cstdint>
#include <type_traits>

namespace tandem::cuda {

template <class A>
__device__ __forceinline__ std::uint32_t dot4(unsigned a, unsigned b, std::uint32_t sum) {
  if constexpr (std::is_same_v<A, std::uint8_t>)
    asm("dp4a.u32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(a), "r"(b));
  else
    asm("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(a), "r"(b));
  return sum;
}

/// sum + the four bytes of a.
template <class A>
__device__ __forceinline__ std::uint32_t sum4(unsigned a, std::uint32_t sum) {
  return dot4<A>(a, 0x01010101u, sum);
}

}  // namespace tandem::cuda
