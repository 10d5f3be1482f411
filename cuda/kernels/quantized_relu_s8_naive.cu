// Idea:    one thread an element, any strides: max(q, z); s8 and u8.
// Limits:  any problem. 1 bytes in flight a thread, and a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::quantized_relu_s8_naive {
namespace {

Code run(const QuantizedReluArgs& args, const Queue& queue, Workspace) {
  return run_scaled_elements<1>(scaled(args), QuantizedReluStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const QuantizedReluProblem& p, const Machine& machine) {
  return seconds_for_bytes(QuantizedRelu::bytes(p), 0.3, machine);
}

}  // namespace

extern const Kernel<QuantizedRelu> kKernel;
const Kernel<QuantizedRelu> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<QuantizedRelu>,
    .cost = cost,
    .workspace = no_workspace<QuantizedRelu>,
    .run = run,
};

}  // namespace tandem::cuda::quantized_relu_s8_naive
