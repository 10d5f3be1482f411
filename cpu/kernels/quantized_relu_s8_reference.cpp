// Idea:    max(q, z), element by element; s8 and u8
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include <algorithm>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/requantize.h"

namespace tandem::cpu::quantized_relu_s8_reference {
namespace {

double cost(const QuantizedReluProblem& p, const Machine& machine) {
  return cpu_seconds(machine, QuantizedRelu::flops(p), QuantizedRelu::bytes(p), 0.01, 1);
}

template <class T>
void relu_all(const QuantizedReluArgs& args) {
  for (std::int64_t i = 0; i < args.loops.elements; ++i) {
    std::int64_t at[3];
    args.loops.offsets(i, args.loops.rank, at);
    const T zero_point = static_cast<T>(args.zero_points ? args.zero_points[at[1]] : 0);
    static_cast<T*>(args.y)[at[2]] = std::max(static_cast<const T*>(args.q)[at[0]], zero_point);
  }
}

Code run(const QuantizedReluArgs& args, const Queue&, Workspace) {
  if (args.dtype == DType::u8)
    relu_all<std::uint8_t>(args);
  else
    relu_all<std::int8_t>(args);
  return Code::ok;
}

}  // namespace

extern const Kernel<QuantizedRelu> kKernel;
const Kernel<QuantizedRelu> kKernel = {.needs = {},
                                       .traits = {.reference = true},
                                       .supports = supports_all<QuantizedRelu>,
                                       .cost = cost,
                                       .workspace = no_workspace<QuantizedRelu>,
                                       .run = run};

}  // namespace tandem::cpu::quantized_relu_s8_reference
