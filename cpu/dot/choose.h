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

}  // namespace tandem::cpu
