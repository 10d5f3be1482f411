// Idea:    the formula, element by element: division, rounding to nearest even, zero point, clamp, conversion
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include <cmath>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/quantize.h"

namespace tandem::cpu::quantize_f32_reference {
namespace {

double cost(const QuantizeProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Quantize::flops(p), Quantize::bytes(p), 0.02, 1);
}

std::int32_t quantized(float x, float scale, std::int32_t zero_point, IntRange range) {
  const float rounded = std::nearbyint(x / scale);
  if (std::isnan(rounded)) return std::clamp(zero_point, range.low, range.high);
  const float shifted = rounded + static_cast<float>(zero_point);
  return static_cast<std::int32_t>(std::clamp(shifted, static_cast<float>(range.low), static_cast<float>(range.high)));
}

template <class T>
void quantize_all(const QuantizeArgs& args) {
  for (std::int64_t i = 0; i < args.loops.elements; ++i) {
    std::int64_t at[4];
    args.loops.offsets(i, args.loops.rank, at);
    const std::int32_t zero_point = args.zero_points ? args.zero_points[at[2]] : 0;
    static_cast<T*>(args.out)[at[3]] = static_cast<T>(
        quantized(static_cast<const float*>(args.in)[at[0]], args.scales[at[1]], zero_point, args.range));
  }
}

Code run(const QuantizeArgs& args, const Queue&, Workspace) {
  if (args.dtype == DType::u8)
    quantize_all<std::uint8_t>(args);
  else
    quantize_all<std::int8_t>(args);
  return Code::ok;
}

}  // namespace

extern const Kernel<Quantize> kKernel;
const Kernel<Quantize> kKernel = {.needs = {},
                                  .traits = {.reference = true},
                                  .supports = supports_all<Quantize>,
                                  .cost = cost,
                                  .workspace = no_workspace<Quantize>,
                                  .run = run};

}  // namespace tandem::cpu::quantize_f32_reference
