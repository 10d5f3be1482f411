// Idea:    a row is read once and stays in registers: of 8, 16 or 32 lanes up to 1024 elements, of a block up to
//          8192. Longer rows keep a running maximum and sum in one pass and are read a second time for the result.
//          Rows that are not contiguous are taken 32 side by side, so that softmax along the first axis is coalesced
//          too.
// Limits:  any problem. A row is never shared out over blocks: a few very long rows leave the device idle.
// Expect:  counted under the emulator: contiguous rows of a multiple of 8 are read and written 100 % coalesced, no
//          bank conflict. Time on a device: not measured.
#include "common/dispatch/kernel.h"
#include "common/ops/softmax.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/prior.h"
#include "cuda/softmax_rows.cuh"

namespace tandem::cuda::softmax_f32_vector {
namespace {

constexpr int kWarps = 4;          // of a block of short rows
constexpr int kThreads = 256;      // of a block with one row
constexpr int kLongThreads = 512;  // of a block with one long row
constexpr int kColumnWarps = 8;

struct Row {
  const float* x;
  float* y;
};
__device__ __forceinline__ Row row_of(const SoftmaxArgs& args, std::int64_t row) {
  std::int64_t at[2];
  offsets_of(args.rows, row, at);
  return {static_cast<const float*>(args.x) + at[0], static_cast<float*>(args.y) + at[1]};
}

/// kLanes lanes a row, kItems elements a lane.
template <int kLanes, int kItems>
__global__ void __launch_bounds__(kWarps * 32)
    softmax_lanes(const __grid_constant__ SoftmaxArgs args, std::int64_t first) {
  constexpr int kRowsBlock = kWarps * 32 / kLanes;
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * kRowsBlock + threadIdx.x / kLanes;
  const bool exists = index < args.rows.elements;  // lanes without a row still take part in the exchanges
  const Row row = row_of(args, exists ? index : first);
  const int lane = static_cast<int>(threadIdx.x) % kLanes;
  const int length = exists ? static_cast<int>(args.length) : 0;
  float v[kItems];
  float top = -INFINITY;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    v[i] = lane + i * kLanes < length ? row.x[lane + i * kLanes] : -INFINITY;
    top = fmaxf(top, v[i]);
  }
  top = lanes_max<kLanes>(top);
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kItems; ++i)
    if (lane + i * kLanes < length) sum += expf(v[i] - top);
  const Finish finish(args.fn, top, lanes_sum<kLanes>(sum));
#pragma unroll
  for (int i = 0; i < kItems; ++i)
    if (lane + i * kLanes < length) row.y[lane + i * kLanes] = finish(v[i]);
}

/// One row a block, kItems elements a thread.
template <int kItems>
__global__ void __launch_bounds__(kThreads)
    softmax_block(const __grid_constant__ SoftmaxArgs args, std::int64_t first) {
  __shared__ float tops[kThreads / 32], sums[kThreads / 32];
  const Row row = row_of(args, first + blockIdx.x);
  const int thread = static_cast<int>(threadIdx.x), length = static_cast<int>(args.length);
  float v[kItems];
  float top = -INFINITY;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    v[i] = thread + i * kThreads < length ? row.x[thread + i * kThreads] : -INFINITY;
    top = fmaxf(top, v[i]);
  }
  top = lanes_max<32>(top);
  if (thread % 32 == 0) tops[thread / 32] = top;
  __syncthreads();
  top = lanes_max<kThreads / 32>(tops[thread % (kThreads / 32)]);
  float sum = 0.0f;
#pragma unroll
  for (int i = 0; i < kItems; ++i)
    if (thread + i * kThreads < length) sum += expf(v[i] - top);
  sum = lanes_sum<32>(sum);
  if (thread % 32 == 0) sums[thread / 32] = sum;
  __syncthreads();
  const Finish finish(args.fn, top, lanes_sum<kThreads / 32>(sums[thread % (kThreads / 32)]));
#pragma unroll
  for (int i = 0; i < kItems; ++i)
    if (thread + i * kThreads < length) row.y[thread + i * kThreads] = finish(v[i]);
}

/// One row a block in two passes; 8 elements of a thread share one adjustment of the running maximum.
__global__ void __launch_bounds__(kLongThreads)
    softmax_long(const __grid_constant__ SoftmaxArgs args, std::int64_t first) {
  constexpr int kItems = 8;
  __shared__ Running parts[kLongThreads / 32];
  const Row row = row_of(args, first + blockIdx.x);
  const int thread = static_cast<int>(threadIdx.x);
  Running part;
  for (std::int64_t start = thread; start < args.length; start += kItems * kLongThreads) {
    float v[kItems];
    float top = -INFINITY;
#pragma unroll
    for (int i = 0; i < kItems; ++i) {
      v[i] = start + i * kLongThreads < args.length ? row.x[start + i * kLongThreads] : -INFINITY;
      top = fmaxf(top, v[i]);
    }
    part.raise(top);
#pragma unroll
    for (int i = 0; i < kItems; ++i) part.add(v[i]);
  }
  part = lanes_join(part);
  if (thread % 32 == 0) parts[thread / 32] = part;
  __syncthreads();
  part = parts[0];
  for (int w = 1; w < kLongThreads / 32; ++w) part.join(parts[w]);
  const Finish finish(args.fn, part.top, part.sum);
  for (std::int64_t i = thread; i < args.length; i += kLongThreads) row.y[i] = finish(row.x[i]);
}

/// 32 rows a block, side by side over the lanes; the warps share out the elements of each row.
__global__ void __launch_bounds__(32 * kColumnWarps)
    softmax_columns(const __grid_constant__ SoftmaxArgs args, std::int64_t first) {
  __shared__ float tops[kColumnWarps][32], sums[kColumnWarps][32];  // apart: neighbouring lanes in neighbouring banks
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * 32 + threadIdx.x;
  const bool exists = index < args.rows.elements;
  const Row row = row_of(args, exists ? index : first);
  const std::int64_t length = exists ? args.length : 0;
  Running part;
  for (std::int64_t i = threadIdx.y; i < length; i += kColumnWarps) {
    const float x = row.x[i * args.x_stride];
    part.raise(x);
    part.add(x);
  }
  tops[threadIdx.y][threadIdx.x] = part.top;
  sums[threadIdx.y][threadIdx.x] = part.sum;
  __syncthreads();
  part = {tops[0][threadIdx.x], sums[0][threadIdx.x]};
  for (int w = 1; w < kColumnWarps; ++w) part.join({tops[w][threadIdx.x], sums[w][threadIdx.x]});
  const Finish finish(args.fn, part.top, part.sum);
  for (std::int64_t i = threadIdx.y; i < length; i += kColumnWarps)
    row.y[i * args.y_stride] = finish(row.x[i * args.x_stride]);
}

using Function = void (*)(SoftmaxArgs, std::int64_t);

struct Plan {
  Function function;
  dim3 block;
  int rows;  // a block
};

Plan plan(const SoftmaxArgs& args) {
  const std::int64_t n = args.length;
  const dim3 short_rows(kWarps * 32), one_row(kThreads);
  if (args.x_stride != 1 || args.y_stride != 1) return {softmax_columns, dim3(32, kColumnWarps), 32};
  if (n <= 8) return {softmax_lanes<8, 1>, short_rows, kWarps * 4};
  if (n <= 16) return {softmax_lanes<16, 1>, short_rows, kWarps * 2};
  if (n <= 32) return {softmax_lanes<32, 1>, short_rows, kWarps};
  if (n <= 64) return {softmax_lanes<32, 2>, short_rows, kWarps};
  if (n <= 128) return {softmax_lanes<32, 4>, short_rows, kWarps};
  if (n <= 256) return {softmax_lanes<32, 8>, short_rows, kWarps};
  if (n <= 512) return {softmax_lanes<32, 16>, short_rows, kWarps};
  if (n <= 1024) return {softmax_lanes<32, 32>, short_rows, kWarps};
  if (n <= 8 * kThreads) return {softmax_block<8>, one_row, 1};
  if (n <= 16 * kThreads) return {softmax_block<16>, one_row, 1};
  if (n <= 32 * kThreads) return {softmax_block<32>, one_row, 1};
  return {softmax_long, dim3(kLongThreads), 1};
}

Code run(const SoftmaxArgs& args, const Queue& queue, Workspace) {
  if (args.length == 0) return Code::ok;
  const Plan p = plan(args);
  return in_ranges(args.rows.elements, kMaxGridX * p.rows, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, p.rows), p.block, p.function, args, first);
  });
}

// Efficiency: prior, not measured. Long rows are read twice.
double cost(const SoftmaxProblem& p, const Machine& machine) {
  const double reads = p.contiguous && p.length <= 32 * kThreads ? 1.0 : 1.5;
  return seconds_for_bytes(Softmax::bytes(p) * reads, 0.8, machine);
}

}  // namespace

extern const Kernel<Softmax> kKernel;
const Kernel<Softmax> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = f32_only<Softmax>,
    .cost = cost,
    .workspace = no_workspace<Softmax>,
    .run = run,
};

}  // namespace tandem::cuda::softmax_f32_vector
