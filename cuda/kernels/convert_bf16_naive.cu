// Idea:    one thread an element, any strides: f32 to bf16, or bf16 to f32.
// Limits:  any problem. 2 or 4 bytes in flight a thread, and a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/convert.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::convert_bf16_naive {
namespace {

Code run(const ConvertArgs& args, const Queue& queue, Workspace) {
  return with_step<Bf16Bits>(args, [&](auto step) { return run_scaled_elements<1>(scaled(args), step, queue); });
}

// Efficiency: prior, not measured.
double cost(const ConvertProblem& p, const Machine& machine) {
  return seconds_for_bytes(Convert::bytes(p), 0.3, machine);
}

}  // namespace

extern const Kernel<Convert> kKernel;
const Kernel<Convert> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = takes_bf16,
    .cost = cost,
    .workspace = no_workspace<Convert>,
    .run = run,
};

}  // namespace tandem::cuda::convert_bf16_naive
