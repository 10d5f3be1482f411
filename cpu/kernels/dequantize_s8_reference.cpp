// Idea:    (q - z) * s, element by element; s8 and u8
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/quantize.h"

namespace tandem::cpu::dequantize_s8_reference {
namespace {

double cost(const QuantizeProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Dequantize::flops(p), Dequantize::bytes(p), 0.02, 1);
}

template <class T>
void dequantize_all(const QuantizeArgs& args) {
  for (std::int64_t i = 0; i < args.loops.elements; ++i) {
    std::int64_t at[4];
    args.loops.offsets(i, args.loops.rank, at);
    const std::int32_t zero_point = args.zero_points ? args.zero_points[at[2]] : 0;
    const std::int32_t steps = static_cast<const T*>(args.in)[at[0]] - zero_point;
    static_cast<float*>(args.out)[at[3]] = static_cast<float>(steps) * args.scales[at[1]];
  }
}

Code run(const QuantizeArgs& args, const Queue&, Workspace) {
  if (args.dtype == DType::u8)
    dequantize_all<std::uint8_t>(args);
  else
    dequantize_all<std::int8_t>(args);
  return Code::ok;
}

}  // namespace

extern const Kernel<Dequantize> kKernel;
const Kernel<Dequantize> kKernel = {.needs = {},
                                    .traits = {.reference = true},
                                    .supports = supports_all<Dequantize>,
                                    .cost = cost,
                                    .workspace = no_workspace<Dequantize>,
                                    .run = run};

}  // namespace tandem::cpu::dequantize_s8_reference
