// Idea:    one thread an element of c: the stored elements of its row of a, in their order.
// Limits:  any problem. The threads of a warp take consecutive columns; every stored element is read again by each.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "common/ops/spmm.h"
#include "cuda/gemm/epilogue.cuh"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::spmm_csr_naive {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) spmm_naive(const __grid_constant__ SpmmArgs args, std::int64_t first) {
  const MatmulArgs& d = args.dense;
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= d.m * d.n) return;
  const std::int64_t i = index / d.n, j = index % d.n;
  const float* b = static_cast<const float*>(d.b.data) + j * d.b.col;
  float sum = 0.0f;
  for (std::int64_t p = args.row_offsets[i]; p < args.row_offsets[i + 1]; ++p)
    sum = __fmaf_rn(args.values[p], b[args.columns[p] * d.b.row], sum);
  finish(d, sum, static_cast<float*>(d.c.data) + i * d.c.row + j * d.c.col, i, j);
}

Code run(const SpmmArgs& args, const Queue& queue, Workspace) {
  return in_ranges(args.dense.m * args.dense.n, kMaxGridX * kThreads, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kThreads), kThreads, spmm_naive, args, first);
  });
}

// Efficiency: prior, not measured.
double cost(const SpmmProblem& p, const Machine& machine) {
  return seconds_for_bytes(Spmm::bytes(p), 0.1, machine) + seconds_for_flops(Spmm::flops(p), 0.01, machine);
}

}  // namespace

extern const Kernel<Spmm> kKernel;
const Kernel<Spmm> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<Spmm>,
    .cost = cost,
    .workspace = no_workspace<Spmm>,
    .run = run,
};

}  // namespace tandem::cuda::spmm_csr_naive
