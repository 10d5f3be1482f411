// Walking a strided iteration space on the device.
#pragma once

#include <cstdint>

#include "common/ops/operand.h"

namespace tandem::cuda {

/// Offsets, in elements, of all operands at the given linear index. `Index` is std::uint32_t where the number of
/// elements allows it: 64-bit division costs several times as much.
template <class Index, int N>
__device__ __forceinline__ void offsets_at(const Loops<N>& loops, Index index, std::int64_t (&out)[N]) {
#pragma unroll
  for (int i = 0; i < N; ++i) out[i] = 0;
  for (int d = loops.rank - 1; d > 0; --d) {
    const Index size = static_cast<Index>(loops.shape[d]);
    const Index rest = index / size;
    const Index at = index - rest * size;
    index = rest;
#pragma unroll
    for (int i = 0; i < N; ++i) out[i] += static_cast<std::int64_t>(at) * loops.strides[i][d];
  }
  if (loops.rank > 0) {
#pragma unroll
    for (int i = 0; i < N; ++i) out[i] += static_cast<std::int64_t>(index) * loops.strides[i][0];
  }
}

/// The same with the index type chosen at run time by the size of the whole space.
template <int N>
__device__ __forceinline__ void offsets_of(const Loops<N>& loops, std::int64_t index, std::int64_t (&out)[N]) {
  if (loops.elements <= 0xffffffffLL)
    offsets_at(loops, static_cast<std::uint32_t>(index), out);
  else
    offsets_at(loops, static_cast<std::uint64_t>(index), out);
}

}  // namespace tandem::cuda
