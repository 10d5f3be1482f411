// Idea:    a 2:4 b is expanded into scratch, then multiplied by the dense kernel
// Limits:  saves bytes of storage, not time: it takes what the dense product takes and the expansion before it
// Expect:  the dense product's time, and some 0.5 ns an element of b on one thread for the expansion (Zen 5)
#include "cpu/sparse/expand24.h"

namespace tandem::cpu {
namespace matmul_f32_simd {
extern const Kernel<Matmul> kKernel;
}
}  // namespace tandem::cpu

namespace tandem::cpu::matmul_f32_dense24 {

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = Dense24<Matmul, float, matmul_f32_simd::kKernel, 500>::row({});

}  // namespace tandem::cpu::matmul_f32_dense24
