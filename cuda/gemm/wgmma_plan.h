// Which shape of tile a product of warpgroups takes, where such products run, and what they are predicted to cost. Host
// only; shared by the element types.
#pragma once

#include <algorithm>

#include "cuda/gemm/mma_plan.h"
#include "cuda/gemm/wgmma_tile.cuh"

namespace tandem::cuda {

using WideWgmma = WgmmaShape<256>;
using NarrowWgmma = WgmmaShape<128>;

inline std::int64_t wgmma_waves(std::int64_t m, std::int64_t n, std::int64_t batch, std::int64_t cols,
                                const Machine& machine) {
  return ceil_div(ceil_div(m, WideWgmma::kRows) * ceil_div(n, cols) * batch, multiprocessors(machine));
}

/// Whether 256 columns finish earlier than 128, by the area that the busiest multiprocessor computes. A narrow tile is
/// taken to cost 1.15 times as much for each element: it reads half as much again from shared memory.
inline bool prefers_wide_wgmma(std::int64_t m, std::int64_t n, std::int64_t batch, const Machine& machine) {
  return static_cast<double>(wgmma_waves(m, n, batch, WideWgmma::kCols, machine)) * 2.0 <=
         static_cast<double>(wgmma_waves(m, n, batch, NarrowWgmma::kCols, machine)) * 1.15;
}

/// Calls f.operator()<Shape>() with the shape that suits the result.
template <class F>
Code with_wgmma_shape(std::int64_t m, std::int64_t n, std::int64_t batch, const Machine& machine, F&& f) {
  return prefers_wide_wgmma(m, n, batch, machine) ? f.template operator()<WideWgmma>()
                                                  : f.template operator()<NarrowWgmma>();
}

inline Refusal refuse_wgmma([[maybe_unused]] const Machine& machine) {
#ifdef TANDEM_CUDA_90A
  const int capability = machine.gpus.empty() ? 0 : machine.gpus[0].compute_capability;
  return capability == 90 ? nullptr : "needs compute capability 9.0: no other has these instructions";
#else
  return "needs a build whose architectures name 90a";
#endif
}

/// Seconds that the tensor cores take, in whole tiles and waves. Efficiency: prior.
inline double wgmma_seconds(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, int size,
                            const Machine& machine) {
  const std::int64_t cols = prefers_wide_wgmma(m, n, batch, machine) ? WideWgmma::kCols : NarrowWgmma::kCols;
  const std::int64_t depth = kSlabBytes / size;
  const double area =
      static_cast<double>(wgmma_waves(m, n, batch, cols, machine) * multiprocessors(machine) * WideWgmma::kRows * cols);
  return 2.0 * area * static_cast<double>(ceil_div(k, depth) * depth) / (0.6 * tensor_ceiling(size, machine));
}

}  // namespace tandem::cuda
