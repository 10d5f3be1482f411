// Idea:    four int4 a thread, all loads before the first store of four packed bytes; one multiplier for all, or one
//          for each column, which then is read once for four rows.
// Limits:  any strides. Wide accesses need acc and q with unit stride and their lines of four elements at the same
//          places, and rows of a multiple of 4; shorter rows than 16, and gaps, are taken element by element.
// Expect:  counted under the emulator: aligned runs, rows and columns of scales 100 % coalesced. Time on a device: not
//          measured.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::requantize_s32_vector {
namespace {

Code run(const RequantizeArgs& args, const Queue& queue, Workspace) {
  return run_scaled(scaled(args), RequantizeStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const RequantizeProblem& p, const Machine& machine) {
  return seconds_for_bytes(Requantize::bytes(p), p.contiguous ? 0.85 : 0.3, machine);
}

}  // namespace

extern const Kernel<Requantize> kKernel;
const Kernel<Requantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports_all<Requantize>,
    .cost = cost,
    .workspace = no_workspace<Requantize>,
    .run = run,
};

}  // namespace tandem::cuda::requantize_s32_vector
