// A product on the tensor cores of 9.0: slabs of a and b through a ring in shared memory, from where the matrix
// instructions read them while the warps bring the slabs after them. Two warpgroups lie one below the other over the
// block's tile; each owns 64 rows and all columns. The sums leave through shared memory, a warp 16 rows.
#pragma once

#include "cuda/gemm/mma_tile.cuh"
#include "cuda/gemm/wgmma.cuh"

namespace tandem::cuda {

template <int kCols_>
struct WgmmaShape {
  static constexpr int kRows = 128, kCols = kCols_;
  static constexpr int kThreads = 256;
  static constexpr int kBlocksN = kCols / 8;  // of the sums of a thread
  static constexpr int kSlabA = kRows * kSlabBytes, kSlabB = kCols * kSlabBytes;
  // One slab is multiplied, the one before it may still be, and two are on their way.
  static constexpr int kStages = 4, kAhead = 2;
  static constexpr int kAlignment = 1024;  // of slabs; what the launch gives is aligned to 16 bytes
  static constexpr int kSharedBytes = kStages * (kSlabA + kSlabB) + kAlignment;
  // Words of a row of staged sums, and of a column where they lie by columns: lanes that store them meet no bank twice.
  static constexpr int kPitch = kCols + 8, kColumnPitch = kRows + 4;
  static constexpr int kStaging = kRows * kPitch > kCols* kColumnPitch ? kRows* kPitch : kCols* kColumnPitch;
};

/// The sums of the block's tile over the whole depth. `side.add` sees each slab while it is multiplied. Returns with
/// all threads past the last use of shared memory.
template <class Product, class Shape, class LoaderA, class LoaderB, class SideSums>
__device__ __forceinline__ void multiply_by_wgmma(LoaderA& load_a, LoaderB& load_b, int slabs, char* shared,
                                                  typename Product::Sum (&c)[Shape::kBlocksN][4], SideSums& side) {
  const auto slab_a = [&](int s) { return shared + s % Shape::kStages * (Shape::kSlabA + Shape::kSlabB); };
  const auto slab_b = [&](int s) { return slab_a(s) + Shape::kSlabA; };
  const int rows_at = threadIdx.x / 128 * 64 * kSlabBytes;
  start_ring<Shape::kAhead>(load_a, load_b, slabs, slab_a, slab_b);
  for (int s = 0; s < slabs; ++s) {
    async_wait_but<Shape::kAhead - 1>();
    fence_for_wgmma();
    __syncthreads();  // this slab has arrived, and the products of the one before the last are done in all warps
    wgmma_begin();
    const std::uint64_t a = slab_descriptor(slab_a(s) + rows_at), b = slab_descriptor(slab_b(s));
#pragma unroll
    for (int part = 0; part < kSlabBytes / 32; ++part) wgmma<Product>(c, a + part * 2, b + part * 2);
    wgmma_commit();
    const int next = s + Shape::kAhead;
    if (next < slabs) {
      load_a.fetch(slab_a(next));
      load_b.fetch(slab_b(next));
    }
    async_commit();
    side.add(slab_a(s), slab_b(s));
    if (next < slabs) {
      load_a.store(slab_a(next));
      load_b.store(slab_b(next));
    }
    wgmma_wait_but<1>(c);
  }
  wgmma_wait_but<0>(c);
  __syncthreads();
}

/// Brings a warp's 16 rows of sums to the tile's staging: kPitch words a row.
template <class Shape, class Sum>
__device__ __forceinline__ void stage_rows(const Sum (&c)[Shape::kBlocksN][4], std::uint32_t* staging, int thread) {
  std::uint32_t* const first = staging + (thread / 32 * 16 + thread % 32 / 4) * Shape::kPitch + thread % 4 * 2;
#pragma unroll
  for (int n = 0; n < Shape::kBlocksN; ++n)
#pragma unroll
    for (int half = 0; half < 2; ++half)
      store_pair(first + half * 8 * Shape::kPitch + n * 8, word_of(c[n][2 * half]), word_of(c[n][2 * half + 1]));
}

/// The same by columns: kColumnPitch words a column.
template <class Shape, class Sum>
__device__ __forceinline__ void stage_columns(const Sum (&c)[Shape::kBlocksN][4], std::uint32_t* staging, int thread) {
  std::uint32_t* const first = staging + thread % 4 * 2 * Shape::kColumnPitch + thread / 32 * 16 + thread % 32 / 4;
#pragma unroll
  for (int n = 0; n < Shape::kBlocksN; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) first[(n * 8 + e % 2) * Shape::kColumnPitch + e / 2 * 8] = word_of(c[n][e]);
}

}  // namespace tandem::cuda
