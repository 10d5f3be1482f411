// Matrix products from a micro-kernel: the loops, packing, tails, threads and the fused store, written once.
//
// Everything is seen as words of 4 bytes: one f32, two bf16 or four int8 consecutive values of k, `group` in a word.
// Sums have 4 bytes; the store makes elements of c of them. A micro-kernel multiplies a few rows of a by a few vectors
// of columns of b over a block of k. It reads a and b through strides, so operands in place and packed panels look
// alike to it. All but f32 is packed, except b of a few rows and a of sweeps (sweep.h), and its k is one block, since c
// need not be able to hold sums.
//
// Accumulation order: element (i, j) is summed in blocks of at most kc values of k (MatmulBlocking; the blocks depend
// on m, k, the strides of the whole product, the machine's caches, whether panels of b came and, where the product is
// turned, on n in the place of m). A block is one chain of multiply-adds from zero
// in ascending k (of exact integers several); block sums are added to c in ascending order. The place of the element in
// a tile, the tile's size, packing and threads do not matter to its bits: k is never split between threads, and every
// tile sums in the same order. A product that takes dots() is summed over k by the lanes of one vector (of bf16: even
// and odd values in turn), which are added up at the end; whether it does follows from its sizes and strides, and from
// whether panels of b came with it. Those of integers are in int_dots.h: their bits are the same in any order.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/dot/dot.h"
#include "cpu/gemm/skinny.h"
#include "cpu/gemm/sweep.h"
#include "cpu/gemm/tile.h"

namespace tandem::cpu {

/// Copies a panel: out[p * width + i] = in[i * across + p * along] for i < count, 0 for count <= i < width, p < kc
/// words. Strides in elements. `depth` is the number of elements along k: the last word is padded with zeros. Packing
/// may also turn elements into others, such as s8 into u8.
using PackPanel = void (*)(const void* in, std::int64_t across, std::int64_t along, std::int64_t count,
                           std::int64_t depth, std::int64_t width, void* out);

/// What one ISA level offers for one combination of types.
struct GemmSet {
  int mr = 0;       // most rows of a tile
  int vectors = 0;  // most vectors in a row of a tile
  int lanes = 0;    // words a vector
  int group = 1;    // values of k a word
  int element = 4;  // bytes of a value in a and b
  bool masks = false;
  bool finishes = false;                       // tiles take TileArgs::bias and relu
  const MicroKernel* tiles = nullptr;          // [(rows - 1) * vectors + vectors_used - 1]; a_row is 1
  const MicroKernel* tiles_along_k = nullptr;  // the same with an a_step of 1; null: a is always packed
  PackPanel pack_a = nullptr, pack_b = nullptr;
  PackPanel pack_lines = nullptr;  // of a, for the tiles of AMX
  StoreTile store = nullptr;
  const SkinnyKernel* skinny = nullptr;  // [rows - 1]
  int skinny_rows = 0;                   // how many there are; of integers, one row may be needed for column sums
  const DotsKernel* dots = nullptr;      // [rows - 1], up to kSkinnyRows; null: there are none
  IntDots int_dots = {};                 // of integers
  SweepKernel sweep = nullptr;           // multiplies and stores instead of `tiles`, which then only add up
  void (*enter)() = nullptr;             // around the work of a thread; null: nothing to do
  void (*leave)() = nullptr;
  std::int32_t ones = 0;  // integer sets: the word of ones that adds up the values of words

  std::int64_t nr() const noexcept { return std::int64_t{vectors} * lanes; }
  /// Whether a and b hold words already, which need no packing; k may then be cut into blocks, since c holds sums.
  bool takes_words() const noexcept { return group == 1 && element == 4; }
};

/// Which operands a product copies into panels before it multiplies them.
struct GemmPacking {
  bool a = false;
  bool b = false;
};

/// What a product is besides its operands.
struct GemmCall {
  const void* fused = nullptr;  // what the store gets; null: the MatmulArgs
  bool direct = false;  // tiles may write c themselves: unit column stride, and a store of no more than they can do
  bool row_sums = false, column_sums = false;  // the store wants them; integer sets
};

/// Scratch of gemm() for a product of this size on machine.cpu.threads threads, whatever the strides,
/// and for the turned product.
std::size_t gemm_workspace(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k, const Machine& machine);

/// All batch items. Panels that args.packed_b brings are used where they are as wide as those of the set.
void gemm(const GemmSet& set, const MatmulArgs& args, const GemmCall& call, const Queue& queue, Workspace workspace);

/// Kernel::run of a matmul.
void run_matmul(const GemmSet& set, const MatmulArgs& args, const Queue& queue, Workspace workspace);

}  // namespace tandem::cpu
