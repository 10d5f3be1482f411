// Elementwise work with a scale and a zero point beside each element: walks over any strides for the steps of
// cuda/integers.cuh, one element a thread, or with as wide accesses as the operands allow.
#pragma once

#include "cuda/integers.cuh"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/vector.cuh"

namespace tandem::cuda {

struct Scaled {
  const void* in = nullptr;
  void* out = nullptr;
  const float* scales = nullptr;              // null: the step uses none
  const std::int32_t* zero_points = nullptr;  // null: zero
  Loops<4> loops;                             // in, scales, zero points, out

  __device__ __forceinline__ float scale(std::int64_t at) const { return scales ? scales[at] : 1.0f; }
  __device__ __forceinline__ std::int32_t zero_point(std::int64_t at) const {
    return zero_points ? zero_points[at] : 0;
  }
};

inline Scaled scaled(const QuantizeArgs& args) {
  return {args.in, args.out, args.scales, args.zero_points, args.loops};
}
/// With operands i0 .. i3 of `loops` as those of a Scaled; -1: an operand that does not exist.
template <int N>
Loops<4> as_scaled(const Loops<N>& loops, int i0, int i1, int i2, int i3) {
  const int from[4] = {i0, i1, i2, i3};
  Loops<4> out;
  out.rank = loops.rank;
  out.elements = loops.elements;
  std::copy_n(loops.shape, kMaxRank, out.shape);
  for (int i = 0; i < 4; ++i)
    if (from[i] >= 0) std::copy_n(loops.strides[from[i]], kMaxRank, out.strides[i]);
  return out;
}
inline Scaled scaled(const RequantizeArgs& args) {
  return {args.acc, args.q, args.multipliers, nullptr, as_scaled(args.loops, 0, 1, -1, 2)};
}
inline Scaled scaled(const QuantizedReluArgs& args) {
  return {args.q, args.y, nullptr, args.zero_points, as_scaled(args.loops, 0, -1, 1, 2)};
}

inline constexpr int kScaledThreads = 256;
inline constexpr int kScaledPer = 4;  // accesses, or rows, of a thread

/// Elements in an access of a thread: 16 bytes of the wider operand.
template <class Step>
inline constexpr int kScaledWidth = static_cast<int>(16 /
                                                     std::max(sizeof(typename Step::In), sizeof(typename Step::Out)));

/// Any strides, kPer elements a thread.
template <class Step, int kPer>
__global__ void __launch_bounds__(kScaledThreads)
    scaled_elements(const __grid_constant__ Scaled args, Step step, std::int64_t first_of_launch) {
  const std::int64_t first =
      first_of_launch + static_cast<std::int64_t>(blockIdx.x) * (kScaledThreads * kPer) + threadIdx.x;
  typename Step::Out v[kPer];
  std::int64_t to[kPer];
#pragma unroll
  for (int u = 0; u < kPer; ++u) {
    const std::int64_t index = first + u * kScaledThreads;
    if (index >= args.loops.elements) break;
    std::int64_t at[4];
    offsets_of(args.loops, index, at);
    v[u] = step(static_cast<const typename Step::In*>(args.in)[at[0]], args.scale(at[1]), args.zero_point(at[2]));
    to[u] = at[3];
  }
#pragma unroll
  for (int u = 0; u < kPer; ++u)
    if (first + u * kScaledThreads < args.loops.elements) static_cast<typename Step::Out*>(args.out)[to[u]] = v[u];
}

template <int kPer, class Step>
Code run_scaled_elements(const Scaled& args, const Step& step, const Queue& queue) {
  constexpr int kPerBlock = kScaledThreads * kPer;
  return in_ranges(args.loops.elements, kMaxGridX * kPerBlock, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kPerBlock), kScaledThreads, scaled_elements<Step, kPer>, args, step, first);
  });
}

/// One run of elements with one scale.
template <class Step, bool kOnce>
__global__ void __launch_bounds__(kScaledThreads)
    scaled_run(const typename Step::In* in, typename Step::Out* out, const float* scales,
               const std::int32_t* zero_points, Step step, std::int64_t count, Split split) {
  constexpr int kWidth = kScaledWidth<Step>;
  const float scale = scales ? *scales : 1.0f;
  const std::int32_t zero_point = zero_points ? *zero_points : 0;
  const std::int64_t first = static_cast<std::int64_t>(blockIdx.x) * (kScaledThreads * kScaledPer) + threadIdx.x;
  Bits<typename Step::In, kWidth> v[kScaledPer];
#pragma unroll
  for (int u = 0; u < kScaledPer; ++u) {
    const std::int64_t line = first + u * kScaledThreads;
    if (line < split.body) v[u] = load_bits<kWidth, kOnce>(in + split.head + line * kWidth);
  }
#pragma unroll
  for (int u = 0; u < kScaledPer; ++u) {
    const std::int64_t line = first + u * kScaledThreads;
    if (line >= split.body) break;
    store_bits<kWidth, kOnce>(out + split.head + line * kWidth, stepped<kWidth>(step, v[u], scale, zero_point));
  }
  if (blockIdx.x != 0) return;
  // Fewer than kWidth elements before the lines, and after them.
  const std::int64_t end = split.head + kWidth * split.body;
  if (threadIdx.x < split.head) out[threadIdx.x] = step(in[threadIdx.x], scale, zero_point);
  if (threadIdx.x < count - end) out[end + threadIdx.x] = step(in[end + threadIdx.x], scale, zero_point);
}

/// Rows of unit stride: what every thread of scaled_rows knows of them.
struct ScaledRows {
  Scaled args;                                   // loops over the rows
  std::int64_t length = 0;                       // of a row
  std::int64_t scale_step = 0, zero_step = 0;    // from element to element of a row; 0: one for the row
  bool scale_lines = false, zero_lines = false;  // side by side and aligned: read kWidth at once
  std::int64_t across = 1;                       // blocks beside one another
};

/// kWidth values of which one lies every `step` elements.
template <int kWidth, class T>
__device__ __forceinline__ Pack<T, kWidth> values_along(const T* from, std::int64_t step, bool lines) {
  if (lines) return Pack<T, kWidth>(load_bits<kWidth, false>(from));
  Pack<T, kWidth> pack;
#pragma unroll
  for (int i = 0; i < kWidth; ++i) pack.v[i] = from[i * step];
  return pack;
}

/// kScaledPer rows a thread, kWidth columns of each. kEach: scales or zero points differ along a row, and then are the
/// same for all rows, since there is one axis of scales.
template <class Step, int kWidth, bool kEach>
__global__ void __launch_bounds__(kScaledThreads)
    scaled_rows(const __grid_constant__ ScaledRows rows, Step step, std::int64_t first_row) {
  const Scaled& args = rows.args;
  const std::int64_t col = (blockIdx.x % rows.across * blockDim.x + threadIdx.x) * kWidth;
  if (col >= rows.length) return;
  Pack<float, kEach ? kWidth : 1> scales[kEach ? 1 : kScaledPer];
  Pack<std::int32_t, kEach ? kWidth : 1> zeros[kEach ? 1 : kScaledPer];
  if constexpr (kEach) {
#pragma unroll
    for (int i = 0; i < kWidth; ++i) {
      scales[0].v[i] = 1.0f;
      zeros[0].v[i] = 0;
    }
    if (args.scales)
      scales[0] = values_along<kWidth>(args.scales + col * rows.scale_step, rows.scale_step, rows.scale_lines);
    if (args.zero_points)
      zeros[0] = values_along<kWidth>(args.zero_points + col * rows.zero_step, rows.zero_step, rows.zero_lines);
  }
  const std::int64_t top =
      first_row + static_cast<std::int64_t>(blockIdx.x / rows.across) * (blockDim.y * kScaledPer) + threadIdx.y;
  Bits<typename Step::In, kWidth> v[kScaledPer];
  std::int64_t to[kScaledPer];
#pragma unroll
  for (int u = 0; u < kScaledPer; ++u) {
    const std::int64_t row = top + u * blockDim.y;
    if (row >= args.loops.elements) break;
    std::int64_t at[4];
    offsets_of(args.loops, row, at);
    v[u] = load_bits<kWidth, false>(static_cast<const typename Step::In*>(args.in) + at[0] + col);
    to[u] = at[3] + col;
    if constexpr (!kEach) {
      scales[u].v[0] = args.scale(at[1]);
      zeros[u].v[0] = args.zero_point(at[2]);
    }
  }
#pragma unroll
  for (int u = 0; u < kScaledPer; ++u) {
    if (top + u * blockDim.y >= args.loops.elements) break;
    auto* out = static_cast<typename Step::Out*>(args.out) + to[u];
    if constexpr (kEach) {
      const Pack<typename Step::In, kWidth> x(v[u]);
      Pack<typename Step::Out, kWidth> result;
#pragma unroll
      for (int i = 0; i < kWidth; ++i) result.v[i] = step(x.v[i], scales[0].v[i], zeros[0].v[i]);
      store_bits<kWidth, false>(out, result.bits());
    } else {
      store_bits<kWidth, false>(out, stepped<kWidth>(step, v[u], scales[u].v[0], zeros[u].v[0]));
    }
  }
}

/// Whether every row of `operand` begins on a line of `width` elements.
inline bool rows_on_lines(const Loops<4>& loops, int operand, const void* data, std::size_t bytes, int width) {
  if (place_in_line(data, static_cast<std::int64_t>(bytes), width) != 0) return false;
  for (int d = 0; d + 1 < loops.rank; ++d)
    if (loops.strides[operand][d] % width != 0) return false;
  return true;
}

template <int kWidth, bool kEach, class Step>
Code run_scaled_rows(const Scaled& args, const Step& step, const Queue& queue) {
  const int last = args.loops.rank - 1;
  ScaledRows rows;
  rows.args = args;
  rows.length = args.loops.shape[last];
  rows.scale_step = args.loops.strides[1][last];
  rows.zero_step = args.loops.strides[2][last];
  rows.scale_lines = kWidth == 4 && rows.scale_step == 1 && aligned16(args.scales);
  rows.zero_lines = kWidth == 4 && rows.zero_step == 1 && aligned16(args.zero_points);
  rows.args.loops.rank = last;
  rows.args.loops.elements = args.loops.elements / rows.length;
  const std::int64_t columns = ceil_div(rows.length, kWidth);
  unsigned beside = 1;
  while (beside < kScaledThreads && beside < columns) beside *= 2;
  const dim3 block(beside, kScaledThreads / beside);
  rows.across = ceil_div(columns, beside);
  const std::int64_t rows_a_block = block.y * kScaledPer;
  return in_ranges(
      rows.args.loops.elements, kMaxGridX / rows.across * rows_a_block, [&](std::int64_t first, std::int64_t count) {
        const std::int64_t blocks = ceil_div(count, rows_a_block) * rows.across;
        return launch(queue, static_cast<unsigned>(blocks), block, scaled_rows<Step, kWidth, kEach>, rows, step, first);
      });
}

/// Rows shorter than that are taken element by element.
inline constexpr std::int64_t kScaledShortRow = 16;

/// The widest accesses that `args` allows.
template <class Step>
Code run_scaled(const Scaled& args, const Step& step, const Queue& queue) {
  using In = typename Step::In;
  using Out = typename Step::Out;
  constexpr int kWidth = kScaledWidth<Step>;
  const Loops<4>& loops = args.loops;
  const int last = loops.rank - 1;
  const auto inner = [&](int operand, std::int64_t none) {
    return loops.rank == 0 ? none : loops.strides[operand][last];
  };
  if (loops.elements == 0) return Code::ok;
  if (inner(0, 1) != 1 || inner(3, 1) != 1) return run_scaled_elements<kScaledPer>(args, step, queue);
  const bool each = inner(1, 0) != 0 || inner(2, 0) != 0;
  if (loops.rank <= 1 && !each &&
      place_in_line(args.in, sizeof(In), kWidth) == place_in_line(args.out, sizeof(Out), kWidth)) {
    const Split split = split_at_lines(args.out, sizeof(Out), kWidth, loops.elements);
    const std::int64_t blocks = std::max<std::int64_t>(1, ceil_div(split.body, kScaledThreads * kScaledPer));
    const bool once = larger_than_l2(static_cast<double>(loops.elements) * (sizeof(In) + sizeof(Out)), *queue.machine);
    return launch(queue, static_cast<unsigned>(blocks), kScaledThreads,
                  once ? scaled_run<Step, true> : scaled_run<Step, false>, static_cast<const In*>(args.in),
                  static_cast<Out*>(args.out), args.scales, args.zero_points, step, loops.elements, split);
  }
  const auto on_lines = [&](int width) {
    return loops.rank > 0 && loops.shape[last] % width == 0 && rows_on_lines(loops, 0, args.in, sizeof(In), width) &&
           rows_on_lines(loops, 3, args.out, sizeof(Out), width);
  };
  const bool rows = loops.rank > 0 && loops.shape[last] >= kScaledShortRow;
  if (rows && !each && on_lines(kWidth)) return run_scaled_rows<kWidth, false>(args, step, queue);
  if (rows && each && on_lines(4)) return run_scaled_rows<4, true>(args, step, queue);
  if (rows && loops.rank > 1 && each) return run_scaled_rows<1, true>(args, step, queue);
  if (rows && loops.rank > 1) return run_scaled_rows<1, false>(args, step, queue);
  return run_scaled_elements<kScaledPer>(args, step, queue);
}

}  // namespace tandem::cuda
