// Idea:    a 2:4 b is expanded into scratch, then multiplied by the dense kernel
// Limits:  saves bytes of storage, not time: it takes what the dense product takes and, where no panels of b come with
//          the call, the expansion before it
// Expect:  the dense product's time, and some 0.22 ns an element of b on one thread for the expansion (Zen 5)
#include "cpu/sparse/expand24.h"

namespace tandem::cpu {
namespace quantized_matmul_s8_simd {
extern const Kernel<QuantizedMatmul> kKernel;
}
}  // namespace tandem::cpu

namespace tandem::cpu::quantized_matmul_s8_dense24 {

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel =
    Dense24<QuantizedMatmul, std::int8_t, quantized_matmul_s8_simd::kKernel, 220>::row(
        {.isa = IsaLevel::avx2, .s8_dot = true});

}  // namespace tandem::cpu::quantized_matmul_s8_dense24
