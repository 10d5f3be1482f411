// The range of the values that share a scale: per thread, joined over lanes and warps, or over blocks by way of memory.
// The order does not matter: minimum and maximum are exact, and NaN is left out.
#pragma once

#include "common/ops/dynamic_quantize.h"
#include "cuda/integers.cuh"
#include "cuda/launch.h"
#include "cuda/loops.cuh"
#include "cuda/vector.cuh"

namespace tandem::cuda {

/// Of some values and 0.
struct alignas(8) Range {  // moved as one
  float low = 0.0f, high = 0.0f;

  // fminf and fmaxf give the number of a number and NaN.
  __device__ __forceinline__ void take(float x) { join({x, x}); }
  __device__ __forceinline__ void join(const Range& other) {
    low = fminf(low, other.low);
    high = fmaxf(high, other.high);
  }
};

/// Joined over kThreads neighbouring threads, a power of two: lanes of a warp, or the whole block. All get it.
template <int kThreads>
__device__ __forceinline__ Range joined(Range range) {
#pragma unroll
  for (int d = (kThreads < 32 ? kThreads : 32) / 2; d > 0; d /= 2)
    range.join({__shfl_xor_sync(0xffffffffu, range.low, d), __shfl_xor_sync(0xffffffffu, range.high, d)});
  if constexpr (kThreads > 32) {
    __shared__ float lows[kThreads / 32], highs[kThreads / 32];
    if (threadIdx.x % 32 == 0) {
      lows[threadIdx.x / 32] = range.low;
      highs[threadIdx.x / 32] = range.high;
    }
    __syncthreads();
#pragma unroll
    for (int w = 0; w < kThreads / 32; ++w) range.join({lows[w], highs[w]});
  }
  return range;
}

/// Scale and zero point of a channel; `writes` in one of its threads.
__device__ __forceinline__ ScaleAndZero settle_scale(const DynamicQuantizeArgs& args, const ScaleRule& rule,
                                                     std::int64_t channel, const Range& range, bool writes) {
  const ScaleAndZero derived = scale_of(range.low, range.high, rule);
  if (writes) {
    args.scales[channel * args.scale_channel] = derived.scale;
    args.zero_points[channel * args.zero_channel] = derived.zero_point;
  }
  return derived;
}

inline constexpr int kRangeThreads = 256;
inline constexpr int kRangePer = 4;    // accesses of a thread in flight
inline constexpr int kRangeWarps = 8;  // of a block that takes channels side by side

/// How channels are cut up: part p of a channel is its elements [p * chunk, (p + 1) * chunk).
struct RangeParts {
  Range* ranges = nullptr;  // [parts, channels]
  std::int64_t parts = 1, chunk = 0;
};

/// A block a part of a channel. kContiguous: of unit stride, and read kWidth elements at once.
template <int kWidth, bool kContiguous>
__global__ void __launch_bounds__(kRangeThreads)
    ranges_of_parts(const __grid_constant__ DynamicQuantizeArgs args, RangeParts to, std::int64_t first_block) {
  const std::int64_t block = first_block + blockIdx.x;
  const std::int64_t channel = block / to.parts, part = block % to.parts;
  const std::int64_t begin = part * to.chunk, end = ::min(begin + to.chunk, args.inner.elements);
  const float* x = args.x + channel * args.x_channel;
  const auto thread = static_cast<std::int64_t>(threadIdx.x);
  Range range;
  if constexpr (kContiguous) {
    const std::int64_t rest = (end - begin) % kWidth;
    constexpr int kStep = kRangeThreads * kWidth;
    for (std::int64_t i = begin + thread * kWidth; i < end - rest; i += kRangePer * kStep) {
      Bits<float, kWidth> v[kRangePer];
#pragma unroll
      for (int u = 0; u < kRangePer; ++u)
        v[u] = load_bits<kWidth, false>(x + (i + u * kStep < end - rest ? i + u * kStep : i));
#pragma unroll
      for (int u = 0; u < kRangePer; ++u)
#pragma unroll
        for (int e = 0; e < kWidth; ++e) range.take(Pack<float, kWidth>(v[u]).v[e]);
    }
    if (thread < rest) range.take(x[end - rest + thread]);
  } else {
    for (std::int64_t i = begin + thread; i < end; i += kRangeThreads) {
      std::int64_t at[2];
      offsets_of(args.inner, i, at);
      range.take(x[at[0]]);
    }
  }
  range = joined<kRangeThreads>(range);
  if (thread == 0) to.ranges[part * args.channels + channel] = range;
}

/// Channels side by side: 32 * kWidth of them a block, a warp a row.
template <int kWidth>
__global__ void __launch_bounds__(32 * kRangeWarps)
    ranges_of_columns(const __grid_constant__ DynamicQuantizeArgs args, RangeParts to, std::int64_t first_block) {
  constexpr int kColumns = 32 * kWidth;
  __shared__ alignas(16) float lows[kRangeWarps][kColumns], highs[kRangeWarps][kColumns];
  const std::int64_t block = first_block + blockIdx.x;
  const std::int64_t left = block / to.parts * kColumns, part = block % to.parts;
  const std::int64_t begin = part * to.chunk, end = ::min(begin + to.chunk, args.inner.elements);
  const std::int64_t step = args.inner.strides[0][0];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  Pack<float, kWidth> low, high;
#pragma unroll
  for (int e = 0; e < kWidth; ++e) low.v[e] = high.v[e] = 0.0f;
  if (left + lane * kWidth < args.channels) {
    const float* x = args.x + left + lane * kWidth;
    for (std::int64_t row = begin + warp; row < end; row += kRangePer * kRangeWarps) {
      Bits<float, kWidth> v[kRangePer];
#pragma unroll
      for (int u = 0; u < kRangePer; ++u)
        v[u] = load_bits<kWidth, false>(x + (row + u * kRangeWarps < end ? row + u * kRangeWarps : row) * step);
#pragma unroll
      for (int u = 0; u < kRangePer; ++u)
#pragma unroll
        for (int e = 0; e < kWidth; ++e) {
          low.v[e] = fminf(low.v[e], Pack<float, kWidth>(v[u]).v[e]);
          high.v[e] = fmaxf(high.v[e], Pack<float, kWidth>(v[u]).v[e]);
        }
    }
  }
  *reinterpret_cast<Bits<float, kWidth>*>(&lows[warp][lane * kWidth]) = low.bits();
  *reinterpret_cast<Bits<float, kWidth>*>(&highs[warp][lane * kWidth]) = high.bits();
  __syncthreads();
  const auto column = static_cast<int>(threadIdx.x);
  if (column >= kColumns || left + column >= args.channels) return;
  Range range;
#pragma unroll
  for (int w = 0; w < kRangeWarps; ++w) range.join({lows[w][column], highs[w][column]});
  to.ranges[part * args.channels + left + column] = range;
}

/// Scales and zero points from the ranges of the parts: kLanes lanes a channel.
template <int kLanes>
__global__ void __launch_bounds__(kRangeThreads) scales_of_ranges(const __grid_constant__ DynamicQuantizeArgs args,
                                                                  RangeParts from, ScaleRule rule, std::int64_t first) {
  constexpr int kChannels = kRangeThreads / kLanes;
  const std::int64_t channel = first + static_cast<std::int64_t>(blockIdx.x) * kChannels + threadIdx.x / kLanes;
  const bool exists = channel < args.channels;  // lanes without a channel still take part in the exchanges
  Range range;
  if (exists)
    for (std::int64_t part = threadIdx.x % kLanes; part < from.parts; part += kLanes)
      range.join(from.ranges[part * args.channels + channel]);
  range = joined<kLanes>(range);
  if (exists) settle_scale(args, rule, channel, range, threadIdx.x % kLanes == 0);
}

/// Enqueues the ranges of all parts, then the scales.
inline Code launch_scales(const DynamicQuantizeArgs& args, const RangeParts& parts, const Queue& queue) {
  const ChannelPlace place = args.place();
  const auto in_lines = [&](std::int64_t step) { return aligned16(args.x) && step % 4 == 0; };
  void (*ranges)(DynamicQuantizeArgs, RangeParts, std::int64_t) = ranges_of_parts<1, false>;
  std::int64_t blocks = args.channels * parts.parts;
  if (place == ChannelPlace::along) {
    ranges = in_lines(args.x_channel) ? ranges_of_parts<4, true> : ranges_of_parts<1, true>;
  } else if (place == ChannelPlace::across) {
    const bool wide = in_lines(args.inner.strides[0][0]) && args.channels % 4 == 0;
    ranges = wide ? ranges_of_columns<4> : ranges_of_columns<1>;
    blocks = ceil_div(args.channels, wide ? 128 : 32) * parts.parts;
  }
  const Code code = in_ranges(blocks, kMaxGridX, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, static_cast<unsigned>(count), kRangeThreads, ranges, args, parts, first);
  });
  if (code != Code::ok) return code;
  const ScaleRule rule(args.dtype, args.scheme);
  const int lanes = parts.parts < 8 ? 1 : 32;
  return in_ranges(args.channels, kMaxGridX, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count * lanes, kRangeThreads), kRangeThreads,
                  lanes == 1 ? scales_of_ranges<1> : scales_of_ranges<32>, args, parts, rule, first);
  });
}

}  // namespace tandem::cuda
