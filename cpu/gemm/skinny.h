// Products of a few rows, bound by reading b.
#pragma once

#include <cstdint>

namespace tandem::cpu {

/// Up to this many rows, b is read in the order of memory and the sums stay in L1. With more rows, the packed loops of
/// gemm.h are faster; already with more than kSkinnyCachedRows when b is in the last-level cache.
constexpr int kSkinnyRows = 8;
constexpr int kSkinnyCachedRows = 4;
/// Columns at a time for a product of m rows: their sums take at most 16 KiB.
constexpr std::int64_t skinny_columns_at_once(std::int64_t m) { return m <= kSkinnyCachedRows ? 1024 : 512; }

/// sum = a b: as many rows as the kernel has, n columns, from zero in ascending k by one chain of multiply-adds.
/// Strides in elements; rows of b have unit stride. `sum` is 64-byte aligned, its rows multiples of a vector apart.
struct SkinnyArgs {
  std::int64_t n = 0, k = 0;
  const float* a = nullptr;
  std::int64_t a_row = 0, a_col = 0;
  const float* b = nullptr;
  std::int64_t b_row = 0;
  float* sum = nullptr;
  std::int64_t sum_row = 0;
};
using SkinnyKernel = void (*)(const SkinnyArgs&);

}  // namespace tandem::cpu
