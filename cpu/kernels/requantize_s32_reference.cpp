// Idea:    conversion to f32, product, rounding to nearest even, zero point, clamp: element by element
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include <algorithm>
#include <cmath>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/requantize.h"

namespace tandem::cpu::requantize_s32_reference {
namespace {

double cost(const RequantizeProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Requantize::flops(p), Requantize::bytes(p), 0.02, 1);
}

template <class T>
void requantize_all(const RequantizeArgs& args) {
  for (std::int64_t i = 0; i < args.loops.elements; ++i) {
    std::int64_t at[3];
    args.loops.offsets(i, args.loops.rank, at);
    float rounded = std::nearbyint(static_cast<float>(args.acc[at[0]]) * args.multipliers[at[1]]);
    if (std::isnan(rounded)) rounded = 0;  // of multipliers that are no numbers
    static_cast<T*>(args.q)[at[2]] =
        static_cast<T>(std::clamp(rounded + static_cast<float>(args.zero_point), static_cast<float>(args.range.low),
                                  static_cast<float>(args.range.high)));
  }
}

Code run(const RequantizeArgs& args, const Queue&, Workspace) {
  if (args.dtype == DType::u8)
    requantize_all<std::uint8_t>(args);
  else
    requantize_all<std::int8_t>(args);
  return Code::ok;
}

}  // namespace

extern const Kernel<Requantize> kKernel;
const Kernel<Requantize> kKernel = {.needs = {},
                                    .traits = {.reference = true},
                                    .supports = supports_all<Requantize>,
                                    .cost = cost,
                                    .workspace = no_workspace<Requantize>,
                                    .run = run};

}  // namespace tandem::cpu::requantize_s32_reference
