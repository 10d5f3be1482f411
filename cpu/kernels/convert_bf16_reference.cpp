// Idea:    to_bf16() or to_f32() of common/core/bf16.h, element by element
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include "common/core/bf16.h"
#include "cpu/loops/convert.h"

namespace tandem::cpu::convert_bf16_reference {
namespace {

Code run(const ConvertArgs& args, const Queue&, Workspace) {
  if (args.from == DType::f32)
    convert_each<float, Bf16>(args, [](float x) { return to_bf16(x); });
  else
    convert_each<Bf16, float>(args, [](Bf16 x) { return to_f32(x); });
  return Code::ok;
}

}  // namespace

extern const Kernel<Convert> kKernel;
const Kernel<Convert> kKernel = {.needs = {},
                                 .traits = {.reference = true},
                                 .supports = takes_bf16,
                                 .cost = convert_each_cost,
                                 .workspace = no_workspace<Convert>,
                                 .run = run};

}  // namespace tandem::cpu::convert_bf16_reference
