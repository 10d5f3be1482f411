// Idea:    for each channel the range, its scale and zero point, and then every element by the formula
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include <algorithm>
#include <cmath>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/dynamic_quantize.h"

namespace tandem::cpu::dynamic_quantize_f32_reference {
namespace {

double cost(const DynamicQuantizeProblem& p, const Machine& machine) {
  return cpu_seconds(machine, DynamicQuantize::flops(p), DynamicQuantize::bytes(p), 0.02, 1);
}

template <class T>
void quantize_channel(const DynamicQuantizeArgs& args, std::int64_t channel) {
  const float* x = args.x + channel * args.x_channel;
  T* q = static_cast<T*>(args.q) + channel * args.q_channel;
  const auto each = [&](auto visit) {
    for (std::int64_t i = 0; i < args.inner.elements; ++i) {
      std::int64_t at[2];
      args.inner.offsets(i, args.inner.rank, at);
      visit(x[at[0]], q[at[1]]);
    }
  };
  float low = 0, high = 0;
  each([&](float value, T&) {
    if (value < low) low = value;  // false for NaN
    if (value > high) high = value;
  });
  const auto [scale, zero_point] = scale_from_range(low, high, args.dtype, args.scheme);
  args.scales[channel * args.scale_channel] = scale;
  args.zero_points[channel * args.zero_channel] = zero_point;
  const IntRange range = range_of(args.dtype, args.scheme == Scheme::symmetric);
  each([&, scale = scale, zero_point = zero_point](float value, T& out) {
    float rounded = std::nearbyint(value / scale);
    if (std::isnan(rounded)) rounded = 0;
    out = static_cast<T>(std::clamp(rounded + static_cast<float>(zero_point), static_cast<float>(range.low),
                                    static_cast<float>(range.high)));
  });
}

Code run(const DynamicQuantizeArgs& args, const Queue&, Workspace) {
  for (std::int64_t channel = 0; channel < args.channels; ++channel)
    if (args.dtype == DType::u8)
      quantize_channel<std::uint8_t>(args, channel);
    else
      quantize_channel<std::int8_t>(args, channel);
  return Code::ok;
}

}  // namespace

extern const Kernel<DynamicQuantize> kKernel;
const Kernel<DynamicQuantize> kKernel = {.needs = {},
                                         .traits = {.reference = true},
                                         .supports = supports_all<DynamicQuantize>,
                                         .cost = cost,
                                         .workspace = no_workspace<DynamicQuantize>,
                                         .run = run};

}  // namespace tandem::cpu::dynamic_quantize_f32_reference
