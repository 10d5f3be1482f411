// Idea:    four times four packed bytes a thread, all loads before the first float4 stored; one scale for a run of
//          elements, a row, or one for each column, which then is read once for four rows; s8 and u8 by the same code.
// Limits:  any strides. Wide accesses need q and x with unit stride and their lines of four elements at the same
//          places, and rows of a multiple of 4; shorter rows than 16, and gaps, are taken element by element.
// Expect:  counted under the emulator: aligned runs, rows and columns of scales 100 % coalesced. Time on a device: not
//          measured.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::dequantize_s8_vector {
namespace {

Code run(const QuantizeArgs& args, const Queue& queue, Workspace) {
  return run_scaled(scaled(args), DequantizeStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const Dequantize::Problem& p, const Machine& machine) {
  return seconds_for_bytes(Dequantize::bytes(p), p.contiguous ? 0.85 : 0.3, machine);
}

}  // namespace

extern const Kernel<Dequantize> kKernel;
const Kernel<Dequantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports_all<Dequantize>,
    .cost = cost,
    .workspace = no_workspace<Dequantize>,
    .run = run,
};

}  // namespace tandem::cuda::dequantize_s8_vector
