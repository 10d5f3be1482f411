// Idea:    thrust::transform: what the toolkit's own algorithm makes of a contiguous elementwise function.
// Limits:  contiguous operands; the function is chosen at run time, by the same branch in all threads.
// Expect:  time on a device: not measured.
#include <thrust/execution_policy.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/transform.h>

#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cuda/launch.h"
#include "cuda/math.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::unary_f32_thrust {
namespace {

struct Function {
  UnaryFn fn;
  __device__ float operator()(float x) const { return apply(fn, x); }
};

Refusal supports(const UnaryProblem& p, const Machine& machine) {
  if (!p.contiguous) return "needs contiguous operands";
  return f32_only<Unary>(p, machine);
}

Code run(const UnaryArgs& args, const Queue& queue, Workspace) {
  if (args.loops.elements == 0) return Code::ok;
  const auto* x = static_cast<const float*>(args.x);
  forget_last_error();
  try {
    // nosync: returns when the work is enqueued. A transform allocates nothing.
    thrust::transform(thrust::cuda::par_nosync.on(static_cast<cudaStream_t>(queue.stream)), x, x + args.loops.elements,
                      static_cast<float*>(args.y), Function{args.fn});
  } catch (...) {
    const Code code = to_code(cudaPeekAtLastError());
    return code == Code::ok ? Code::device_error : code;
  }
  return to_code(cudaPeekAtLastError());
}

// Efficiency: prior, not measured.
double cost(const UnaryProblem& p, const Machine& machine) { return seconds_for_bytes(Unary::bytes(p), 0.85, machine); }

}  // namespace

extern const Kernel<Unary> kKernel;
const Kernel<Unary> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Unary>,
    .run = run,
};

}  // namespace tandem::cuda::unary_f32_thrust
