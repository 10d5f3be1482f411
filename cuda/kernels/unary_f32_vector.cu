// Idea:    a thread moves four float4, all loads before the first store, so that enough bytes are in flight to cover
//          the latency of device memory; the function is part of the code; data larger than L2 passes through it
//          without staying.
// Limits:  any problem. float4 needs contiguous x and y with their 16-byte lines at the same places; else the
//          elements are moved one by one, four a thread. Strided views walk their strides for each element.
// Expect:  counted under the emulator: aligned loads and stores 100 % coalesced. Time on a device: not measured.
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/math.cuh"
#include "cuda/prior.h"
#include "cuda/vector.cuh"

namespace tandem::cuda::unary_f32_vector {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 4;  // accesses of a thread

template <UnaryFn kFn, bool kOnce>
__global__ void __launch_bounds__(kThreads) unary_vector(const float* x, float* y, std::int64_t count, Split split) {
  const auto function = [](float v) { return apply<kFn>(v); };
  const auto* lines_x = reinterpret_cast<const float4*>(x + split.head);
  auto* lines_y = reinterpret_cast<float4*>(y + split.head);
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * (kThreads * kPer) + threadIdx.x;
  float4 v[kPer];
#pragma unroll
  for (int u = 0; u < kPer; ++u)
    if (first + u * kThreads < split.body) v[u] = load<kOnce>(lines_x + first + u * kThreads);
#pragma unroll
  for (int u = 0; u < kPer; ++u)
    if (first + u * kThreads < split.body) store<kOnce>(lines_y + first + u * kThreads, map(v[u], function));
  if (blockIdx.x != 0) return;
  // At most three elements before the lines and three after them.
  const std::int64_t end = split.head + 4 * split.body;
  if (threadIdx.x < split.head) y[threadIdx.x] = apply<kFn>(x[threadIdx.x]);
  if (threadIdx.x < count - end) y[end + threadIdx.x] = apply<kFn>(x[end + threadIdx.x]);
}

template <UnaryFn kFn, bool kContiguous>
__global__ void __launch_bounds__(kThreads)
    unary_elements(const __grid_constant__ UnaryArgs args, std::int64_t first_of_launch) {
  const std::int64_t first = first_of_launch + static_cast<std::int64_t>(blockIdx.x) * (kThreads * kPer) + threadIdx.x;
  float v[kPer];
  std::int64_t to[kPer];
#pragma unroll
  for (int u = 0; u < kPer; ++u) {
    const std::int64_t index = first + u * kThreads;
    if (index >= args.loops.elements) break;
    std::int64_t at[2] = {index, index};
    if constexpr (!kContiguous) offsets_of(args.loops, index, at);
    v[u] = static_cast<const float*>(args.x)[at[0]];
    to[u] = at[1];
  }
#pragma unroll
  for (int u = 0; u < kPer; ++u)
    if (first + u * kThreads < args.loops.elements) static_cast<float*>(args.y)[to[u]] = apply<kFn>(v[u]);
}

template <UnaryFn kFn>
Code run_fn(const UnaryArgs& args, const Queue& queue) {
  const std::int64_t count = args.loops.elements;
  if (args.loops.contiguous() && same_lines(args.x, args.y)) {
    const Split split = split_at_lines(args.y, count);
    const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(split.body, kThreads * kPer));
    const bool once = larger_than_l2(8.0 * static_cast<double>(count), *queue.machine);
    return launch(queue, static_cast<unsigned>(blocks), kThreads,
                  once ? unary_vector<kFn, true> : unary_vector<kFn, false>, static_cast<const float*>(args.x),
                  static_cast<float*>(args.y), count, split);
  }
  constexpr int kPerBlock = kThreads * kPer;
  return in_ranges(count, kMaxGridX * kPerBlock, [&](std::int64_t first, std::int64_t part) {
    return launch(queue, blocks_for(part, kPerBlock), kThreads,
                  args.loops.contiguous() ? unary_elements<kFn, true> : unary_elements<kFn, false>, args, first);
  });
}

// 2^31 blocks of the float4 form are more elements than any device has bytes.
Code run(const UnaryArgs& args, const Queue& queue, Workspace) {
  if (args.loops.elements == 0) return Code::ok;
  switch (args.fn) {
    case UnaryFn::relu:
      return run_fn<UnaryFn::relu>(args, queue);
    case UnaryFn::gelu_erf:
      return run_fn<UnaryFn::gelu_erf>(args, queue);
    case UnaryFn::gelu_tanh:
      return run_fn<UnaryFn::gelu_tanh>(args, queue);
    case UnaryFn::gelu_sigmoid:
      return run_fn<UnaryFn::gelu_sigmoid>(args, queue);
    case UnaryFn::sigmoid:
      return run_fn<UnaryFn::sigmoid>(args, queue);
    case UnaryFn::tanh:
      return run_fn<UnaryFn::tanh>(args, queue);
    case UnaryFn::silu:
      return run_fn<UnaryFn::silu>(args, queue);
    case UnaryFn::exp:
      return run_fn<UnaryFn::exp>(args, queue);
  }
  return Code::internal;
}

// Efficiency: prior, not measured.
double cost(const UnaryProblem& p, const Machine& machine) {
  return seconds_for_bytes(Unary::bytes(p), p.contiguous ? 0.9 : 0.5, machine);
}

}  // namespace

extern const Kernel<Unary> kKernel;
const Kernel<Unary> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = f32_only<Unary>,
    .cost = cost,
    .workspace = no_workspace<Unary>,
    .run = run,
};

}  // namespace tandem::cuda::unary_f32_vector
