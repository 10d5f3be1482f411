// Idea:    32 x 32 tiles pass through shared memory, so that a warp reads along the contiguous dimension of x and
//          writes along that of y; one column of padding keeps both ways free of bank conflicts.
// Limits:  any strides and batches; elements of 1, 2 or 4 bytes; fewer than 2^31 tiles. Smaller elements move 32 or
//          64 bytes a warp instead of 128.
// Expect:  counted under the emulator for f32: no bank conflict, loads and stores 100 % coalesced. Time on a device:
//          not measured.
#include <cstdint>

#include "common/dispatch/kernel.h"
#include "common/ops/transpose.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::transpose_f32_tiled {
namespace {

constexpr int kTile = 32;
constexpr int kRows = 8;  // threads of a block: kTile x kRows

template <class T>
__global__ void __launch_bounds__(kTile* kRows)
    transpose_tiled(const __grid_constant__ TransposeArgs args, std::int64_t first_item, std::int64_t tiles_across) {
  __shared__ T tile[kTile][kTile + 1];  // [row of x][column of x]
  const std::int64_t i0 = blockIdx.x / tiles_across * kTile, j0 = blockIdx.x % tiles_across * kTile;
  const int rows = static_cast<int>(min(args.rows - i0, static_cast<std::int64_t>(kTile)));
  const int cols = static_cast<int>(min(args.cols - j0, static_cast<std::int64_t>(kTile)));
  const int lane = static_cast<int>(threadIdx.x);
  std::int64_t at[2];
  offsets_of(args.batch, first_item + blockIdx.y, at);
  const T* x = static_cast<const T*>(args.x) + at[0] + i0 * args.x_row + j0 * args.x_col;
  T* y = static_cast<T*>(args.y) + at[1] + j0 * args.y_row + i0 * args.y_col;

  // Lanes go along the columns of x, or down its rows, whichever is closer together in memory; likewise in y.
  const bool read_along_j = args.x_col <= args.x_row, write_along_i = args.y_col <= args.y_row;
#pragma unroll
  for (int r = static_cast<int>(threadIdx.y); r < kTile; r += kRows) {
    const int i = read_along_j ? r : lane, j = read_along_j ? lane : r;
    if (i < rows && j < cols) tile[i][j] = x[i * args.x_row + j * args.x_col];
  }
  __syncthreads();
#pragma unroll
  for (int r = static_cast<int>(threadIdx.y); r < kTile; r += kRows) {
    const int i = write_along_i ? lane : r, j = write_along_i ? r : lane;
    if (i < rows && j < cols) y[j * args.y_row + i * args.y_col] = tile[i][j];
  }
}

template <class T>
Code run_type(const TransposeArgs& args, const Queue& queue) {
  const std::int64_t across = ceil_div(args.cols, kTile);
  const std::int64_t tiles = across * ceil_div(args.rows, kTile);
  if (tiles == 0) return Code::ok;
  return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
    return launch(queue, dim3(static_cast<unsigned>(tiles), static_cast<unsigned>(items)), dim3(kTile, kRows),
                  transpose_tiled<T>, args, item, across);
  });
}

Code run(const TransposeArgs& args, const Queue& queue, Workspace) {
  switch (args.element_bytes) {
    case 1:
      return run_type<std::uint8_t>(args, queue);
    case 2:
      return run_type<std::uint16_t>(args, queue);
    case 4:
      return run_type<std::uint32_t>(args, queue);
  }
  return Code::unsupported;
}

Refusal supports(const TransposeProblem& p, const Machine&) {
  return ceil_div(p.rows, kTile) * ceil_div(p.cols, kTile) > kMaxGridX ? "needs fewer than 2^31 tiles of 32 x 32"
                                                                       : nullptr;
}

// Efficiency: prior, not measured.
double cost(const TransposeProblem& p, const Machine& machine) {
  const bool small = p.dtype == DType::s8 || p.dtype == DType::u8;
  return seconds_for_bytes(Transpose::bytes(p), small ? 0.3 : 0.75, machine);
}

}  // namespace

extern const Kernel<Transpose> kKernel;
const Kernel<Transpose> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Transpose>,
    .run = run,
};

}  // namespace tandem::cuda::transpose_f32_tiled
