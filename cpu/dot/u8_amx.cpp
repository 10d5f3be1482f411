// u8 x s8 with AMX-INT8.
#include <stddef.h>

#include "cpu/dot/dot.h"

#if defined(__AMX_INT8__)
namespace tandem::cpu {
namespace {

template <int kC, int kA, int kB>
inline __attribute__((always_inline)) void multiply() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kC), "i"(kA), "i"(kB));
}

#include "cpu/dot/amx-inl.h"

}  // namespace

const DotTiles u8_amx = {kMr, kVectors, kTileRows, kTiles.at, nullptr, 0, &run<4>, {}, &enter, &leave, &sweep};

}  // namespace tandem::cpu

#else

namespace tandem::cpu {
const DotTiles u8_amx;
}  // namespace tandem::cpu

#endif
