// bf16 x bf16 with AMX-BF16, summed in f32. The instruction takes denormals for zero and flushes what becomes one.
#include <stddef.h>

#include "cpu/dot/dot.h"

#if defined(__AMX_BF16__)
namespace tandem::cpu {
namespace {

template <int kC, int kA, int kB>
inline __attribute__((always_inline)) void multiply() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
}

#include "cpu/dot/amx-inl.h"

}  // namespace

const DotTiles bf16_amx = {kMr, kVectors, kTileRows, kTiles.at, nullptr, 0, &run<2>, {}, &enter, &leave, &sweep};

}  // namespace tandem::cpu

#else

namespace tandem::cpu {
const DotTiles bf16_amx;
}  // namespace tandem::cpu

#endif
