// Which shape of tile a product on tensor cores takes, how its operands can be read, and what that is predicted to
// cost. Host only; shared by the element types.
#pragma once

#include "cuda/gemm/mma_tile.cuh"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda {

using LargeMma = MmaShape<128, 2, 4, 1>;  // warps of 64 x 32
using SmallMma = MmaShape<64, 2, 2, 3>;   // warps of 32 x 32

/// Whether 128 x 128 blocks finish earlier than 64 x 64 ones, by the area that the busiest multiprocessor computes, if
/// their shared memory is there. A small block reads twice as much for each product: taken to cost 1.5 times as much,
/// prior, not measured.
inline bool prefers_large_mma(std::int64_t m, std::int64_t n, std::int64_t batch, const Machine& machine) {
  if (machine.gpus.empty() || machine.gpus[0].shared_bytes_per_block < LargeMma::kSharedBytes) return false;
  const auto waves = [&](std::int64_t tile) {
    return static_cast<double>(ceil_div(ceil_div(m, tile) * ceil_div(n, tile) * batch, multiprocessors(machine)));
  };
  return waves(LargeMma::kTile) * 4.0 <= waves(SmallMma::kTile) * 1.5;
}

/// How an operand of elements of `size` bytes can be read; i is m or n.
inline Way way_of(const void* data, std::int64_t stride_i, std::int64_t stride_k, std::int64_t i, int size) {
  if (!aligned16(data)) return Way::elements;
  if (stride_k == 1 && stride_i * size % 16 == 0) return Way::rows;
  return stride_i == 1 && stride_k * size % 16 == 0 && i * size % 16 == 0 ? Way::columns : Way::elements;
}

/// Calls launch_ways<kWayA, kWayB>(); what neither operand allows, both do without.
template <class LaunchWays>
Code with_ways(Way a, Way b, LaunchWays&& launch_ways) {
  if (a == Way::elements || b == Way::elements) return launch_ways.template operator()<Way::elements, Way::elements>();
  if (a == Way::rows)
    return b == Way::rows ? launch_ways.template operator()<Way::rows, Way::rows>()
                          : launch_ways.template operator()<Way::rows, Way::columns>();
  return b == Way::rows ? launch_ways.template operator()<Way::columns, Way::rows>()
                        : launch_ways.template operator()<Way::columns, Way::columns>();
}

inline Refusal refuse_mma_sizes(std::int64_t m, std::int64_t n, std::int64_t k) {
  if (m > kMaxGridX || n > kMaxGridX || k > kMaxGridX - kSlabBytes) return "needs m, n and k below 2^31 - 128";
  return ceil_div(m, SmallMma::kTile) * ceil_div(n, SmallMma::kTile) > kMaxGridX
             ? "needs fewer than 2^31 tiles of 64 x 64"
             : nullptr;
}

/// Seconds that the tensor cores take, in whole tiles and waves. Efficiency: prior, not measured.
inline double mma_seconds(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, int size,
                          const Machine& machine) {
  const std::int64_t tile = prefers_large_mma(m, n, batch, machine) ? LargeMma::kTile : SmallMma::kTile;
  const std::int64_t processors = multiprocessors(machine), depth = kSlabBytes / size;
  const std::int64_t waves = ceil_div(ceil_div(m, tile) * ceil_div(n, tile) * batch, processors);
  const double padded =
      2.0 * static_cast<double>(waves * processors * tile * tile) * static_cast<double>(ceil_div(k, depth) * depth);
  return padded / (0.4 * tensor_ceiling(size, machine));
}

}  // namespace tandem::cuda
