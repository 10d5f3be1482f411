// One tile of a matrix product, as micro-kernels see it. Free of the standard library's templates: files that are
// compiled for one instruction set include it.
#pragma once

#include <stdint.h>

namespace tandem::cpu {

/// c = a b over kc words of k, or c += a b. Strides in words: a(i, p) is at a[i * a_row + p * a_step], b(p, j) at
/// b[p * b_step + j], c(i, j) at c[i * c_row + j]. Tiles of f32 then add the bias, one for each column, and take the
/// larger of the sum and 0.
struct TileArgs {
  int64_t kc = 0;
  const void* a = nullptr;
  int64_t a_row = 0, a_step = 0;
  const void* b = nullptr;
  int64_t b_step = 0;
  void* c = nullptr;
  int64_t c_row = 0;
  int64_t last = 0;  // columns in the last vector: sets with `masks` touch no more of b and c, others whole vectors
  bool accumulate = false;
  const float* bias = nullptr;
  bool relu = false;
  // What is read next, to be brought into L2 meanwhile: rows of two or three cache lines, two of them each
  // `ahead_every` steps, an even number.
  const char* ahead = nullptr;
  int64_t ahead_step = 0;  // bytes
  int64_t ahead_every = INT64_MAX - 1;
};
using MicroKernel = void (*)(const TileArgs&);

/// A finished or partial tile on its way to c.
struct StoreArgs {
  const void* tile = nullptr;  // rows x columns, rows tile_row words apart, 64-byte aligned
  int64_t tile_row = 0;
  int64_t rows = 0, columns = 0;
  int64_t i = 0, j = 0;            // where the tile is in c
  void* c = nullptr;               // element (i, j)
  bool first = true, last = true;  // block of k
  const void* args = nullptr;      // GemmCall::fused
  // Of a as it was packed, one a row of the tile, and of b, one a column, filled up to whole vectors; null where
  // GemmCall does not ask for them.
  const int32_t* row_sums = nullptr;
  const int32_t* column_sums = nullptr;
};
using StoreTile = void (*)(const StoreArgs&);

}  // namespace tandem::cpu
