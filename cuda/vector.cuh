// 16-byte accesses with and without the hint that the data is used once, and the split of a run of floats into an
// aligned body and its ends.
#pragma once

#include <cstdint>

#include "cuda/launch.h"

namespace tandem::cuda {

/// kOnce: the data passes through the caches without staying (larger than L2 anyway). Never the read-only cache:
/// results may lie where the operands are.
template <bool kOnce, class T>
__device__ __forceinline__ T load(const T* from) {
  if constexpr (kOnce)
    return __ldcs(from);
  else
    return *from;
}
template <bool kOnce, class T>
__device__ __forceinline__ void store(T* to, T value) {
  if constexpr (kOnce)
    __stcs(to, value);
  else
    *to = value;
}

template <class F>
__device__ __forceinline__ float4 map(float4 v, F&& f) {
  return make_float4(f(v.x), f(v.y), f(v.z), f(v.w));
}
template <class F>
__device__ __forceinline__ float4 map(float4 a, float4 b, F&& f) {
  return make_float4(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w));
}

/// Elements [0, head) and [head + 4 * body, count) lie outside of the 16-byte lines that the body consists of.
struct Split {
  std::int64_t head, body;
};
inline Split split_at_lines(const void* pointer, std::int64_t count) {
  const auto misaligned = static_cast<std::int64_t>((reinterpret_cast<std::uintptr_t>(pointer) & 15) / 4);
  const std::int64_t head = std::min(count, (4 - misaligned) % 4);
  return {head, (count - head) / 4};
}
/// Whether both have their lines at the same places.
inline bool same_lines(const void* a, const void* b) {
  return ((reinterpret_cast<std::uintptr_t>(a) ^ reinterpret_cast<std::uintptr_t>(b)) & 15) == 0;
}

/// Data that cannot stay in L2 until somebody uses it again.
inline bool larger_than_l2(double bytes, const Machine& machine) {
  return !machine.gpus.empty() && bytes > static_cast<double>(machine.gpus[0].l2_bytes);
}

}  // namespace tandem::cuda
