// Idea:    one thread an element, any strides: (q - z) * s; s8 and u8.
// Limits:  any problem. 1 bytes in flight a thread, and a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::dequantize_s8_naive {
namespace {

Code run(const QuantizeArgs& args, const Queue& queue, Workspace) {
  return run_scaled_elements<1>(scaled(args), DequantizeStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const Dequantize::Problem& p, const Machine& machine) {
  return seconds_for_bytes(Dequantize::bytes(p), 0.3, machine);
}

}  // namespace

extern const Kernel<Dequantize> kKernel;
const Kernel<Dequantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<Dequantize>,
    .cost = cost,
    .workspace = no_workspace<Dequantize>,
    .run = run,
};

}  // namespace tandem::cuda::dequantize_s8_naive
