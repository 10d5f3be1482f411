// Matrix products from a micro-kernel: the loops, packing, tails, threads and the fused store, written once.
//
// Everything is seen as words of 4 bytes: one f32, two bf16 or four int8 consecutive values of k, `group` in a word.
// c has 4 bytes an element. A micro-kernel multiplies a few rows of a by a few vectors of columns of b over a block
// of k. It reads a and b through strides, so operands in place and packed panels look alike to it.
//
// Accumulation order: element (i, j) is summed in blocks of at most kc values of k (MatmulBlocking; the blocks depend
// on m, k, the strides of the whole product and the machine's caches). A block is one chain of multiply-adds from zero
// in ascending k; block sums are added to c in ascending order. The place of the element in a tile, the tile's size,
// packing and threads do not matter to its bits: k is never split between threads, and every tile sums in the same
// order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/skinny.h"

namespace tandem::cpu {

/// One tile: c = a b over kc words of k, or c += a b. Strides in words: a(i, p) is at a[i * a_row + p * a_step], b(p,
/// j) at b[p * b_step + j], c(i, j) at c[i * c_row + j].
struct TileArgs {
  std::int64_t kc = 0;
  const void* a = nullptr;
  std::int64_t a_row = 0, a_step = 0;
  const void* b = nullptr;
  std::int64_t b_step = 0;
  void* c = nullptr;
  std::int64_t c_row = 0;
  std::int64_t last =
      0;  // columns in the last vector: sets with `masks` touch no more of b and c, others whole vectors
  bool accumulate = false;
  // What is read next, to be brought into L2 meanwhile: rows of two or three cache lines, one each `ahead_every` steps.
  const char* ahead = nullptr;
  std::int64_t ahead_step = 0;  // bytes
  std::int64_t ahead_every = INT64_MAX;
};
using MicroKernel = void (*)(const TileArgs&);

/// Copies a panel: out[p * width + i] = in[i * across + p * along] for i < count, 0 for count <= i < width, p < kc
/// words. Strides in elements. `depth` is the number of elements along k: the last word is padded with zeros.
using PackPanel = void (*)(const void* in, std::int64_t across, std::int64_t along, std::int64_t count,
                           std::int64_t depth, std::int64_t width, void* out);

/// A finished or partial tile on its way to c.
struct StoreArgs {
  const void* tile = nullptr;  // rows x columns, rows tile_row words apart, 64-byte aligned
  std::int64_t tile_row = 0;
  std::int64_t rows = 0, columns = 0;
  std::int64_t i = 0, j = 0;       // where the tile is in c
  void* c = nullptr;               // element (i, j)
  bool first = true, last = true;  // block of k
  const MatmulArgs* args = nullptr;
};
using StoreTile = void (*)(const StoreArgs&);

/// What one ISA level offers for one combination of types.
struct GemmSet {
  int mr = 0;       // most rows of a tile
  int vectors = 0;  // most vectors in a row of a tile
  int lanes = 0;    // words a vector
  int group = 1;    // values of k a word
  bool masks = false;
  const MicroKernel* tiles = nullptr;  // [(rows - 1) * vectors + vectors_used - 1]
  PackPanel pack = nullptr;
  StoreTile store = nullptr;
  const SkinnyKernel* skinny = nullptr;  // [rows - 1], for f32 sets

  std::int64_t nr() const noexcept { return std::int64_t{vectors} * lanes; }
};

/// Which operands a product copies into panels before it multiplies them.
struct GemmPacking {
  bool a = false;
  bool b = false;
};

/// Scratch of gemm() for a product of this size on machine.cpu.threads threads, whatever the strides.
std::size_t gemm_workspace(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k, const Machine& machine);

/// All batch items. `direct`: the store is c = a b and c has unit column stride, so that tiles may write c themselves.
void gemm(const GemmSet& set, const MatmulArgs& args, bool direct, const Queue& queue, Workspace workspace);

}  // namespace tandem::cpu
