// The sums of integer products on tensor cores on their way from registers to the result.
#pragma once

#include "cuda/gemm/fragment_sums.cuh"
#include "cuda/gemm/mma_tile.cuh"
#include "cuda/gemm/quantized_epilogue.cuh"

namespace tandem::cuda {

/// Words of shared memory of a warp for store_tile().
inline constexpr int kQuantizedStaging = 32 * kTransposedPitch + 32 + 32;
static_assert(16 * kPitch <= 32 * kTransposedPitch);

/// Stores a warp's tile, by rows of the result or by columns, as the result lies. kSwapped: the first operand of the
/// instructions was b, so that rows of sums are columns of the result. `part` is of the result; `staging` the warp's.
template <bool kSwapped, class Shape, class Side>
__device__ __forceinline__ void store_tile(const QuantizedMatmulArgs& args, const TileExtent& part,
                                           std::uint32_t* staging,
                                           const std::int32_t (&c)[Shape::kBlocksM][Shape::kBlocksN][4],
                                           const Side& side, int lane) {
  std::uint32_t *const of_first = staging + 32 * kTransposedPitch, *const of_second = of_first + 32;
#pragma unroll
  for (int n = 0; n < Shape::kBlocksN; ++n) {
    const std::uint32_t sum = sum_of_quad(side.columns[n]);
    if (lane % 4 == 0) of_second[n * 8 + lane / 4] = sum;
  }
  const auto stage = [&](int m) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const std::uint32_t sum = sum_of_quad(side.rows[m][half]);
      if (lane % 4 == 0) of_first[m % 2 * 16 + half * 8 + lane / 4] = sum;
    }
  };
  // The sums of the first operand's rows from `first` on, in `lines` lines of staging.
  const auto store = [&](int first, const std::uint32_t* sums_of_first, int pitch, int lines) {
    if constexpr (kSwapped)
      store_lines(args,
                  {staging, of_second, sums_of_first, pitch, part.rows, part.cols - first, part.i0, part.j0 + first},
                  lines, lane);
    else
      store_lines(args,
                  {staging, sums_of_first, of_second, pitch, part.rows - first, part.cols, part.i0 + first, part.j0},
                  lines, lane);
  };
  if (stores_columns(args) == kSwapped)
    pass_rows<Shape>(c, staging, lane, stage, [&](int m) { store(m * 16, of_first + m % 2 * 16, kPitch, 16); });
  else
    pass_transposed<Shape>(c, staging, lane, stage, [&](int r) { store(r, of_first, kTransposedPitch, 32); });
}

}  // namespace tandem::cuda
