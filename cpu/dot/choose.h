// The dot products that a CPU has within the level of a context.
#pragma once

#include <tandem/machine.h>

#include "cpu/dot/dot.h"

namespace tandem::cpu {

/// Null: none.
inline const DotTiles* s8_dot_tiles(const CpuInfo& cpu) {
  if (cpu.avx512_vnni && cpu.isa == IsaLevel::avx512) return &s8_avx512vnni;
  return cpu.has_s8_dot() ? &s8_avxvnni : nullptr;
}
inline const DotTiles* bf16_dot_tiles(const CpuInfo& cpu) { return cpu.has_bf16_dot() ? &bf16_avx512 : nullptr; }

/// The fastest, which the ceilings are those of: AMX, else what is above.
inline const DotTiles* fastest_s8_dot(const CpuInfo& cpu) { return cpu.has_amx_int8() ? &s8_amx : s8_dot_tiles(cpu); }
inline const DotTiles* fastest_bf16_dot(const CpuInfo& cpu) {
  return cpu.has_amx_bf16() ? &bf16_amx : bf16_dot_tiles(cpu);
}
/// How many times as much as the tiles above that is, measured on a Xeon with AMX.
inline double s8_ceiling_ratio(const CpuInfo& cpu) { return cpu.has_amx_int8() ? 8 : 1; }
inline double bf16_ceiling_ratio(const CpuInfo& cpu) { return cpu.has_amx_bf16() ? 32 : 1; }

}  // namespace tandem::cpu
