// Idea:    a contiguous channel (a token) of up to 16384 elements is read once and stays in registers, of 8 or 32 lanes
//          or of a block, between its range and its quantisation: one launch. Other channels are cut into parts that
//          fill the device: their ranges, the scales, and the vector quantisation with these scales, in three launches.
// Limits:  any problem. float4 needs rows, or columns, of a multiple of 4 that are aligned; with gaps between the
//          elements of a channel that is not beside its neighbours, strides are walked for each element. Two of the
//          three launches read x.
// Expect:  counted under the emulator: tokens, columns and whole tensors that are aligned read and written 100 %
//          coalesced, no bank conflict. Time on a device: not measured.
#include "common/dispatch/kernel.h"
#include "cuda/prior.h"
#include "cuda/ranges.cuh"
#include "cuda/scaled.cuh"

namespace tandem::cuda::dynamic_quantize_f32_vector {
namespace {

constexpr int kShortThreads = 128;      // of a block of short channels
constexpr std::int64_t kFused = 16384;  // longest channel that stays in registers; 1024 threads with more would spill
constexpr std::int64_t kChunk = 4096;   // elements that a part has at least

/// kThreadsRow threads a channel, kItems accesses of kWidth elements a thread.
template <int kThreadsRow, int kItems, int kWidth>
__global__ void __launch_bounds__(kThreadsRow > kShortThreads ? kThreadsRow : kShortThreads)
    dynamic_quantize_fused(const __grid_constant__ DynamicQuantizeArgs args, ScaleRule rule, QuantizeStep step,
                           std::int64_t first) {
  constexpr int kChannels = kThreadsRow > kShortThreads ? 1 : kShortThreads / kThreadsRow;
  const std::int64_t channel = first + static_cast<std::int64_t>(blockIdx.x) * kChannels + threadIdx.x / kThreadsRow;
  const bool exists = channel < args.channels;  // lanes without a channel still take part in the exchanges
  const int length = exists ? static_cast<int>(args.inner.elements) : 0;
  const int lane = static_cast<int>(threadIdx.x) % kThreadsRow;
  const float* x = args.x + channel * args.x_channel;
  Bits<float, kWidth> v[kItems];
  Range range;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    const int at = (lane + i * kThreadsRow) * kWidth;
    if (at < length) v[i] = load_bits<kWidth, false>(x + at);
  }
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    if ((lane + i * kThreadsRow) * kWidth >= length) break;
    const Pack<float, kWidth> values(v[i]);
#pragma unroll
    for (int e = 0; e < kWidth; ++e) range.take(values.v[e]);
  }
  range = joined<kThreadsRow>(range);
  if (!exists) return;
  const QuantizeByQuotientStep by_quotient(step, settle_scale(args, rule, channel, range, lane == 0));
  auto* q = static_cast<std::uint8_t*>(args.q) + channel * args.q_channel;
#pragma unroll
  for (int i = 0; i < kItems; ++i) {
    const int at = (lane + i * kThreadsRow) * kWidth;
    if (at < length) store_bits<kWidth, false>(q + at, stepped<kWidth>(by_quotient, v[i], 1.0f, 0));
  }
}

struct Plan {
  void (*function)(DynamicQuantizeArgs, ScaleRule, QuantizeStep, std::int64_t);
  int threads;
  int channels;  // a block
};

/// For kWidth elements an access; single elements take four times as many.
template <int kWidth>
Plan plan(std::int64_t length) {
  constexpr int k = 4 / kWidth;
  if (length <= 32) return {dynamic_quantize_fused<8, 1 * k, kWidth>, kShortThreads, kShortThreads / 8};
  if (length <= 128) return {dynamic_quantize_fused<8, 4 * k, kWidth>, kShortThreads, kShortThreads / 8};
  if (length <= 256) return {dynamic_quantize_fused<32, 2 * k, kWidth>, kShortThreads, kShortThreads / 32};
  if (length <= 1024) return {dynamic_quantize_fused<32, 8 * k, kWidth>, kShortThreads, kShortThreads / 32};
  if (length <= 4096) return {dynamic_quantize_fused<256, 4 * k, kWidth>, 256, 1};
  return {dynamic_quantize_fused<512, 8 * k, kWidth>, 512, 1};
}

Code run_fused(const DynamicQuantizeArgs& args, const Queue& queue) {
  const bool wide = args.inner.elements % 4 == 0 && args.x_channel % 4 == 0 && args.q_channel % 4 == 0 &&
                    aligned16(args.x) && place_in_line(args.q, 1, 4) == 0;
  const Plan p = wide ? plan<4>(args.inner.elements) : plan<1>(args.inner.elements);
  const ScaleRule rule(args.dtype, args.scheme);
  const QuantizeStep step(range_of(args.dtype, args.scheme == Scheme::symmetric));
  return in_ranges(args.channels, kMaxGridX * p.channels, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, p.channels), p.threads, p.function, args, rule, step, first);
  });
}

bool is_fused(ChannelPlace place, std::int64_t length) { return place == ChannelPlace::along && length <= kFused; }

/// Parts of a channel: enough blocks for the device, and enough elements for a block.
std::int64_t parts_of(ChannelPlace place, std::int64_t channels, std::int64_t length, const Machine& machine) {
  const bool across = place == ChannelPlace::across;
  const std::int64_t others = across ? ceil_div(channels, 128) : channels;
  const std::int64_t most = ceil_div(std::int64_t{4} * multiprocessors(machine), std::max<std::int64_t>(others, 1));
  return std::clamp<std::int64_t>(ceil_div(length, across ? kChunk / 128 : kChunk), 1, most);
}

/// Quantisation with the scales that the launches before it store.
Scaled with_scales(const DynamicQuantizeArgs& args) {
  Shape shape;
  Strides x, q, scale, zero;
  const auto add = [&](std::int64_t size, std::int64_t of_x, std::int64_t of_q, std::int64_t of_scale,
                       std::int64_t of_zero) {
    shape.push_back(size);
    x.push_back(of_x);
    q.push_back(of_q);
    scale.push_back(of_scale);
    zero.push_back(of_zero);
  };
  for (int d = 0; d < args.inner.rank; ++d)
    add(args.inner.shape[d], args.inner.strides[0][d], args.inner.strides[1][d], 0, 0);
  if (args.channels > 1) add(args.channels, args.x_channel, args.q_channel, args.scale_channel, args.zero_channel);
  return {args.x, args.q, args.scales, args.zero_points, make_loops<4>(shape, {&x, &scale, &zero, &q})};
}

Code run(const DynamicQuantizeArgs& args, const Queue& queue, Workspace workspace) {
  if (args.channels == 0) return Code::ok;
  if (is_fused(args.place(), args.inner.elements)) return run_fused(args, queue);
  RangeParts parts;
  parts.ranges = static_cast<Range*>(workspace.data);
  parts.parts = parts_of(args.place(), args.channels, args.inner.elements, *queue.machine);
  parts.chunk = ceil_div(ceil_div(args.inner.elements, parts.parts), 4) * 4;  // keeps float4 aligned
  const Code code = launch_scales(args, parts, queue);
  if (code != Code::ok) return code;
  return run_scaled(with_scales(args), QuantizeStep(range_of(args.dtype, args.scheme == Scheme::symmetric)), queue);
}

std::size_t workspace(const DynamicQuantizeProblem& p, const Machine& machine) {
  if (is_fused(p.place, p.length)) return 0;
  return static_cast<std::size_t>(p.channels * parts_of(p.place, p.channels, p.length, machine)) * sizeof(Range);
}

// Efficiency: prior, not measured. Where x is read twice there are two more launches.
double cost(const DynamicQuantizeProblem& p, const Machine& machine) {
  const double bytes = DynamicQuantize::bytes(p);
  if (is_fused(p.place, p.length)) return seconds_for_bytes(bytes, 0.8, machine);
  const double again = 4.0 * static_cast<double>(p.channels) * static_cast<double>(p.length);
  return 5e-6 + seconds_for_bytes(bytes + again, p.place == ChannelPlace::other ? 0.3 : 0.8, machine);
}

}  // namespace

extern const Kernel<DynamicQuantize> kKernel;
const Kernel<DynamicQuantize> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports_all<DynamicQuantize>,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cuda::dynamic_quantize_f32_vector
