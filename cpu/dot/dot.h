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

/// Which operands of a product of bytes are signed. One of a few rows meets one of many; `flips`: where both are
/// signed, the many become u8 by adding 128, which the few's starts take back.
enum class Signs { both, few, many };
constexpr int kSignsCount = 3;

/// sum[i * sum_row + j] = start[i] + the dot product of row i of the few, as many as the kernel has, and row j of the
/// many, `count` of them of k bytes, many_row bytes apart; k is at least `span` (IntDots). A row of the few has
/// few_row bytes, 64-byte aligned: values 0 to k - k % span, and then, unless that is all, a span that ends with the
/// rest and begins with zeros. Sums wrap.
struct IntDotsArgs {
  int64_t count = 0, k = 0;
  const void* few = nullptr;
  int64_t few_row = 0;
  const int32_t* start = nullptr;
  const void* many = nullptr;
  int64_t many_row = 0;
  int32_t* sum = nullptr;
  int64_t sum_row = 0;
};
using IntDotsKernel = void (*)(const IntDotsArgs&);
constexpr int kIntDotsRows = 9;  // kSkinnyRows, and one of ones that adds up the many

struct IntDots {
  const IntDotsKernel* kernels = nullptr;  // [signs * kIntDotsRows + rows - 1]; null: none
  int span = 0;                            // bytes of the many a step
  int few_bytes = 1;                       // of a value of the few: 1, or 2 for s16
  bool flips = false;
};

struct DotTiles {
  int mr = 0, vectors = 0, lanes = 0;    // as in GemmSet
  const MicroKernel* tiles = nullptr;    // [(rows - 1) * vectors + vectors_used - 1]; null: the compiler could not
  const SkinnyKernel* skinny = nullptr;  // [rows - 1]; null: none
  int skinny_rows = 0;
  /// Independent multiply-adds in registers, `steps` rounds of them; returns how many (each 2 operations).
  double (*run)(int64_t steps) = nullptr;
  IntDots dots = {};
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
