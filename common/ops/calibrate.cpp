// Scales from data on the host, and how much of it they cannot represent.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "common/ops/quantization.h"
#include "common/ops/quantize.h"

namespace tandem {
namespace {

/// A tensor on the host: itself, or a copy.
class OnHost {
 public:
  OnHost(Context& ctx, const ConstView& x) : view_(x) {
    if (x.device().is_cpu()) return;
    copy_ = copy(ctx, x, Device::cpu());
    view_ = copy_.view();
  }
  const ConstView& view() const { return view_; }

 private:
  Tensor copy_;
  ConstView view_;
};

std::int64_t check_calibration(std::string_view op, const ConstView& x, const QuantizeOptions& options) {
  require_dtype(op, "x", x, DType::f32);
  require_quantized(op, "the result", options.dtype);
  require_known(op, "scheme", options.scheme, Scheme::asymmetric);
  check_scale_axis(op, options.axis, x.shape());
  return options.axis < 0 ? 1 : x.shape()[options.axis];
}

/// Calls visit(value) for every element of x, all of them finite.
template <class Visit>
void visit_finite(std::string_view op, const ConstView& x, Visit visit) {
  const Loops<1> loops = make_loops<1>(x.shape(), {&x.strides()});
  const float* data = static_cast<const float*>(x.data());
  for (std::int64_t i = 0; i < loops.elements; ++i) {
    std::int64_t at[1];
    loops.offsets(i, loops.rank, at);
    const float value = data[at[0]];
    if (!std::isfinite(value))
      throw Error(Code::invalid_argument,
                  fmt::format("{}: the data holds {}; scales are derived from finite values", op, value));
    visit(value);
  }
}

struct ChannelRange {
  float low = 0, high = 0;  // 0 is always in it
};

/// Scales from range(elements of a channel).
template <class RangeOfChannel>
Quantization from_ranges(const ConstView& x, std::int64_t channels, const QuantizeOptions& options,
                         RangeOfChannel range) {
  const bool symmetric = options.scheme == Scheme::symmetric;
  Quantization out;
  out.dtype = options.dtype;
  out.axis = options.axis;
  out.narrow = symmetric;
  out.scales = Tensor::empty({channels}, DType::f32);
  Tensor zero_points = Tensor::empty({channels}, DType::s32);
  for (std::int64_t c = 0; c < channels; ++c) {
    const ChannelRange found = range(options.axis < 0 ? x : x.slice(options.axis, c, c + 1));
    const ScaleAndZero derived = scale_from_range(found.low, found.high, options.dtype, options.scheme);
    out.scales.data<float>()[c] = derived.scale;
    zero_points.data<std::int32_t>()[c] = derived.zero_point;
  }
  if (!symmetric || options.dtype == DType::u8) out.zero_points = std::move(zero_points);
  return out;
}

/// The percentile p of the values, which are reordered.
double percentile_of(std::vector<float>& values, double p) {
  const double at = p / 100.0 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::ptrdiff_t>(at);
  std::nth_element(values.begin(), values.begin() + below, values.end());
  const double low = static_cast<double>(values[static_cast<std::size_t>(below)]);
  const double part = at - static_cast<double>(below);
  if (part == 0) return low;
  const double high = static_cast<double>(*std::min_element(values.begin() + below + 1, values.end()));
  return low + (high - low) * part;
}

}  // namespace

Quantization calibrate_min_max(Context& ctx, ConstView x, const QuantizeOptions& options) {
  constexpr const char* kOp = "calibrate_min_max";
  const std::int64_t channels = check_calibration(kOp, x, options);
  const OnHost host(ctx, x);
  return from_ranges(host.view(), channels, options, [&](const ConstView& channel) {
    ChannelRange range;
    visit_finite(kOp, channel, [&](float value) {
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    });
    return range;
  });
}

Quantization calibrate_percentile(Context& ctx, ConstView x, double percentile, const QuantizeOptions& options) {
  constexpr const char* kOp = "calibrate_percentile";
  const std::int64_t channels = check_calibration(kOp, x, options);
  if (!(percentile > 50 && percentile <= 100))
    throw Error(Code::invalid_argument, fmt::format("{}: {} is not above 50 and at most 100", kOp, percentile));
  const OnHost host(ctx, x);
  const bool symmetric = options.scheme == Scheme::symmetric;
  std::vector<float> values;
  return from_ranges(host.view(), channels, options, [&](const ConstView& channel) {
    values.clear();
    visit_finite(kOp, channel, [&](float value) { values.push_back(symmetric ? std::abs(value) : value); });
    ChannelRange range;
    if (values.empty()) return range;
    range.high = std::max(0.0f, static_cast<float>(percentile_of(values, percentile)));
    if (!symmetric) range.low = std::min(0.0f, static_cast<float>(percentile_of(values, 100 - percentile)));
    return range;
  });
}

Saturation count_saturated(Context& ctx, ConstView x, const Quantization& quantization) {
  constexpr const char* kOp = "count_saturated";
  check_quantization(kOp, quantization, x.shape());
  require_dtype(kOp, "x", x, DType::f32);
  const OnHost values(ctx, x), scales(ctx, quantization.scales), zeros(ctx, quantization.zero_points);
  const Strides s = strides_along(scales.view(), quantization.axis, x.rank());
  const Strides z =
      has_zero_points(quantization) ? strides_along(zeros.view(), quantization.axis, x.rank()) : repeated(x.rank());
  const Loops<3> loops = make_loops<3>(x.shape(), {&s, &z, &values.view().strides()});
  const IntRange range = range_of(quantization.dtype, quantization.narrow);
  Saturation count;
  for (std::int64_t i = 0; i < loops.elements; ++i) {
    std::int64_t at[3];
    loops.offsets(i, loops.rank, at);
    const float value = static_cast<const float*>(values.view().data())[at[2]];
    if (std::isnan(value)) {
      ++count.nan;
      continue;
    }
    const float rounded = std::nearbyint(value / static_cast<const float*>(scales.view().data())[at[0]]);
    const std::int32_t zero =
        has_zero_points(quantization) ? static_cast<const std::int32_t*>(zeros.view().data())[at[1]] : 0;
    const float unclamped = rounded + static_cast<float>(zero);
    if (unclamped < static_cast<float>(range.low) || unclamped > static_cast<float>(range.high)) ++count.saturated;
  }
  return count;
}

}  // namespace tandem
