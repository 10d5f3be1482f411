// Idea:    a block brings 32 x 32 tiles of a and b to shared memory and uses each element 32 times; a thread computes
//          4 elements of c, and reads four depths of a at once.
// Limits:  m, n and k below 2^31; any strides, batches and alignment. Half a shared-memory load for each multiply-add
//          bounds it well below the multiply-add rate.
// Expect:  counted under the emulator at 256 x 256 x 256, all layouts: no bank conflict, global loads 100 %
//          coalesced. On an H100 15 TFLOP/s from 2048 cubed on, 0.3 of cuBLAS.
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cuda/gemm/epilogue.cuh"
#include "cuda/gemm/tile_order.h"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::matmul_f32_tiled {
namespace {

constexpr int kTile = 32;
constexpr int kRows = 8;             // threads of a block: kTile x kRows
constexpr int kPer = kTile / kRows;  // elements of c a thread
constexpr int kBand = 16;            // tile rows that run side by side, see tile_at
constexpr int kPitchB = kTile + 1;   // b may be stored down its columns without bank conflicts

/// Where a(i, k) of the tile is: rows of 32, in which groups of four depths change places from row to row, so that both
/// a warp that stores along k and one that stores float4 down the rows touch every bank once.
__device__ __forceinline__ int place_a(int i, int k) { return i * kTile + ((((k >> 2) ^ i) & 7) << 2 | (k & 3)); }

/// The tile of a at rows i0, depths k0. A warp reads along whichever dimension is contiguous in memory.
__device__ __forceinline__ void load_a(const MatmulArgs& args, const float* a, int rows, int depth, float* tile) {
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  if (args.a.col <= args.a.row) {
#pragma unroll
    for (int p = 0; p < kPer; ++p) {
      const int i = y + p * kRows;
      tile[place_a(i, x)] = i < rows && x < depth ? a[i * args.a.row + x * args.a.col] : 0.0f;
    }
  } else {
    float v[kPer];
#pragma unroll
    for (int p = 0; p < kPer; ++p) {
      const int k = y * kPer + p;
      v[p] = x < rows && k < depth ? a[x * args.a.row + k * args.a.col] : 0.0f;
    }
    *reinterpret_cast<float4*>(&tile[place_a(x, y * kPer)]) = make_float4(v[0], v[1], v[2], v[3]);
  }
}

__device__ __forceinline__ void load_b(const MatmulArgs& args, const float* b, int cols, int depth, float* tile) {
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);
  const bool along_n = args.b.col <= args.b.row;
#pragma unroll
  for (int p = 0; p < kPer; ++p) {
    const int other = y + p * kRows;
    const int k = along_n ? other : x, j = along_n ? x : other;
    tile[k * kPitchB + j] = k < depth && j < cols ? b[k * args.b.row + j * args.b.col] : 0.0f;
  }
}

__global__ void __launch_bounds__(kTile* kRows)
    matmul_tiled(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m, unsigned tiles_n) {
  __shared__ __align__(16) float tile_a[kTile * kTile];
  __shared__ float tile_b[kTile * kPitchB];
  const TileAt at = tile_at(blockIdx.x, tiles_m, tiles_n, kBand);
  const std::int64_t i0 = static_cast<std::int64_t>(at.row) * kTile, j0 = static_cast<std::int64_t>(at.col) * kTile;
  const int rows = static_cast<int>(min(args.m - i0, static_cast<std::int64_t>(kTile)));
  const int cols = static_cast<int>(min(args.n - j0, static_cast<std::int64_t>(kTile)));
  const Item item = item_of(args, first_item + blockIdx.y);
  const float* a = item.a + i0 * args.a.row;
  const float* b = item.b + j0 * args.b.col;
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y);

  float sum[kPer] = {};
  for (std::int64_t k0 = 0; k0 < args.k; k0 += kTile) {
    const int depth = static_cast<int>(min(args.k - k0, static_cast<std::int64_t>(kTile)));
    load_a(args, a, rows, depth, tile_a);
    load_b(args, b, cols, depth, tile_b);
    a += kTile * args.a.col;
    b += kTile * args.b.row;
    __syncthreads();
#pragma unroll
    for (int k = 0; k < kTile; k += 4) {
      float bk[4];
#pragma unroll
      for (int e = 0; e < 4; ++e) bk[e] = tile_b[(k + e) * kPitchB + x];
#pragma unroll
      for (int p = 0; p < kPer; ++p) {
        const float4 ak = *reinterpret_cast<const float4*>(&tile_a[place_a(y + p * kRows, k)]);
        sum[p] = __fmaf_rn(ak.x, bk[0], sum[p]);
        sum[p] = __fmaf_rn(ak.y, bk[1], sum[p]);
        sum[p] = __fmaf_rn(ak.z, bk[2], sum[p]);
        sum[p] = __fmaf_rn(ak.w, bk[3], sum[p]);
      }
    }
    __syncthreads();
  }
#pragma unroll
  for (int p = 0; p < kPer; ++p) {
    const int i = y + p * kRows;
    if (i >= rows || x >= cols) continue;
    finish(args, sum[p], item.c + (i0 + i) * args.c.row + (j0 + x) * args.c.col, i0 + i, j0 + x);
  }
}

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (p.m > kMaxGridX || p.n > kMaxGridX || p.k > kMaxGridX) return "needs m, n and k below 2^31";
  if (ceil_div(p.m, kTile) * ceil_div(p.n, kTile) > kMaxGridX) return "needs fewer than 2^31 tiles of 32 x 32";
  return f32_only<Matmul>(p, machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  const unsigned tiles_m = blocks_for(args.m, kTile), tiles_n = blocks_for(args.n, kTile);
  if (tiles_m == 0 || tiles_n == 0) return Code::ok;
  return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
    return launch(queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items)), dim3(kTile, kRows), matmul_tiled, args,
                  item, tiles_m, tiles_n);
  });
}

// Efficiency: prior, not measured. Work in whole tiles, and no faster than one wave of eight blocks a multiprocessor.
double cost(const MatmulProblem& p, const Machine& machine) {
  const double tiles = static_cast<double>(ceil_div(p.m, kTile) * ceil_div(p.n, kTile) * p.batch);
  const double padded =
      std::max(tiles, 8.0 * multiprocessors(machine)) * kTile * kTile * 2.0 * static_cast<double>(p.k);
  return std::max(seconds_for_flops(padded, 0.12, machine), seconds_for_bytes(Matmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_f32_tiled
