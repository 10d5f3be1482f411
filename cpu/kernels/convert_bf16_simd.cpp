// Idea:    integer arithmetic on the upper and lower halves of a vector of f32; results that no cache would hold are
//          stored past the caches; strided operands are gathered in pieces.
// Limits:  strided elements cost several times what contiguous ones do.
// Expect:  the same bits as the reference. Bytes a second against those of relu, a copy, on an AVX2 server core, one
//          thread, 1e4 to 3e7 elements: to f32 0.9 to 1.3 times, to bf16 0.6 to 0.8 times.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/convert_bf16_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/core/bf16.h"
#include "cpu/loops/convert-inl.h"
#include "cpu/simd/bf16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

struct RoundBf16 {
  using In = float;
  using Out = std::uint16_t;
  static Out one(In x) { return tandem::to_bf16(x).bits; }
  template <class D>
  static HWY_INLINE hn::Vec<Halves<D>> vector(D d, const In* x) {
    return round_to_bf16(d, hn::LoadU(d, x));
  }
};
struct WidenBf16 {
  using In = std::uint16_t;
  using Out = float;
  static Out one(In x) { return tandem::to_f32(Bf16{x}); }
  template <class D>
  static HWY_INLINE hn::Vec<D> vector(D d, const In* x) {
    return widen_bf16(d, hn::LoadU(Halves<D>(), x));
  }
};

// y[0 .. n) = x[0 .. n), bf16 as bits.
void round_bf16_run(const float* x, std::uint16_t* y, size_t n, bool stream) {
  convert_all<RoundBf16>(x, y, n, stream);
}
void widen_bf16_run(const std::uint16_t* x, float* y, size_t n, bool stream) {
  convert_all<WidenBf16>(x, y, n, stream);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "cpu/loops/convert.h"

namespace tandem::cpu::convert_bf16_simd {
namespace {

HWY_EXPORT(round_bf16_run);
HWY_EXPORT(widen_bf16_run);

Code run(const ConvertArgs& args, const Queue& queue, Workspace) {
  const IsaLevel isa = queue.machine->cpu.isa;
  if (args.from == DType::f32)
    convert_shares<float, std::uint16_t>(args, queue, TANDEM_SIMD_CALL(isa, round_bf16_run));
  else
    convert_shares<std::uint16_t, float>(args, queue, TANDEM_SIMD_CALL(isa, widen_bf16_run));
  return Code::ok;
}

}  // namespace

extern const Kernel<Convert> kKernel;
const Kernel<Convert> kKernel = {.needs = {},
                                 .traits = {},
                                 .supports = takes_bf16,
                                 .cost = convert_cost,
                                 .workspace = no_workspace<Convert>,
                                 .run = run};

}  // namespace tandem::cpu::convert_bf16_simd

#endif  // HWY_ONCE
