// Idea:    a thread moves two float4 of each operand, all loads before the first store; the function is part of the
//          code. Operands that are one number or one row for the whole result are read as such: a block covers
//          several rows, so that a broadcast row comes from the first-level cache after its first use.
// Limits:  any problem. float4 needs contiguous operands with their 16-byte lines at the same places, or rows of a
//          multiple of 4 that are all aligned; else the elements are moved one by one. More than two dimensions that
//          do not merge walk their strides for each element.
// Expect:  counted under the emulator: aligned loads and stores 100 % coalesced. Time on a device: not measured.
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/math.cuh"
#include "cuda/prior.h"
#include "cuda/vector.cuh"

namespace tandem::cuda::binary_f32_vector {
namespace {

constexpr int kThreads = 256;
constexpr int kPer = 2;   // accesses of a thread and operand, in the contiguous form
constexpr int kRows = 4;  // rows of a thread, in the form by rows

struct Operands {
  const float* a;
  const float* b;
  float* out;
};

/// An operand of unit stride, or one number for all.
template <bool kOne, bool kOnce>
__device__ __forceinline__ float4 line_of(const float* at, std::int64_t line) {
  if constexpr (kOne) {
    const float v = *at;
    return make_float4(v, v, v, v);
  } else {
    return load<kOnce>(reinterpret_cast<const float4*>(at) + line);
  }
}

template <BinaryFn kFn, bool kOneA, bool kOneB, bool kOnce>
__global__ void __launch_bounds__(kThreads) binary_vector(Operands p, std::int64_t count, Split split) {
  const auto function = [](float a, float b) { return apply<kFn>(a, b); };
  const float* a = p.a + (kOneA ? 0 : split.head);
  const float* b = p.b + (kOneB ? 0 : split.head);
  auto* out = reinterpret_cast<float4*>(p.out + split.head);
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * (kThreads * kPer) + threadIdx.x;
  float4 va[kPer], vb[kPer];
#pragma unroll
  for (int u = 0; u < kPer; ++u) {
    const std::int64_t line = first + u * kThreads;
    if (line >= split.body) break;
    va[u] = line_of<kOneA, kOnce>(a, line);
    vb[u] = line_of<kOneB, kOnce>(b, line);
  }
#pragma unroll
  for (int u = 0; u < kPer; ++u)
    if (first + u * kThreads < split.body) store<kOnce>(out + first + u * kThreads, map(va[u], vb[u], function));
  if (blockIdx.x != 0) return;
  // At most three elements before the lines and three after them.
  const std::int64_t end = split.head + 4 * split.body;
  const auto single = [&](std::int64_t i) { p.out[i] = apply<kFn>(p.a[kOneA ? 0 : i], p.b[kOneB ? 0 : i]); };
  if (threadIdx.x < split.head) single(threadIdx.x);
  if (threadIdx.x < count - end) single(end + threadIdx.x);
}

/// Two dimensions with any strides: blocks of kThreads columns (of float4 when kWidth is 4) and kRows rows.
template <BinaryFn kFn, int kWidth>
__global__ void __launch_bounds__(kThreads)
    binary_rows(const __grid_constant__ BinaryArgs args, std::int64_t first_row, std::int64_t blocks_across) {
  const auto function = [](float a, float b) { return apply<kFn>(a, b); };
  const std::int64_t col = (blockIdx.x % blocks_across * kThreads + threadIdx.x) * kWidth;
  const std::int64_t row = first_row + blockIdx.x / blocks_across * kRows;
  if (col >= args.loops.shape[1]) return;
  const auto& strides = args.loops.strides;
  const float* a = static_cast<const float*>(args.a) + row * strides[0][0] + col * strides[0][1];
  const float* b = static_cast<const float*>(args.b) + row * strides[1][0] + col * strides[1][1];
  float* out = static_cast<float*>(args.out) + row * strides[2][0] + col * strides[2][1];
  const auto line = [&](const float* at, std::int64_t stride) {
    return stride == 0 ? line_of<true, false>(at, 0) : line_of<false, false>(at, 0);
  };
#pragma unroll
  for (int r = 0; r < kRows; ++r) {
    if (row + r >= args.loops.shape[0]) return;
    if constexpr (kWidth == 4)
      *reinterpret_cast<float4*>(out) = map(line(a, strides[0][1]), line(b, strides[1][1]), function);
    else
      *out = apply<kFn>(*a, *b);
    a += strides[0][0];
    b += strides[1][0];
    out += strides[2][0];
  }
}

template <BinaryFn kFn>
__global__ void __launch_bounds__(kThreads)
    binary_elements(const __grid_constant__ BinaryArgs args, std::int64_t first) {
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (index >= args.loops.elements) return;
  std::int64_t at[3];
  offsets_of(args.loops, index, at);
  static_cast<float*>(args.out)[at[2]] =
      apply<kFn>(static_cast<const float*>(args.a)[at[0]], static_cast<const float*>(args.b)[at[1]]);
}

template <BinaryFn kFn, bool kOneA, bool kOneB>
Code run_vector(const BinaryArgs& args, const Queue& queue) {
  const std::int64_t count = args.loops.elements;
  const Split split = split_at_lines(args.out, count);
  const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(split.body, kThreads * kPer));
  const bool once = larger_than_l2(12.0 * static_cast<double>(count), *queue.machine);
  const Operands operands = {static_cast<const float*>(args.a), static_cast<const float*>(args.b),
                             static_cast<float*>(args.out)};
  return launch(queue, static_cast<unsigned>(blocks), kThreads,
                once ? binary_vector<kFn, kOneA, kOneB, true> : binary_vector<kFn, kOneA, kOneB, false>, operands,
                count, split);
}

/// Whether every row of every operand is a run of aligned float4, or one number.
bool rows_of_lines(const BinaryArgs& args) {
  if (args.loops.shape[1] % 4 != 0 || args.loops.strides[2][1] != 1) return false;
  const void* pointers[3] = {args.a, args.b, args.out};
  for (int i = 0; i < 3; ++i) {
    if (args.loops.strides[i][1] == 0) continue;
    if (args.loops.strides[i][1] != 1 || args.loops.strides[i][0] % 4 != 0 || !aligned16(pointers[i])) return false;
  }
  return true;
}

template <BinaryFn kFn, int kWidth>
Code run_rows(const BinaryArgs& args, const Queue& queue) {
  const std::int64_t across = ceil_div(args.loops.shape[1], kThreads * kWidth);
  const std::int64_t rows_a_launch = std::max<std::int64_t>(1, kMaxGridX / across) * kRows;
  return in_ranges(args.loops.shape[0], rows_a_launch, [&](std::int64_t row, std::int64_t rows) {
    return launch(queue, static_cast<unsigned>(ceil_div(rows, kRows) * across), kThreads, binary_rows<kFn, kWidth>,
                  args, row, across);
  });
}

template <BinaryFn kFn>
Code run_fn(const BinaryArgs& args, const Queue& queue) {
  const auto& loops = args.loops;
  const auto is = [&](int operand, std::int64_t stride) {
    return loops.rank == 0 || loops.strides[operand][0] == stride;
  };
  if (loops.rank <= 1 && is(2, 1)) {
    const bool lines_a = same_lines(args.a, args.out), lines_b = same_lines(args.b, args.out);
    if (is(0, 1) && is(1, 1) && lines_a && lines_b) return run_vector<kFn, false, false>(args, queue);
    if (is(0, 1) && is(1, 0) && lines_a) return run_vector<kFn, false, true>(args, queue);
    if (is(0, 0) && is(1, 1) && lines_b) return run_vector<kFn, true, false>(args, queue);
  }
  // Few long rows; short ones would leave most threads of a block idle.
  if (loops.rank == 2 && rows_of_lines(args) && loops.shape[1] >= 4 * 64) return run_rows<kFn, 4>(args, queue);
  if (loops.rank == 2 && loops.shape[1] >= 64) return run_rows<kFn, 1>(args, queue);
  return in_ranges(loops.elements, kMaxGridX * kThreads, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kThreads), kThreads, binary_elements<kFn>, args, first);
  });
}

Code run(const BinaryArgs& args, const Queue& queue, Workspace) {
  if (args.loops.elements == 0) return Code::ok;
  switch (args.fn) {
    case BinaryFn::add:
      return run_fn<BinaryFn::add>(args, queue);
    case BinaryFn::sub:
      return run_fn<BinaryFn::sub>(args, queue);
    case BinaryFn::mul:
      return run_fn<BinaryFn::mul>(args, queue);
    case BinaryFn::div:
      return run_fn<BinaryFn::div>(args, queue);
    case BinaryFn::squared_difference:
      return run_fn<BinaryFn::squared_difference>(args, queue);
  }
  return Code::internal;
}

// Efficiency: prior, not measured.
double cost(const BinaryProblem& p, const Machine& machine) {
  return seconds_for_bytes(Binary::bytes(p), p.contiguous ? 0.9 : 0.7, machine);
}

}  // namespace

extern const Kernel<Binary> kKernel;
const Kernel<Binary> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = f32_only<Binary>,
    .cost = cost,
    .workspace = no_workspace<Binary>,
    .run = run,
};

}  // namespace tandem::cuda::binary_f32_vector
