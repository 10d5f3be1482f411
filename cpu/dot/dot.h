// Micro-kernels made of dot-product instructions: each step multiplies words of several values of k. One file an
// instruction set, compiled with its own flags and entered only where CpuInfo says that the instructions exist.
//
// a and b are packed: a(i, p) is at a[p * a_step + i], whatever a_row says; accumulate and last are ignored: whole
// vectors of c are written. Integer sums wrap.
#pragma once

#include "cpu/gemm/skinny.h"
#include "cpu/gemm/sweep.h"
#include "cpu/gemm/tile.h"

namespace tandem::cpu {

struct DotTiles {
  int mr = 0, vectors = 0, lanes = 0;    // as in GemmSet
  const MicroKernel* tiles = nullptr;    // [(rows - 1) * vectors + vectors_used - 1]; null: the compiler could not
  const SkinnyKernel* skinny = nullptr;  // [rows - 1]; null: none
  int skinny_rows = 0;
  /// Independent multiply-adds in registers, `steps` rounds of them; returns how many (each 2 operations).
  double (*run)(int64_t steps) = nullptr;
  /// Called by a thread before its first tile and after its last; null: nothing to do.
  void (*enter)() = nullptr;
  void (*leave)() = nullptr;
  SweepKernel sweep = nullptr;  // null: none
};

extern const DotTiles s8_avx512vnni;  // words of 4: a u8, b s8, c s32
extern const DotTiles s8_avxvnni;     // the same in 256 bits
extern const DotTiles s16_avx2;       // words of 2: a, b s16, c s32
extern const DotTiles bf16_avx512;    // words of 2: a, b bf16, c f32
// Of AMX; a is packed by pack_lines(), b as above.
extern const DotTiles s8_amx;    // words of 4: a, b s8, c s32
extern const DotTiles u8_amx;    // a u8, b s8
extern const DotTiles bf16_amx;  // words of 2

}  // namespace tandem::cpu
