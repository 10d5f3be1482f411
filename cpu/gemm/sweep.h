// Some rows of a against many columns of b, as the kernels see it that store a tile while they compute the next. Free
// of the standard library's templates: files that are compiled for one instruction set include it.
#pragma once

#include "cpu/gemm/tile.h"

namespace tandem::cpu {

/// A tile of the instruction has so many rows of as many words, and a sweep takes two tiles of rows and of columns.
constexpr int kTileSide = 16, kSweepRows = 2 * kTileSide;

/// c = a b, stored by `store`. Strides in bytes. k is `steps` times 16 words and then `rest`, at most 16. Of a, the
/// words of a step of row i are at a + i * a_row, those of the next step a_next further; the rest is at a_rest, rows of
/// 64 bytes filled up with zeros. b lies in panels as wide as a tile of the set, b_panel apart, each all of k.
struct SweepArgs {
  int64_t steps = 0, rest = 0;
  int64_t rows = 0;  // at most as many as a tile has
  const char* a = nullptr;
  int64_t a_row = 0, a_next = 0;
  const char* a_rest = nullptr;
  const char* b = nullptr;
  int64_t b_panel = 0;
  int64_t columns = 0;
  StoreTile store = nullptr;
  StoreArgs to;  // of the first element; no tile yet, and its rows and columns do not count
  int64_t c_row = 0, c_col = 0;
};
using SweepKernel = void (*)(const SweepArgs&);

}  // namespace tandem::cpu
