// The main loop of a product with b in 2:4 storage on the sparse tensor cores, whose sparse operand is the first one:
// c^T = (b^T) a^T, the rows of the stored matrix along the 16 rows of an instruction and the rows of a along its 8
// columns. Warps lie over the tile as in cuda/gemm/mma_tile.cuh, n in the place of m.
#pragma once

#include "cuda/gemm/compressed24.cuh"
#include "cuda/gemm/mma_tile.cuh"

namespace tandem::cuda {

// The instructions exist on 9.0 as well, but are slower than dense ones there.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800 && __CUDA_ARCH__ < 900
#define TANDEM_HAS_SPARSE_MMA 1
#else
#define TANDEM_HAS_SPARSE_MMA 0
#endif

/// c += w x^T for 16 rows of w, of which 32 bytes stand for 64 bytes of k, and 8 rows of x. `places`: for bytes those
/// of 32 of k of row l / 4 + 8 (l % 2), the second 32 in lanes with l % 4 >= 2; for bf16 those of 16 of k of row l / 4,
/// and in the upper half of row l / 4 + 8, the second 16 in odd lanes.
template <class Product>
__device__ __forceinline__ void mma_sparse([[maybe_unused]] std::int32_t (&c)[4],
                                           [[maybe_unused]] const unsigned (&w)[4],
                                           [[maybe_unused]] const unsigned (&x)[4], [[maybe_unused]] unsigned places) {
#if TANDEM_HAS_SPARSE_MMA
  if constexpr (Product::kUnsignedA)
    asm volatile(
        "mma.sp::ordered_metadata.sync.aligned.m16n8k64.row.col.s32.s8.u8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9, %10, %11}, {%0, %1, %2, %3}, %12, 0x0;"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]), "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(places));
  else
    asm volatile(
        "mma.sp::ordered_metadata.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9, %10, %11}, {%0, %1, %2, %3}, %12, 0x0;"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]), "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(places));
#else
  __trap();  // refuse_sparse_mma() keeps these kernels from other devices
#endif
}

template <class Product>
__device__ __forceinline__ void mma_sparse([[maybe_unused]] float (&c)[4], [[maybe_unused]] const unsigned (&w)[4],
                                           [[maybe_unused]] const unsigned (&x)[4], [[maybe_unused]] unsigned places) {
#if TANDEM_HAS_SPARSE_MMA
  asm volatile(
      "mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
      "{%8, %9, %10, %11}, {%0, %1, %2, %3}, %12, 0x0;"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(w[0]), "r"(w[1]), "r"(w[2]), "r"(w[3]), "r"(x[0]), "r"(x[1]), "r"(x[2]), "r"(x[3]), "r"(places));
#else
  __trap();  // refuse_sparse_mma() keeps these kernels from other devices
#endif
}

template <class Shape, int kSize>
inline constexpr int kSparseSharedBytes = Shape::kStages*(Shape::kTile*(kValueBytes + 16 / kSize) + Shape::kSlab);

/// One thread's part in the fragments of its warp; `row` is along n, `col` along m.
template <class Shape, int kSize>
struct SparsePlace {
  int row, col, lane;
  int at_w[Shape::kBlocksM], at_x[Shape::kBlocksN];

  __device__ explicit SparsePlace(int thread) : lane(thread % 32) {
    row = thread / 32 / Shape::kWarpsN * Shape::kWarpRows;
    col = thread / 32 % Shape::kWarpsN * Shape::kWarpCols;
#pragma unroll
    for (int m = 0; m < Shape::kBlocksM; ++m) at_w[m] = values_at(row + m * 16 + lane % 16, lane / 16 * 16);
#pragma unroll
    for (int n = 0; n < Shape::kBlocksN; ++n) at_x[n] = slab_at(col + n * 8 + lane % 8, lane / 8 * 16);
  }

  /// This lane's places of 64 bytes of k (`step` counts them) of block m.
  __device__ __forceinline__ unsigned places(const unsigned* words, int m, int step) const {
    const int i = row + m * 16 + lane / 4;
    if constexpr (kSize == 1) return words[places_at<1>(i + lane % 2 * 8, step * 2 + lane % 4 / 2)];
    return __byte_perm(words[places_at<2>(i, step)], words[places_at<2>(i + 8, step)], lane % 2 == 0 ? 0x5410 : 0x7632);
  }
};

template <class Product, class Shape, class Place, class SideSums>
__device__ __forceinline__ void multiply_sparse_slabs(const char* slab_w, const char* slab_x, const Place& place,
                                                      typename Product::Sum (&c)[Shape::kBlocksM][Shape::kBlocksN][4],
                                                      SideSums& side) {
  const auto* const words = reinterpret_cast<const unsigned*>(slab_w + Shape::kTile * kValueBytes);
#pragma unroll
  for (int step = 0; step < 2; ++step) {
    unsigned w[Shape::kBlocksM][4], x[Shape::kBlocksN][4], places[Shape::kBlocksM];
#pragma unroll
    for (int n = 0; n < Shape::kBlocksN; ++n) load_matrices(slab_x + (place.at_x[n] ^ step * 64), x[n]);
#pragma unroll
    for (int m = 0; m < Shape::kBlocksM; ++m) {
      load_matrices(slab_w + (place.at_w[m] ^ step * 32), w[m]);
      places[m] = place.places(words, m, step);
    }
#pragma unroll
    for (int m = 0; m < Shape::kBlocksM; ++m)
#pragma unroll
      for (int n = 0; n < Shape::kBlocksN; ++n) mma_sparse<Product>(c[m][n], w[m], x[n], places[m]);
    side.add(w, x);
  }
}

}  // namespace tandem::cuda
