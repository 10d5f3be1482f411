// Idea:    one block a channel reads it twice, through its strides: for the range, and to quantise it.
// Limits:  any problem. One channel is one block, whatever its length; a walk through the strides for each element.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/ranges.cuh"

namespace tandem::cuda::dynamic_quantize_f32_naive {
namespace {

constexpr int kThreads = 256;

__global__ void __launch_bounds__(kThreads)
    dynamic_quantize_naive(const __grid_constant__ DynamicQuantizeArgs args, ScaleRule rule, QuantizeStep step,
                           std::int64_t first) {
  const std::int64_t channel = first + blockIdx.x;
  const float* x = args.x + channel * args.x_channel;
  auto* q = static_cast<std::uint8_t*>(args.q) + channel * args.q_channel;
  std::int64_t at[2];
  Range range;
  for (std::int64_t i = threadIdx.x; i < args.inner.elements; i += kThreads) {
    offsets_of(args.inner, i, at);
    range.take(x[at[0]]);
  }
  const ScaleAndZero s = settle_scale(args, rule, channel, joined<kThreads>(range), threadIdx.x == 0);
  for (std::int64_t i = threadIdx.x; i < args.inner.elements; i += kThreads) {
    offsets_of(args.inner, i, at);
    q[at[1]] = step(x[at[0]], s.scale, s.zero_point);
  }
}

Code run(const DynamicQuantizeArgs& args, const Queue& queue, Workspace) {
  const ScaleRule rule(args.dtype, args.scheme);
  const QuantizeStep step(range_of(args.dtype, args.scheme == Scheme::symmetric));
  return in_ranges(args.channels, kMaxGridX, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, static_cast<unsigned>(count), kThreads, dynamic_quantize_naive, args, rule, step, first);
  });
}

// Efficiency: prior, not measured. One block reads some 10 GB/s.
double cost(const DynamicQuantizeProblem& p, const Machine& machine) {
  const double one_block = 9.0 * static_cast<double>(p.length) / 10e9;
  return std::max(one_block, seconds_for_bytes(DynamicQuantize::bytes(p), 0.2, machine));
}

}  // namespace

extern const Kernel<DynamicQuantize> kKernel;
const Kernel<DynamicQuantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<DynamicQuantize>,
    .cost = cost,
    .workspace = no_workspace<DynamicQuantize>,
    .run = run,
};

}  // namespace tandem::cuda::dynamic_quantize_f32_naive
