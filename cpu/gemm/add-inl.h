// Sums whose operands keep their order. Included once a target.
#if defined(TANDEM_CPU_GEMM_ADD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_ADD_INL_H_
#undef TANDEM_CPU_GEMM_ADD_INL_H_
#else
#define TANDEM_CPU_GEMM_ADD_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using VecF32 = hn::Vec<hn::ScalableTag<float>>;

// sum + c. Written as an instruction, because a compiler exchanges the operands of sums and products as it likes: when
// both are NaN, the first one gives the result its sign and payload, and the bits of an element must not depend on the
// tile that it falls into, nor on whether the tile or the store adds.
HWY_INLINE VecF32 add(VecF32 sum, VecF32 c) {
#if HWY_ARCH_X86 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
#if HWY_TARGET <= HWY_AVX3
  asm("vaddps %1, %0, %0" : "+v"(sum.raw) : "v"(c.raw));
#elif HWY_TARGET == HWY_AVX2
  asm("vaddps %1, %0, %0" : "+x"(sum.raw) : "x"(c.raw));
#elif HWY_TARGET == HWY_SCALAR
  asm("addss %1, %0" : "+x"(sum.raw) : "x"(c.raw));
#else
  asm("addps %1, %0" : "+x"(sum.raw) : "x"(c.raw));
#endif
  return sum;
#else
  return hn::Add(sum, c);
#endif
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
