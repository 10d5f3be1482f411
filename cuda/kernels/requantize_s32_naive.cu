// Idea:    one thread an element, any strides: conversion to f32, product, rounding, zero point, clamp.
// Limits:  any problem. 4 bytes in flight a thread, and a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/scaled.cuh"

namespace tandem::cuda::requantize_s32_naive {
namespace {

Code run(const RequantizeArgs& args, const Queue& queue, Workspace) {
  return run_scaled_elements<1>(scaled(args), RequantizeStep(args), queue);
}

// Efficiency: prior, not measured.
double cost(const RequantizeProblem& p, const Machine& machine) {
  return seconds_for_bytes(Requantize::bytes(p), 0.3, machine);
}

}  // namespace

extern const Kernel<Requantize> kKernel;
const Kernel<Requantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<Requantize>,
    .cost = cost,
    .workspace = no_workspace<Requantize>,
    .run = run,
};

}  // namespace tandem::cuda::requantize_s32_naive
