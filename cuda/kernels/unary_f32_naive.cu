// Idea:    one thread an element, any strides, the function chosen at run time.
// Limits:  any problem. 4 bytes in flight a thread, and a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/math.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::unary_f32_naive {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads) unary_naive(const __grid_constant__ UnaryArgs args, std::int64_t first) {
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= args.loops.elements) return;
  std::int64_t at[2];
  offsets_of(args.loops, index, at);
  static_cast<float*>(args.y)[at[1]] = apply(args.fn, static_cast<const float*>(args.x)[at[0]]);
}

Code run(const UnaryArgs& args, const Queue& queue, Workspace) {
  return in_ranges(args.loops.elements, kMaxGridX * kThreads, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kThreads), kThreads, unary_naive, args, first);
  });
}

// Efficiency: prior, not measured.
double cost(const UnaryProblem& p, const Machine& machine) { return seconds_for_bytes(Unary::bytes(p), 0.4, machine); }

}  // namespace

extern const Kernel<Unary> kKernel;
const Kernel<Unary> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = f32_only<Unary>,
    .cost = cost,
    .workspace = no_workspace<Unary>,
    .run = run,
};

}  // namespace tandem::cuda::unary_f32_naive
