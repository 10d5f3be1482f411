// Idea:    four times 16 bytes of f32, 8 of f16, a thread, all loads before the first store: f32 to f16, or f16 to
//          f32.
// Limits:  any strides. Wide accesses need x and y with unit stride and their lines of four elements at the same
//          places, and rows of a multiple of 4; shorter rows than 16, and gaps, are taken element by element.
// Expect:  counted under the emulator: aligned runs and rows 100 % coalesced. Time on a device: not measured.
#include "common/dispatch/kernel.h"
#include "cuda/convert.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::convert_f16_vector {
namespace {

Code run(const ConvertArgs& args, const Queue& queue, Workspace) {
  return with_step<F16Bits>(args, [&](auto step) { return run_scaled(scaled(args), step, queue); });
}

// Efficiency: prior, not measured.
double cost(const ConvertProblem& p, const Machine& machine) {
  return seconds_for_bytes(Convert::bytes(p), p.contiguous ? 0.85 : 0.3, machine);
}

}  // namespace

extern const Kernel<Convert> kKernel;
const Kernel<Convert> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = takes_f16,
    .cost = cost,
    .workspace = no_workspace<Convert>,
    .run = run,
};

}  // namespace tandem::cuda::convert_f16_vector
