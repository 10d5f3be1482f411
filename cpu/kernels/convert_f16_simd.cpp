// Idea:    the instructions of F16C, integer arithmetic where there are none; walks as convert_bf16_simd.
// Limits:  strided elements cost several times what contiguous ones do.
// Expect:  the same bits as the reference. Bytes a second against those of relu, a copy, on an AVX2 server core, one
//          thread, 1e4 to 3e7 elements: 0.9 to 1.1 times; without F16C, to f32 0.3 to 0.6, to f16 0.2 to 0.5 times.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/convert_f16_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/core/f16.h"
#include "cpu/loops/convert-inl.h"
#include "cpu/simd/f16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

struct RoundF16 {
  using In = float;
  using Out = std::uint16_t;
  static Out one(In x) { return tandem::to_f16(x).bits; }
  template <class D>
  static HWY_INLINE hn::Vec<hn::Rebind<std::uint16_t, D>> vector(D d, const In* x) {
    return round_to_f16(d, hn::LoadU(d, x));
  }
};
struct WidenF16 {
  using In = std::uint16_t;
  using Out = float;
  static Out one(In x) { return tandem::to_f32(F16{x}); }
  template <class D>
  static HWY_INLINE hn::Vec<D> vector(D d, const In* x) {
    return widen_f16(d, hn::LoadU(hn::Rebind<std::uint16_t, D>(), x));
  }
};

// y[0 .. n) = x[0 .. n), f16 as bits.
void round_f16_run(const float* x, std::uint16_t* y, size_t n, bool stream) { convert_all<RoundF16>(x, y, n, stream); }
void widen_f16_run(const std::uint16_t* x, float* y, size_t n, bool stream) { convert_all<WidenF16>(x, y, n, stream); }

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "cpu/loops/convert.h"

namespace tandem::cpu::convert_f16_simd {
namespace {

HWY_EXPORT(round_f16_run);
HWY_EXPORT(widen_f16_run);

Code run(const ConvertArgs& args, const Queue& queue, Workspace) {
  const IsaLevel isa = queue.machine->cpu.isa;
  if (args.from == DType::f32)
    convert_shares<float, std::uint16_t>(args, queue, TANDEM_SIMD_CALL(isa, round_f16_run));
  else
    convert_shares<std::uint16_t, float>(args, queue, TANDEM_SIMD_CALL(isa, widen_f16_run));
  return Code::ok;
}

}  // namespace

extern const Kernel<Convert> kKernel;
const Kernel<Convert> kKernel = {.needs = {},
                                 .traits = {},
                                 .supports = takes_f16,
                                 .cost = convert_cost,
                                 .workspace = no_workspace<Convert>,
                                 .run = run};

}  // namespace tandem::cpu::convert_f16_simd

#endif  // HWY_ONCE
