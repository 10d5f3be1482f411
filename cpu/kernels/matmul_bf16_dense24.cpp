// Idea:    a 2:4 b is expanded into scratch, then multiplied by the dense kernel
// Limits:  saves bytes of storage, not time: it takes what the dense product takes and the expansion before it
// Expect:  the dense product's time, and some 0.25 ns an element of b on one thread for the expansion (Zen 5)
#include "common/core/bf16.h"
#include "cpu/sparse/expand24.h"

namespace tandem::cpu {

extern const Kernel<Matmul> matmul_bf16_simd;

extern const Kernel<Matmul> matmul_bf16_dense24;
const Kernel<Matmul> matmul_bf16_dense24 = Dense24<Matmul, Bf16, matmul_bf16_simd, 250>::row({});

}  // namespace tandem::cpu
