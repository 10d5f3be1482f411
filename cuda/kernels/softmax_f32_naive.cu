// Idea:    one thread a row: maximum, sum of exponentials, quotient, in three passes over memory.
// Limits:  any problem. Neighbouring threads read different rows, so contiguous rows are read 4 bytes of each 32-byte
//          sector at a time; few rows leave the device idle.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include "common/dispatch/kernel.h"
#include "common/ops/softmax.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::softmax_f32_naive {
namespace {

constexpr int kThreads = 128;

// A NaN, or a maximum that is infinite, makes the sum NaN and with it the row: no special case is needed.
__global__ void __launch_bounds__(kThreads)
    softmax_naive(const __grid_constant__ SoftmaxArgs args, std::int64_t first) {
  const std::int64_t row = first + static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (row >= args.rows.elements) return;
  std::int64_t at[2];
  offsets_of(args.rows, row, at);
  const float* x = static_cast<const float*>(args.x) + at[0];
  float* y = static_cast<float*>(args.y) + at[1];
  float top = -INFINITY;
  for (std::int64_t i = 0; i < args.length; ++i) top = fmaxf(top, x[i * args.x_stride]);
  float sum = 0.0f;
  for (std::int64_t i = 0; i < args.length; ++i) sum += expf(x[i * args.x_stride] - top);
  const float log_sum = args.fn == SoftmaxFn::log_softmax ? logf(sum) : 0.0f;
  for (std::int64_t i = 0; i < args.length; ++i) {
    const float shifted = x[i * args.x_stride] - top;
    y[i * args.y_stride] = args.fn == SoftmaxFn::softmax ? expf(shifted) / sum : shifted - log_sum;
  }
}

Code run(const SoftmaxArgs& args, const Queue& queue, Workspace) {
  return in_ranges(args.rows.elements, kMaxGridX * kThreads, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kThreads), kThreads, softmax_naive, args, first);
  });
}

// Efficiency: prior, not measured.
double cost(const SoftmaxProblem& p, const Machine& machine) {
  return seconds_for_bytes(Softmax::bytes(p), 0.04, machine);
}

}  // namespace

extern const Kernel<Softmax> kKernel;
const Kernel<Softmax> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = f32_only<Softmax>,
    .cost = cost,
    .workspace = no_workspace<Softmax>,
    .run = run,
};

}  // namespace tandem::cuda::softmax_f32_naive
