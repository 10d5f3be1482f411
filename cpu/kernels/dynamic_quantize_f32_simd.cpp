// Idea:    the range of a channel and then its elements, while they are in the cache; a few long channels are each
//          shared out over the threads; where neighbouring channels lie side by side, 64 of them are taken in step, and
//          short ones that follow one another are quantised together, as are the rows of a few columns.
// Limits:  channels whose elements neither are contiguous nor lie beside the next channel's; a channel that is longer
//          than the caches is read twice; channels side by side are shared out, their elements are not.
// Expect:  one thread, AVX-512: 1000 rows of 1024 with a scale each 0.58 of reading L3 once; 1024 x 1024 with a scale
//          for each column 0.25; Zen 5: 2 or 16 columns 38 or 49 GB/s, rows of two 2.6;
//          on a Xeon a row of 17, 64, 100 or 768 takes 30, 22, 32 or 92 ns
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/dynamic_quantize_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/loops/integers-inl.h"
#include "cpu/loops/ranges-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

void dynamic_quantize_run(DType dtype, const float* x, const ScaleRun& run, void* q, size_t n, bool stream) {
  if (dtype == DType::u8)
    quantize_typed(x, run, static_cast<std::uint8_t*>(q), n, stream);
  else
    quantize_typed(x, run, static_cast<std::int8_t*>(q), n, stream);
  if (stream) hwy::FlushStream();
}
void range_of_run(const float* x, size_t n, float* least, float* most) { range_run(x, n, *least, *most); }
void ranges_of_columns(const float* x, std::int64_t row, std::int64_t rows, size_t n, float* least, float* most) {
  range_columns(x, row, rows, n, least, most);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/dynamic_quantize.h"
#include "cpu/loops/scaled_runs.h"

namespace tandem::cpu::dynamic_quantize_f32_simd {
namespace {

HWY_EXPORT(dynamic_quantize_run);
HWY_EXPORT(range_of_run);
HWY_EXPORT(ranges_of_columns);

constexpr std::int64_t kColumns = 64;  // channels side by side that are taken in step

Refusal supports(const DynamicQuantizeProblem& p, const Machine&) {
  if (p.place == ChannelPlace::other) return "needs the elements of a channel, or neighbouring channels, side by side";
  return nullptr;
}

double cost(const DynamicQuantizeProblem& p, const Machine& machine) {
  const auto elements = static_cast<double>(p.channels) * static_cast<double>(p.length);
  int threads = threads_worth(p.channels * p.length, kElementsPerThread, machine.cpu.threads);
  if (p.place == ChannelPlace::across)
    threads = static_cast<int>(std::clamp<std::int64_t>((p.channels + kColumns - 1) / kColumns, 1, threads));
  const double bytes = DynamicQuantize::bytes(p) + 4 * elements;  // x is read twice
  return cpu_seconds(machine, 12 * elements + 40 * static_cast<double>(p.channels), bytes, 1, threads);
}

/// Threads share each channel when there are too few channels for them.
bool splits_channels(std::int64_t channels, int threads) { return threads > 1 && channels < 2 * threads; }

struct PartRange {
  float low, high;
};

std::size_t workspace(const DynamicQuantizeProblem& p, const Machine& machine) {
  const int threads = std::max(machine.cpu.threads, 1);
  if (p.place != ChannelPlace::along || !splits_channels(p.channels, threads)) return 0;
  return sizeof(PartRange) * static_cast<std::size_t>(p.channels * threads);
}

/// Stores scale and zero point of a channel, and returns them as a run.
ScaleRun store_scale(const DynamicQuantizeArgs& args, std::int64_t channel, float low, float high) {
  const ScaleAndZero derived = scale_from_range(low, high, args.dtype, args.scheme);
  ScaleRun run;
  float& scale = args.scales[channel * args.scale_channel];
  std::int32_t& zero = args.zero_points[channel * args.zero_channel];
  scale = derived.scale;
  zero = derived.zero_point;
  run.scales = &scale;
  run.zero_points = &zero;
  run.low = range_of(args.dtype, args.scheme == Scheme::symmetric).low;
  return run;
}

std::uint8_t* bytes_of(const DynamicQuantizeArgs& args, std::int64_t channel) {
  return static_cast<std::uint8_t*>(args.q) + channel * args.q_channel;
}

/// Whether channels are so short that their range is found element by element, and follow one another without gaps.
bool are_short(const DynamicQuantizeArgs& args) {
  const std::int64_t length = args.inner.elements;
  constexpr std::int64_t kShort = 16;
  return length > 0 && length <= kShort && args.x_channel == length && args.q_channel == length;
}

/// As many channels at a time as fit kColumns elements, each of which gets its channel's scale.
void short_channels(const DynamicQuantizeArgs& args, const Queue& queue) {
  const auto quantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, dynamic_quantize_run);
  const std::int64_t length = args.inner.elements, together = kColumns / length;
  for_shares(queue, args.channels, 1, kElementsPerThread / length, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += together) {
      const std::int64_t count = std::min(together, end - first);
      const float* x = args.x + first * length;
      float scales[kColumns];
      std::int32_t zeros[kColumns];
      ScaleRun run;
      for (std::int64_t c = 0; c < count; ++c) {
        float low = 0, high = 0;
        for (std::int64_t i = 0; i < length; ++i) {  // NaN is passed over
          const float v = x[c * length + i];
          low = v < low ? v : low;
          high = v > high ? v : high;
        }
        run = store_scale(args, first + c, low, high);
        std::fill_n(scales + c * length, length, *run.scales);
        std::fill_n(zeros + c * length, length, *run.zero_points);
      }
      run.scales = scales;
      run.zero_points = zeros;
      run.scale_each = run.zero_each = true;
      quantize(args.dtype, x, run, bytes_of(args, first), static_cast<std::size_t>(count * length), false);
    }
  });
}

void channel_by_channel(const DynamicQuantizeArgs& args, const Queue& queue, bool stream) {
  const auto quantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, dynamic_quantize_run);
  const auto range = TANDEM_SIMD_CALL(queue.machine->cpu.isa, range_of_run);
  const std::int64_t length = args.inner.elements;
  const std::int64_t per_thread = std::max<std::int64_t>(1, kElementsPerThread / std::max<std::int64_t>(length, 1));
  for_shares(queue, args.channels, 1, per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t channel = begin; channel < end; ++channel) {
      const float* x = args.x + channel * args.x_channel;
      float low, high;
      range(x, static_cast<std::size_t>(length), &low, &high);
      const ScaleRun run = store_scale(args, channel, low, high);
      quantize(args.dtype, x, run, bytes_of(args, channel), static_cast<std::size_t>(length), stream);
    }
  });
}

// Each thread finds the range of its part, all combine them after a barrier, and each quantises its part. Minima and
// maxima do not depend on the order.
void shared_channels(const DynamicQuantizeArgs& args, const Queue& queue, int threads, PartRange* parts, bool stream) {
  const auto quantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, dynamic_quantize_run);
  const auto range = TANDEM_SIMD_CALL(queue.machine->cpu.isa, range_of_run);
  queue.pool->run(threads, [&](int t, int count) {
    const Share share = share_of(args.inner.elements, 64, t, count);
    const auto size = static_cast<std::size_t>(share.end - share.begin);
    for (std::int64_t channel = 0; channel < args.channels; ++channel) {
      PartRange& part = parts[channel * threads + t];
      range(args.x + channel * args.x_channel + share.begin, size, &part.low, &part.high);
    }
    if (count > 1) queue.pool->barrier();
    for (std::int64_t channel = 0; channel < args.channels; ++channel) {
      PartRange whole{0, 0};
      for (int other = 0; other < count; ++other) {
        whole.low = std::min(whole.low, parts[channel * threads + other].low);
        whole.high = std::max(whole.high, parts[channel * threads + other].high);
      }
      const ScaleAndZero derived = scale_from_range(whole.low, whole.high, args.dtype, args.scheme);
      ScaleRun run;
      run.scales = &derived.scale;
      run.zero_points = &derived.zero_point;
      run.low = range_of(args.dtype, args.scheme == Scheme::symmetric).low;
      if (t == 0) store_scale(args, channel, whole.low, whole.high);
      quantize(args.dtype, args.x + channel * args.x_channel + share.begin, run, bytes_of(args, channel) + share.begin,
               size, stream);
    }
  });
}

/// A few columns whose rows follow one another without gaps: so many rows side by side count as one wide row.
void narrow_columns(const DynamicQuantizeArgs& args, const Queue& queue) {
  const auto quantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, dynamic_quantize_run);
  const std::int64_t rows = args.inner.elements, channels = args.channels;
  const std::int64_t width = kColumns / channels * channels, elements = rows * channels;
  const std::int64_t whole = elements / width * width;
  float low[kColumns], high[kColumns], scales[kColumns];
  std::int32_t zeros[kColumns];
  TANDEM_SIMD_CALL(queue.machine->cpu.isa, ranges_of_columns)
  (args.x, width, elements / width, static_cast<std::size_t>(width), low, high);
  for (std::int64_t i = whole; i < elements; ++i) {  // NaN is passed over
    low[i - whole] = args.x[i] < low[i - whole] ? args.x[i] : low[i - whole];
    high[i - whole] = args.x[i] > high[i - whole] ? args.x[i] : high[i - whole];
  }
  for (std::int64_t i = channels; i < width; ++i) {
    low[i % channels] = std::min(low[i % channels], low[i]);
    high[i % channels] = std::max(high[i % channels], high[i]);
  }
  ScaleRun run;
  for (std::int64_t c = 0; c < channels; ++c) {
    run = store_scale(args, c, low[c], high[c]);
    for (std::int64_t i = c; i < width; i += channels) {
      scales[i] = *run.scales;
      zeros[i] = *run.zero_points;
    }
  }
  run.scales = scales;
  run.zero_points = zeros;
  run.scale_each = run.zero_each = true;
  for (std::int64_t i = 0; i < elements; i += width)
    quantize(args.dtype, args.x + i, run, bytes_of(args, 0) + i,
             static_cast<std::size_t>(std::min(width, elements - i)), false);
}

void column_by_column(const DynamicQuantizeArgs& args, const Queue& queue) {
  const auto quantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, dynamic_quantize_run);
  const auto ranges = TANDEM_SIMD_CALL(queue.machine->cpu.isa, ranges_of_columns);
  const std::int64_t rows = args.inner.elements;
  const std::int64_t x_row = args.inner.rank == 0 ? 0 : args.inner.strides[0][0];
  const std::int64_t q_row = args.inner.rank == 0 ? 0 : args.inner.strides[1][0];
  if (args.channels <= kColumns / 2 && rows * args.channels >= kColumns && x_row == args.channels &&
      q_row == args.channels)
    return narrow_columns(args, queue);
  const std::int64_t per_thread =
      std::max<std::int64_t>(kColumns, kElementsPerThread / std::max<std::int64_t>(rows, 1));
  for_shares(queue, args.channels, kColumns, per_thread, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kColumns) {
      const std::int64_t count = std::min(kColumns, end - first);
      float low[kColumns], high[kColumns], scales[kColumns];
      std::int32_t zeros[kColumns];
      ranges(args.x + first, x_row, rows, static_cast<std::size_t>(count), low, high);
      ScaleRun run;
      for (std::int64_t c = 0; c < count; ++c) {
        run = store_scale(args, first + c, low[c], high[c]);
        scales[c] = *run.scales;
        zeros[c] = *run.zero_points;
      }
      run.scales = scales;
      run.zero_points = zeros;
      run.scale_each = run.zero_each = true;
      for (std::int64_t r = 0; r < rows; ++r)
        quantize(args.dtype, args.x + first + r * x_row, run, bytes_of(args, first) + r * q_row,
                 static_cast<std::size_t>(count), false);
    }
  });
}

Code run(const DynamicQuantizeArgs& args, const Queue& queue, Workspace workspace) {
  if (!args.inner.contiguous()) {
    column_by_column(args, queue);
    return Code::ok;
  }
  const std::int64_t elements = args.channels * args.inner.elements;
  const bool stream = args.inner.elements >= 4096 && bypass_caches(*queue.machine, 5 * elements);
  const int threads = threads_worth(elements, kElementsPerThread, queue);
  if (splits_channels(args.channels, threads))
    shared_channels(args, queue, threads, static_cast<PartRange*>(workspace.data), stream);
  else if (args.channels > 1 && are_short(args))
    short_channels(args, queue);
  else
    channel_by_channel(args, queue, stream);
  return Code::ok;
}

}  // namespace

extern const Kernel<DynamicQuantize> kKernel;
const Kernel<DynamicQuantize> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu::dynamic_quantize_f32_simd

#endif  // HWY_ONCE
