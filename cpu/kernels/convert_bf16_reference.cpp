// Idea:    to_bf16() or to_f32() of common/core/bf16.h, element by element
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include "common/core/bf16.h"
#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/convert.h"

namespace tandem::cpu {
namespace {

double cost(const ConvertProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Convert::flops(p), Convert::bytes(p), 0.01, 1);
}

template <class In, class Out, class F>
void convert_all(const ConvertArgs& args, F convert) {
  for (std::int64_t i = 0; i < args.loops.elements; ++i) {
    std::int64_t at[2];
    args.loops.offsets(i, args.loops.rank, at);
    static_cast<Out*>(args.y)[at[1]] = convert(static_cast<const In*>(args.x)[at[0]]);
  }
}

Code run(const ConvertArgs& args, const Queue&, Workspace) {
  if (args.from == DType::f32)
    convert_all<float, Bf16>(args, [](float x) { return to_bf16(x); });
  else
    convert_all<Bf16, float>(args, [](Bf16 x) { return to_f32(x); });
  return Code::ok;
}

}  // namespace

extern const Kernel<Convert> convert_bf16_reference;
const Kernel<Convert> convert_bf16_reference = {.needs = {},
                                                .traits = {.reference = true},
                                                .supports = takes_bf16,
                                                .cost = cost,
                                                .workspace = no_workspace<Convert>,
                                                .run = run};

}  // namespace tandem::cpu
