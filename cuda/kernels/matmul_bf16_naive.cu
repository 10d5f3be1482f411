// Idea:    one thread computes one element of c from single elements of a and b, f32 sums with k ascending; the threads
//          of a warp take consecutive columns, so that rows of b and c are read and written whole.
// Limits:  bf16 operands; any sizes, strides and batches. Every operand comes from memory or cache again for each
//          multiply-add.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/gemm/bf16_epilogue.cuh"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::matmul_bf16_naive {
namespace {

constexpr int kCols = 32, kRows = 8;  // elements of c a block

__global__ void __launch_bounds__(kCols* kRows)
    bf16_naive(const __grid_constant__ MatmulArgs args, std::int64_t first_item, std::int64_t first_tile,
               std::int64_t tiles_n) {
  const std::int64_t tile = first_tile + blockIdx.x;
  const std::int64_t i = tile / tiles_n * kRows + threadIdx.y;
  const std::int64_t j = tile % tiles_n * kCols + threadIdx.x;
  if (i >= args.m || j >= args.n) return;
  const Bf16Item item = bf16_item_of(args, first_item + blockIdx.y);
  float sum = 0.0f;
  for (std::int64_t k = 0; k < args.k; ++k)
    sum = __fmaf_rn(bf16_value(item.a[i * args.a.row + k * args.a.col]),
                    bf16_value(item.b[k * args.b.row + j * args.b.col]), sum);
  finish(args, sum, item.c, i, j);
}

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::bf16 ? nullptr : "needs bf16 operands";
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  return in_tiles(args.m, args.n, args.batch.elements, kRows, kCols,
                  [&](dim3 grid, std::int64_t item, std::int64_t tile, std::int64_t tiles_n) {
                    return launch(queue, grid, dim3(kCols, kRows), bf16_naive, args, item, tile, tiles_n);
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
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_bf16_naive
