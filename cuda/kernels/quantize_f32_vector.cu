// Idea:    four float4 a thread, all loads before the first store of four packed bytes; one scale for a run of
//          elements, a row, or one for each column, which then is read once for four rows.
// Limits:  any strides. Wide accesses need x and q with unit stride and their lines of four elements at the same
//          places, and rows of a multiple of 4; shorter rows than 16, and gaps, are taken element by element.
// Expect:  counted under the emulator: aligned runs, rows and columns of scales 100 % coalesced. Time on a device: not
//          measured.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::quantize_f32_vector {
namespace {

Code run(const QuantizeArgs& args, const Queue& queue, Workspace) {
  return run_scaled(scaled(args), QuantizeStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const QuantizeProblem& p, const Machine& machine) {
  return seconds_for_bytes(Quantize::bytes(p), p.contiguous ? 0.85 : 0.3, machine);
}

}  // namespace

extern const Kernel<Quantize> kKernel;
const Kernel<Quantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports_all<Quantize>,
    .cost = cost,
    .workspace = no_workspace<Quantize>,
    .run = run,
};

}  // namespace tandem::cuda::quantize_f32_vector
