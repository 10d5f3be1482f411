// Idea:    a 2:4 b is expanded into scratch, then multiplied by the dense kernel
// Limits:  saves bytes of storage, not time: it takes what the dense product takes and the expansion before it
// Expect:  the dense product's time, and some 0.5 ns an element of b on one thread for the expansion (Zen 5)
#include "cpu/sparse/expand24.h"

namespace tandem::cpu {

extern const Kernel<Matmul> matmul_f32_simd;

extern const Kernel<Matmul> matmul_f32_dense24;
const Kernel<Matmul> matmul_f32_dense24 = Dense24<Matmul, float, matmul_f32_simd, 500>::row({});

}  // namespace tandem::cpu
