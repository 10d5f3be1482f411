// Descriptions of matrices for the copy engine of 9.0. Host only.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace tandem::cuda {

/// Rows that are contiguous along k, and items of them. Strides in elements.
struct RowsOfK {
  const void* data;
  int element_bytes;  // 1 or 2
  std::int64_t k, rows, stride;
  std::int64_t items = 1, item_stride = 0;
};

/// Describes them for boxes of 128 bytes of k and `box_rows` rows (256 at most) of one item, whose chunks of 16 bytes
/// come to lie as in cuda/gemm/slab.cuh. False where the copy engine cannot read them: pointer and strides must be
/// multiples of 16 bytes, rows must not overlap, and nothing may be empty.
bool describe_rows(const RowsOfK& matrix, int box_rows, CUtensorMap& map) noexcept;

}  // namespace tandem::cuda
