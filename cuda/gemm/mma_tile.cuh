// The main loop of a product on tensor cores: slabs of a and b through a ring in shared memory, fragments by ldmatrix.
// Warps lie kWarpsM x kWarpsN over the block's square tile; each owns 16 kBlocksM rows and 32 columns.
#pragma once

#include "cuda/gemm/mma.cuh"
#include "cuda/gemm/slab.cuh"
#include "cuda/gemm/tile_order.h"

namespace tandem::cuda {

template <int kTile_, int kWarpsM_, int kWarpsN_, int kBlocksPerSm_>
struct MmaShape {
  static constexpr int kTile = kTile_, kRows = kTile, kCols = kTile;
  static constexpr int kWarpsM = kWarpsM_, kWarpsN = kWarpsN_;
  static constexpr int kThreads = kWarpsM * kWarpsN * 32;
  static constexpr int kBlocksPerSm = kBlocksPerSm_;
  static constexpr int kWarpRows = kTile / kWarpsM, kWarpCols = kTile / kWarpsN;
  static constexpr int kBlocksM = kWarpRows / 16, kBlocksN = kWarpCols / 8;  // instructions of a warp
  static constexpr int kSlab = kTile * kSlabBytes;
  static constexpr int kStages = 3;
  static constexpr int kSharedBytes = kStages * 2 * kSlab;
  static_assert(kWarpCols == 32, "the store takes a lane a column");
};

/// The block's tile of the result: its first element, and what exists of it.
struct TileExtent {
  std::int64_t i0, j0;
  int rows, cols;

  /// What of it lies behind row `row` and column `col`.
  __device__ __forceinline__ TileExtent from(int row, int col) const {
    return {i0 + row, j0 + col, rows - row, cols - col};
  }
};

template <class Shape>
__device__ __forceinline__ TileExtent tile_extent(std::int64_t m, std::int64_t n, unsigned tiles_m, unsigned tiles_n) {
  constexpr unsigned kBand = 16;  // tile rows that run side by side, see tile_at
  const TileAt at = tile_at(blockIdx.x, tiles_m, tiles_n, kBand);
  const std::int64_t rows = Shape::kRows, cols = Shape::kCols, i0 = at.row * rows, j0 = at.col * cols;
  return {i0, j0, static_cast<int>(::min(m - i0, rows)), static_cast<int>(::min(n - j0, cols))};
}

/// One thread's part in the fragments of its warp.
template <class Shape>
struct MmaPlace {
  int row, col;  // of the warp's tile
  int at_a[Shape::kBlocksM], at_b[Shape::kBlocksN / 2];

  __device__ explicit MmaPlace(int thread) {
    const int warp = thread / 32, lane = thread % 32;
    row = warp / Shape::kWarpsN * Shape::kWarpRows;
    col = warp % Shape::kWarpsN * Shape::kWarpCols;
    // Matrices of an ldmatrix: rows 0-7, rows 8-15, and both again 16 bytes on; for b, both bytes of columns 0-7 first.
#pragma unroll
    for (int m = 0; m < Shape::kBlocksM; ++m) at_a[m] = slab_at(row + m * 16 + lane % 16, lane / 16 * 16);
#pragma unroll
    for (int n = 0; n < Shape::kBlocksN / 2; ++n)
      at_b[n] = slab_at(col + n * 16 + lane / 16 * 8 + lane % 8, lane / 8 % 2 * 16);
  }
};

/// Nothing else is done with the fragments.
struct NoSideSums {
  template <class A, class B>
  __device__ __forceinline__ void add(const A&, const B&) {}
};

/// `side.add` sees the fragments as well.
template <class Product, class Shape, class Place, class SideSums>
__device__ __forceinline__ void multiply_slabs(const char* slab_a, const char* slab_b, const Place& place,
                                               typename Product::Sum (&c)[Shape::kBlocksM][Shape::kBlocksN][4],
                                               SideSums& side) {
#pragma unroll
  for (int byte = 0; byte < kSlabBytes; byte += 32) {
    unsigned a[Shape::kBlocksM][4], b[Shape::kBlocksN][2];
#pragma unroll
    for (int n = 0; n < Shape::kBlocksN; n += 2) {  // chunks change place by exclusive or, so the step is one as well
      unsigned both[4];
      load_matrices(slab_b + (place.at_b[n / 2] ^ byte), both);
      b[n][0] = both[0], b[n][1] = both[1], b[n + 1][0] = both[2], b[n + 1][1] = both[3];
    }
#pragma unroll
    for (int m = 0; m < Shape::kBlocksM; ++m) load_matrices(slab_a + (place.at_a[m] ^ byte), a[m]);
#pragma unroll
    for (int m = 0; m < Shape::kBlocksM; ++m)
#pragma unroll
      for (int n = 0; n < Shape::kBlocksN; ++n) mma<Product>(c[m][n], a[m], b[n][0], b[n][1]);
    side.add(a, b);
  }
}

/// Starts a ring: brings the first kAhead slabs of two operands, a group of copies each.
template <int kAhead, class LoaderA, class LoaderB, class SlabA, class SlabB>
__device__ __forceinline__ void start_ring(LoaderA& load_a, LoaderB& load_b, int slabs, const SlabA& slab_a,
                                           const SlabB& slab_b) {
#pragma unroll
  for (int s = 0; s < kAhead; ++s) {
    if (s < slabs) {
      load_a.fetch(slab_a(s));
      load_b.fetch(slab_b(s));
      load_a.store(slab_a(s));
      load_b.store(slab_b(s));
    }
    async_commit();
  }
}

/// Brings slabs of two operands through a ring in shared memory and calls multiply(slab_a, slab_b) for each. Returns
/// with all threads past the last use of shared memory.
template <int kBytesA, int kBytesB, int kStages, class LoaderA, class LoaderB, class Multiply>
__device__ __forceinline__ void for_each_slab(LoaderA& load_a, LoaderB& load_b, int slabs, char* shared,
                                              Multiply&& multiply) {
  constexpr int kAhead = kStages - 1;
  const auto slab_a = [&](int stage) { return shared + stage * (kBytesA + kBytesB); };
  const auto slab_b = [&](int stage) { return shared + stage * (kBytesA + kBytesB) + kBytesA; };
  start_ring<kAhead>(load_a, load_b, slabs, slab_a, slab_b);
  int stage = 0, free = kAhead;
  for (int s = 0; s < slabs; ++s) {
    async_wait_but<kAhead - 1>();
    __syncthreads();  // this slab has arrived, and nobody reads the one before it any more
    const bool more = s + kAhead < slabs;
    if (more) {
      load_a.fetch(slab_a(free));
      load_b.fetch(slab_b(free));
    }
    async_commit();
    multiply(slab_a(stage), slab_b(stage));
    if (more) {
      load_a.store(slab_a(free));
      load_b.store(slab_b(free));
    }
    stage = stage + 1 == kStages ? 0 : stage + 1;
    free = free + 1 == kStages ? 0 : free + 1;
  }
  __syncthreads();
}

/// The sums of a tile over the whole depth.
template <class Product, class Shape, class LoaderA, class LoaderB, class Place, class SideSums>
__device__ __forceinline__ void multiply_tile(LoaderA& load_a, LoaderB& load_b, int slabs, char* shared,
                                              const Place& place,
                                              typename Product::Sum (&c)[Shape::kBlocksM][Shape::kBlocksN][4],
                                              SideSums& side) {
  for_each_slab<Shape::kSlab, Shape::kSlab, Shape::kStages>(
      load_a, load_b, slabs, shared,
      [&](const char* slab_a, const char* slab_b) { multiply_slabs<Product, Shape>(slab_a, slab_b, place, c, side); });
}

__device__ __forceinline__ std::uint32_t word_of(std::int32_t sum) { return static_cast<std::uint32_t>(sum); }
__device__ __forceinline__ std::uint32_t word_of(float sum) { return __float_as_uint(sum); }

/// One 8-byte store to shared memory, which the compiler does not take apart: halves of it would meet in their banks.
__device__ __forceinline__ void store_pair(std::uint32_t* to, std::uint32_t x, std::uint32_t y) {
  asm volatile("st.shared.v2.b32 [%0], {%1, %2};" ::"r"(static_cast<unsigned>(__cvta_generic_to_shared(to))), "r"(x),
               "r"(y)
               : "memory");
}

/// The lanes of a warp meet after branches that they may have taken apart, and each sees what the others wrote to
/// shared memory. The vote makes them one group again: a barrier alone may let them go on apart, and tools that look
/// for races then lose its order.
__device__ __forceinline__ void meet() {
  (void)__any_sync(0xffffffffu, 1);
  __syncwarp();
}

inline constexpr int kPitch = 32 + 8;  // words of a row of 32 sums in staging: pairs of four rows meet no bank twice

/// Passes a warp's sums through 16 rows of its own staging: calls store(m) when rows 16 m .. 16 m + 15 are there, and
/// stage(m) before, for what else they need.
template <class Shape, class Sum, class Stage, class Store>
__device__ __forceinline__ void pass_rows(const Sum (&c)[Shape::kBlocksM][Shape::kBlocksN][4], std::uint32_t* staging,
                                          int lane, Stage&& stage, Store&& store) {
#pragma unroll
  for (int m = 0; m < Shape::kBlocksM; ++m) {
    meet();
    stage(m);
#pragma unroll
    for (int half = 0; half < 2; ++half)
#pragma unroll
      for (int n = 0; n < Shape::kBlocksN; ++n)
        store_pair(staging + (lane / 4 + half * 8) * kPitch + n * 8 + lane % 4 * 2, word_of(c[m][n][2 * half]),
                   word_of(c[m][n][2 * half + 1]));
    __syncwarp();
    store(m);
  }
}

inline constexpr int kTransposedPitch = 32 + 4;  // lanes that store four columns of eight rows meet no bank twice

/// Passes a warp's sums through 32 x kTransposedPitch words of its own staging, transposed, rows along a line of it:
/// calls store(r) when rows r .. r + 31 are there, and stage(m) before, for each block of 16 of them.
template <class Shape, class Sum, class Stage, class Store>
__device__ __forceinline__ void pass_transposed(const Sum (&c)[Shape::kBlocksM][Shape::kBlocksN][4],
                                                std::uint32_t* staging, int lane, Stage&& stage, Store&& store) {
#pragma unroll
  for (int m = 0; m < Shape::kBlocksM; ++m) {
    if (m % 2 == 0) meet();
    stage(m);
#pragma unroll
    for (int n = 0; n < Shape::kBlocksN; ++n)
#pragma unroll
      for (int e = 0; e < 4; ++e)
        staging[(n * 8 + lane % 4 * 2 + e % 2) * kTransposedPitch + m % 2 * 16 + e / 2 * 8 + lane / 4] =
            word_of(c[m][n][e]);
    if (m % 2 == 0) continue;
    __syncwarp();
    store(m / 2 * 32);
  }
}

}  // namespace tandem::cuda
