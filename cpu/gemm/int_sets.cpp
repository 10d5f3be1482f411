// The sets of the products of bytes: panels, tiles of dot products, and the store of integer sums, which is compiled
// here alone. It is compiled for the levels that have dot products, and empty for others.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/gemm/int_sets.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/dot/choose.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/pack-inl.h"
#include "cpu/gemm/pack_lines-inl.h"
#include "cpu/gemm/store_int-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

#if HWY_TARGET <= HWY_AVX2

GemmSet s8_gemm_set(const DotTiles& dot, bool is_unsigned) {
  return {.mr = dot.mr,
          .vectors = dot.vectors,
          .lanes = dot.lanes,
          .group = 4,
          .element = 1,
          .masks = false,
          .tiles = dot.tiles,
          .pack_a = is_unsigned ? pack_panel<AsTheyAre<std::uint8_t>> : pack_panel<Flipped>,
          .pack_b = pack_panel<AsTheyAre<std::uint8_t>>,
          .pack_lines = pack_lines<std::uint8_t>,
          .store = int_store,
          .skinny = dot.skinny,
          .skinny_rows = dot.skinny_rows,
          .int_dots = dot.dots,
          .ones = 0x01010101};
}

GemmSet s16_gemm_set(const DotTiles& dot, bool is_unsigned) {
  return {.mr = dot.mr,
          .vectors = dot.vectors,
          .lanes = dot.lanes,
          .group = 2,
          .element = 1,
          .masks = false,
          .tiles = dot.tiles,
          .pack_a = is_unsigned ? pack_panel<Widened<std::uint8_t>> : pack_panel<Widened<std::int8_t>>,
          .pack_b = pack_panel<Widened<std::int8_t>>,
          .store = int_store,
          .skinny = nullptr,
          .skinny_rows = 0,
          .int_dots = dot.dots,
          .ones = 0x00010001};
}

#else

GemmSet s8_gemm_set(const DotTiles&, bool) { return {}; }
GemmSet s16_gemm_set(const DotTiles&, bool) { return {}; }

#endif

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "cpu/gemm/sets.h"

namespace tandem::cpu {
namespace {

HWY_EXPORT(s8_gemm_set);
HWY_EXPORT(s16_gemm_set);

}  // namespace

// The store must be of a level whose vectors are no longer than those of the tiles.
GemmSet s8_set(const CpuInfo& cpu, bool a_is_unsigned) {
  const DotTiles& dot = *s8_dot_tiles(cpu);
  const IsaLevel level = &dot == &s8_avx512vnni ? IsaLevel::avx512 : IsaLevel::avx2;
  return TANDEM_SIMD_CALL(level, s8_gemm_set)(dot, a_is_unsigned);
}

GemmSet s16_set(bool a_is_unsigned) { return TANDEM_SIMD_CALL(IsaLevel::avx2, s16_gemm_set)(s16_avx2, a_is_unsigned); }

}  // namespace tandem::cpu

#endif  // HWY_ONCE
