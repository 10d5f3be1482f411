// Idea:    one thread an element; a warp reads along a row of x and writes down a column of y.
// Limits:  any problem; elements of 1, 2 or 4 bytes. Each write of a warp touches 32 sectors.
// Expect:  the reference of the GPU side, chosen only when nothing else is left; its speed is not a goal.
#include <cstdint>

#include "common/dispatch/kernel.h"
#include "common/ops/transpose.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/prior.h"

namespace tandem::cuda::transpose_f32_naive {
namespace {

constexpr int kThreads = 256;

template <class T>
__global__ void __launch_bounds__(kThreads)
    transpose_naive(const __grid_constant__ TransposeArgs args, std::int64_t first, std::int64_t first_item) {
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= args.rows * args.cols) return;
  const std::int64_t i = index / args.cols, j = index % args.cols;
  std::int64_t at[2];
  offsets_of(args.batch, first_item + blockIdx.y, at);
  static_cast<T*>(args.y)[at[1] + j * args.y_row + i * args.y_col] =
      static_cast<const T*>(args.x)[at[0] + i * args.x_row + j * args.x_col];
}

template <class T>
Code run_type(const TransposeArgs& args, const Queue& queue) {
  return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
    return in_ranges(args.rows * args.cols, kMaxGridX * kThreads, [&](std::int64_t first, std::int64_t count) {
      return launch(queue, dim3(blocks_for(count, kThreads), static_cast<unsigned>(items)), kThreads,
                    transpose_naive<T>, args, first, item);
    });
  });
}

Code run(const TransposeArgs& args, const Queue& queue, Workspace) {
  switch (args.element_bytes) {
    case 1:
      return run_type<std::uint8_t>(args, queue);
    case 2:
      return run_type<std::uint16_t>(args, queue);
    case 4:
      return run_type<std::uint32_t>(args, queue);
  }
  return Code::unsupported;
}

// Efficiency: prior, not measured.
double cost(const TransposeProblem& p, const Machine& machine) {
  return seconds_for_bytes(Transpose::bytes(p), 0.15, machine);
}

}  // namespace

extern const Kernel<Transpose> kKernel;
const Kernel<Transpose> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.reference = true},
    .supports = supports_all<Transpose>,
    .cost = cost,
    .workspace = no_workspace<Transpose>,
    .run = run,
};

}  // namespace tandem::cuda::transpose_f32_naive
