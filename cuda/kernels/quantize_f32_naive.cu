// Idea:    one thread an element, any strides: the division, rounding to nearest even, zero point, clamp.
// Limits:  any problem. 4 bytes in flight a thread, and a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::quantize_f32_naive {
namespace {

Code run(const QuantizeArgs& args, const Queue& queue, Workspace) {
  return run_scaled_elements<1>(scaled(args), QuantizeStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const QuantizeProblem& p, const Machine& machine) {
  return seconds_for_bytes(Quantize::bytes(p), 0.3, machine);
}

}  // namespace

extern const Kernel<Quantize> kKernel;
const Kernel<Quantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<Quantize>,
    .cost = cost,
    .workspace = no_workspace<Quantize>,
    .run = run,
};

}  // namespace tandem::cuda::quantize_f32_naive
