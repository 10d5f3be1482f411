// Which shape of tile a product on tensor cores takes, how its operands can be read, and what that is predicted to
// cost. Host only; shared by the element types.
#pragma once

#include <algorithm>

#include "common/ops/matmul.h"
#include "cuda/gemm/mma_tile.cuh"
#include "cuda/gemm/slab24.cuh"
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

/// The same for operand 0 (a) or 1 (b) of a bf16 product, all of whose batch items must allow it.
inline Way bf16_way(const MatmulArgs& args, int operand) {
  if (operand == 1 && args.b24.values) return Way::sparse24;
  const std::int64_t* const strides = args.batch.strides[operand];
  if (!std::all_of(strides, strides + args.batch.rank, [](std::int64_t stride) { return stride % 8 == 0; }))
    return Way::elements;
  return operand == 0 ? way_of(args.a.data, args.a.row, args.a.col, args.m, 2)
                      : way_of(args.b.data, args.b.col, args.b.row, args.n, 2);
}

/// Calls launch_way<kWay>() for one operand.
template <class LaunchWay>
Code with_way(Way way, LaunchWay&& launch_way) {
  if (way == Way::elements) return launch_way.template operator()<Way::elements>();
  return way == Way::rows ? launch_way.template operator()<Way::rows>()
                          : launch_way.template operator()<Way::columns>();
}

/// Calls launch_ways<kWayA, kWayB>(); what one operand does not allow, both do without. b may be in 2:4 storage.
template <class LaunchWays>
Code with_ways(Way a, Way b, LaunchWays&& launch_ways) {
  if (b == Way::sparse24)
    return with_way(a, [&]<Way kWayA>() { return launch_ways.template operator()<kWayA, Way::sparse24>(); });
  if (a == Way::elements || b == Way::elements) return launch_ways.template operator()<Way::elements, Way::elements>();
  if (a == Way::rows)
    return b == Way::rows ? launch_ways.template operator()<Way::rows, Way::rows>()
                          : launch_ways.template operator()<Way::rows, Way::columns>();
  return b == Way::rows ? launch_ways.template operator()<Way::columns, Way::rows>()
                        : launch_ways.template operator()<Way::columns, Way::columns>();
}

/// Of the products on sparse tensor cores.
inline Refusal refuse_sparse_mma(const Machine& machine) {
  const int capability = machine.gpus.empty() ? 0 : machine.gpus[0].compute_capability;
  return capability >= 80 && capability < 90 ? nullptr
                                             : "needs compute capability 8.0 to 8.9: others have no sparse tensor "
                                               "cores, or slower ones for these instructions";
}

inline Refusal refuse_mma_sizes(std::int64_t m, std::int64_t n, std::int64_t k) {
  if (m > kMaxGridX || n > kMaxGridX || k > kMaxGridX - kSlabBytes) return "needs m, n and k below 2^31 - 128";
  return ceil_div(m, SmallMma::kTile) * ceil_div(n, SmallMma::kTile) > kMaxGridX
             ? "needs fewer than 2^31 tiles of 64 x 64"
             : nullptr;
}

/// Calls f.operator()<Shape>() with the shape that suits the result.
template <class F>
Code with_mma_shape(std::int64_t m, std::int64_t n, std::int64_t batch, const Machine& machine, F&& f) {
  return prefers_large_mma(m, n, batch, machine) ? f.template operator()<LargeMma>()
                                                 : f.template operator()<SmallMma>();
}

/// Seconds that the tensor cores take, in whole tiles and waves. Efficiency: of an H100, whose tensor cores need the
/// instructions of warpgroups for the rest, 0.25 to 0.27 at 4096 cubed; for others prior, not measured.
inline double mma_seconds(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, int size,
                          const Machine& machine) {
  const std::int64_t tile = prefers_large_mma(m, n, batch, machine) ? LargeMma::kTile : SmallMma::kTile;
  const std::int64_t processors = multiprocessors(machine), depth = kSlabBytes / size;
  const std::int64_t waves = ceil_div(ceil_div(m, tile) * ceil_div(n, tile) * batch, processors);
  const double padded =
      2.0 * static_cast<double>(waves * processors * tile * tile) * static_cast<double>(ceil_div(k, depth) * depth);
  const bool hopper = !machine.gpus.empty() && machine.gpus[0].compute_capability >= 90;
  return padded / ((hopper ? 0.26 : 0.4) * tensor_ceiling(size, machine));
}

}  // namespace tandem::cuda
