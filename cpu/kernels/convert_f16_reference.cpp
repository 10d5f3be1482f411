// Idea:    to_f16() or to_f32() of common/core/f16.h, element by element
// Limits:  none; any strides, one thread
// Expect:  nothing of speed: the rung that the others are compared with
#include "common/core/f16.h"
#include "cpu/loops/convert.h"

namespace tandem::cpu::convert_f16_reference {
namespace {

Code run(const ConvertArgs& args, const Queue&, Workspace) {
  if (args.from == DType::f32)
    convert_each<float, F16>(args, [](float x) { return to_f16(x); });
  else
    convert_each<F16, float>(args, [](F16 x) { return to_f32(x); });
  return Code::ok;
}

}  // namespace

extern const Kernel<Convert> kKernel;
const Kernel<Convert> kKernel = {.needs = {},
                                 .traits = {.reference = true},
                                 .supports = takes_f16,
                                 .cost = convert_each_cost,
                                 .workspace = no_workspace<Convert>,
                                 .run = run};

}  // namespace tandem::cpu::convert_f16_reference
