// Idea:    four times 16 bytes a thread, all loads before the first store; s8 and u8 by the same code.
// Limits:  any strides. 16 bytes need q and y with unit stride and their lines at the same places, rows of a multiple
//          of 16, and one zero point a row; with one for each column 4 bytes; shorter rows than 16, and gaps,
//          byte by byte.
// Expect:  counted under the emulator: aligned runs, rows and columns of scales 100 % coalesced. Time on a device: not
//          measured.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::quantized_relu_s8_vector {
namespace {

Code run(const QuantizedReluArgs& args, const Queue& queue, Workspace) {
  return run_scaled(scaled(args), QuantizedReluStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const QuantizedReluProblem& p, const Machine& machine) {
  return seconds_for_bytes(QuantizedRelu::bytes(p), p.contiguous ? 0.85 : 0.3, machine);
}

}  // namespace

extern const Kernel<QuantizedRelu> kKernel;
const Kernel<QuantizedRelu> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports_all<QuantizedRelu>,
    .cost = cost,
    .workspace = no_workspace<QuantizedRelu>,
    .run = run,
};

}  // namespace tandem::cuda::quantized_relu_s8_vector
