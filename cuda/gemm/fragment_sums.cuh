// Sums of the operands that zero points need, from the fragments of a product on tensor cores.
#pragma once

#include "cuda/gemm/dot4.cuh"

namespace tandem::cuda {

/// Over the four lanes that share a row.
__device__ __forceinline__ std::uint32_t sum_of_quad(std::uint32_t part) {
  part += __shfl_xor_sync(0xffffffffu, part, 1);
  return part + __shfl_xor_sync(0xffffffffu, part, 2);
}

/// Sums of the rows of the first operand and the columns of the second one in a warp's tile. A lane has the part of its
/// words; sum_of_quad gives the sums of row l / 4 (and l / 4 + 8) and column l / 4 of each block.
template <class First, class Second, class Shape>
struct FragmentSums {
  bool want_rows, want_columns;
  std::uint32_t rows[Shape::kBlocksM][2] = {}, columns[Shape::kBlocksN] = {};

  template <int kWords>
  __device__ __forceinline__ void add(const unsigned (&first)[Shape::kBlocksM][4],
                                      const unsigned (&second)[Shape::kBlocksN][kWords]) {
    if (want_rows) {
#pragma unroll
      for (int m = 0; m < Shape::kBlocksM; ++m) {
        rows[m][0] = sum4<First>(first[m][2], sum4<First>(first[m][0], rows[m][0]));
        rows[m][1] = sum4<First>(first[m][3], sum4<First>(first[m][1], rows[m][1]));
      }
    }
    if (want_columns) {
#pragma unroll
      for (int n = 0; n < Shape::kBlocksN; ++n)
#pragma unroll
        for (int w = 0; w < kWords; ++w) columns[n] = sum4<Second>(second[n][w], columns[n]);
    }
  }
};

}  // namespace tandem::cuda
