// Idea:    one block an output: each of 256 threads adds up every 256th element, then a tree joins them.
// Limits:  any problem. One output is one block, whatever its length; a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "common/ops/reduce.h"
#include "cuda/prior.h"
#include "cuda/reduction.cuh"

namespace tandem::cuda::reduce_f32_naive {
namespace {

Code run(const ReduceArgs& args, const Queue& queue, Workspace) {
  return with_reduction(args.fn, [&]<ReduceFn kFn>() { return launch_strided<kFn, kReduceThreads>(args, queue); });
}

// Efficiency: prior, not measured. One block reads some 10 GB/s.
double cost(const ReduceProblem& p, const Machine& machine) {
  const double one_block = Reduce::bytes(p) / static_cast<double>(std::max<std::int64_t>(p.outputs, 1)) / 10e9;
  return std::max(one_block, seconds_for_bytes(Reduce::bytes(p), p.contiguous ? 0.5 : 0.1, machine));
}

}  // namespace

extern const Kernel<Reduce> kKernel;
const Kernel<Reduce> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = f32_only<Reduce>,
    .cost = cost,
    .workspace = no_workspace<Reduce>,
    .run = run,
};

}  // namespace tandem::cuda::reduce_f32_naive
