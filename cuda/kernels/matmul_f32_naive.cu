// Idea:    one thread computes one element of c; the threads of a warp take consecutive columns, so that rows of b
//          and c are read and written whole.
// Limits:  any sizes, strides and batches. Every operand comes from memory or cache again for each multiply-add.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cuda/gemm/epilogue.cuh"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::matmul_f32_naive {
namespace {

constexpr int kCols = 32, kRows = 8;  // elements of c a block

__global__ void __launch_bounds__(kCols* kRows)
    matmul_naive(const __grid_constant__ MatmulArgs args, std::int64_t first_item, std::int64_t first_tile,
                 std::int64_t tiles_n) {
  const std::int64_t tile = first_tile + blockIdx.x;
  const std::int64_t i = tile / tiles_n * kRows + threadIdx.y;
  const std::int64_t j = tile % tiles_n * kCols + threadIdx.x;
  if (i >= args.m || j >= args.n) return;
  const Item item = item_of(args, first_item + blockIdx.y);
  const float* a = item.a + i * args.a.row;
  const float* b = item.b + j * args.b.col;
  float sum = 0.0f;
  for (std::int64_t k = 0; k < args.k; ++k) sum = __fmaf_rn(a[k * args.a.col], b[k * args.b.row], sum);
  finish(args, sum, item.c + i * args.c.row + j * args.c.col, i, j);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  return in_tiles(args.m, args.n, args.batch.elements, kRows, kCols,
                  [&](dim3 grid, std::int64_t item, std::int64_t tile, std::int64_t tiles_n) {
                    return launch(queue, grid, dim3(kCols, kRows), matmul_naive, args, item, tile, tiles_n);
                  });
}

// Efficiency: prior, not measured.
double cost(const MatmulProblem& p, const Machine& machine) {
  return seconds_for_flops(Matmul::flops(p), 0.05, machine);
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = f32_only<Matmul>,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_f32_naive
