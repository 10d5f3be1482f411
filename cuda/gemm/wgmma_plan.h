// Which shape of tile a product of warpgroups takes, where such products run, and what they are predicted to cost. Host
// only; shared by the element types.
#pragma once

#include <algorithm>

#include "cuda/gemm/k_major.cuh"
#include "cuda/gemm/mma_plan.h"
#include "cuda/gemm/wgmma_ring.cuh"
#include "cuda/gemm/wgmma_tile.cuh"

namespace tandem::cuda {

using PlainWgmma = WgmmaShape<128>;  // what the copy engine cannot read, and no room was asked for to pack
using WideRing = RingShape<256, 2>;  // pairs of blocks: 256 x 256
using NarrowRing = RingShape<128, 1>;

inline std::int64_t wgmma_waves(std::int64_t m, std::int64_t n, std::int64_t batch, std::int64_t rows,
                                std::int64_t cols, std::int64_t places) {
  return ceil_div(ceil_div(m, rows) * ceil_div(n, cols) * batch, places);
}

/// Whether 256 columns finish earlier than 128, by the area that the busiest multiprocessor computes. Wide tiles come
/// in pairs, one below the other. A narrow tile is taken to cost 1.15 times as much for each element: it reads half as
/// much again from shared memory, and what pairs share.
inline bool prefers_wide_wgmma(std::int64_t m, std::int64_t n, std::int64_t batch, const Machine& machine) {
  const std::int64_t processors = multiprocessors(machine), pairs = std::max<std::int64_t>(processors / 2, 1);
  return static_cast<double>(wgmma_waves(m, n, batch, 256, 256, pairs)) * 2.0 <=
         static_cast<double>(wgmma_waves(m, n, batch, 128, 128, processors)) * 1.15;
}

/// Calls f.operator()<Shape>() with the ring that suits the result.
template <class F>
auto with_ring(std::int64_t m, std::int64_t n, std::int64_t batch, const Machine& machine, F&& f) {
  return prefers_wide_wgmma(m, n, batch, machine) ? f.template operator()<WideRing>()
                                                  : f.template operator()<NarrowRing>();
}

/// Bytes to pack an operand in, where its layout says that the copy engine cannot read it.
inline std::size_t packing_room(Layout layout, Layout of_k, std::int64_t rows, std::int64_t k, std::int64_t items,
                                int size) {
  return layout == of_k ? 0 : packed_bytes(rows, k, items, size);
}
/// Seconds for it: each byte is read and written, and read again.
inline double packing_seconds(std::size_t bytes, const Machine& machine) {
  return bytes == 0 ? 0.0 : seconds_for_bytes(2.0 * static_cast<double>(bytes), 0.7, machine) + 2e-6;
}

/// Launches `kernel` of a ring: a cluster for each group of tiles, but no more than the device has room for.
template <class Shape, class... Parameters, class... Arguments>
Code launch_ring(const Queue& queue, std::int64_t m, std::int64_t n, std::int64_t items, void (*kernel)(Parameters...),
                 Arguments&&... arguments) {
  const std::int64_t groups = ceil_div(m, Shape::kRows * Shape::kCluster) * ceil_div(n, Shape::kCols) * items;
  const std::int64_t clusters =
      std::min<std::int64_t>(groups, std::max(multiprocessors(*queue.machine) / Shape::kCluster, 1));
  return launch_clusters(queue, dim3(static_cast<unsigned>(clusters * Shape::kCluster)), dim3(Shape::kThreads),
                         Shape::kSharedBytes, Shape::kCluster, kernel, std::forward<Arguments>(arguments)...);
}

inline Refusal refuse_wgmma([[maybe_unused]] const Machine& machine) {
#ifdef TANDEM_CUDA_90A
  const int capability = machine.gpus.empty() ? 0 : machine.gpus[0].compute_capability;
  return capability == 90 ? nullptr : "needs compute capability 9.0: no other has these instructions";
#else
  return "needs a build whose architectures name 90a";
#endif
}

/// Seconds that the tensor cores take, in whole tiles and waves. Efficiency: of an H100, 0.60 (s8) to 0.65
/// (bf16) of the data sheet at 4096 cubed.
inline double wgmma_seconds(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, int size,
                            const Machine& machine) {
  const std::int64_t processors = multiprocessors(machine), depth = kSlabBytes / size;
  const double area = prefers_wide_wgmma(m, n, batch, machine)
                          ? 65536.0 * static_cast<double>(wgmma_waves(m, n, batch, 256, 256,
                                                                      std::max<std::int64_t>(processors / 2, 1)) *
                                                          (processors / 2))
                          : 16384.0 * static_cast<double>(wgmma_waves(m, n, batch, 128, 128, processors) * processors);
  return 2.0 * area * static_cast<double>(ceil_div(k, depth) * depth) / (0.6 * tensor_ceiling(size, machine));
}

}  // namespace tandem::cuda
