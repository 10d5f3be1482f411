#include "cuda/gemm/tensor_map.h"

#include <cuda_runtime.h>

namespace tandem::cuda {
namespace {

using Encode = decltype(&cuTensorMapEncodeTiled);

/// The driver's function, asked for at run time so that nothing is linked to the driver; null where it has none.
Encode encoder() noexcept {
  static const Encode function = [] {
    void* found = nullptr;
    cudaDriverEntryPointQueryResult result = cudaDriverEntryPointSymbolNotFound;
    if (cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &found, 12000, cudaEnableDefault, &result) !=
            cudaSuccess ||
        result != cudaDriverEntryPointSuccess) {
      (void)cudaGetLastError();
      return Encode{};
    }
    return reinterpret_cast<Encode>(found);
  }();
  return function;
}

constexpr std::int64_t kMostElements = std::int64_t{1} << 31, kMostBytes = std::int64_t{1} << 40;

}  // namespace

bool describe_rows(const RowsOfK& m, int box_rows, CUtensorMap& map) noexcept {
  const std::int64_t row_bytes = m.stride * m.element_bytes;
  // With one item, and with the same one for all, the distance between items is of no account.
  const bool many = m.items > 1 && m.item_stride != 0;
  const std::int64_t item_bytes = many ? m.item_stride * m.element_bytes : 16;
  if (reinterpret_cast<std::uintptr_t>(m.data) % 16 != 0 || row_bytes % 16 != 0 || item_bytes % 16 != 0) return false;
  if (m.k < 1 || m.rows < 1 || m.items < 1 || m.stride < m.k || item_bytes < 0) return false;
  if (m.k >= kMostElements || m.rows >= kMostElements || m.items >= kMostElements || row_bytes >= kMostBytes ||
      item_bytes >= kMostBytes)
    return false;
  const Encode encode = encoder();
  if (!encode) return false;
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(m.k), static_cast<cuuint64_t>(m.rows),
                              static_cast<cuuint64_t>(many ? m.items : 1)};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(row_bytes), static_cast<cuuint64_t>(item_bytes)};
  const cuuint32_t box[] = {static_cast<cuuint32_t>(128 / m.element_bytes), static_cast<cuuint32_t>(box_rows), 1};
  const cuuint32_t steps[] = {1, 1, 1};
  return encode(&map, m.element_bytes == 1 ? CU_TENSOR_MAP_DATA_TYPE_UINT8 : CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3,
                const_cast<void*>(m.data), sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

}  // namespace tandem::cuda
