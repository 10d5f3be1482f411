// Products of a few rows, bound by reading b.
#pragma once

#include <stdint.h>

namespace tandem::cpu {

/// sum = a b: as many rows as the kernel has, n columns, from zero in ascending k. a(i, p) is at a[i * a_row +
/// p * a_col]: of f32, element p of k; of others, word p of k, the last one filled up with zeros.
/// Rows of b have unit stride, b_row elements apart. `sum` is 64-byte aligned; its rows are sum_row words apart, which
/// kernels of words of several values fill up to whole blocks of four vectors. These kernels read the last columns as a
/// whole block too, together with those in front of them, where need be in front of b: so many columns there must be.
struct SkinnyArgs {
  int64_t n = 0, k = 0;
  const void* a = nullptr;
  int64_t a_row = 0, a_col = 0;
  const void* b = nullptr;
  int64_t b_row = 0;
  void* sum = nullptr;
  int64_t sum_row = 0;
};
using SkinnyKernel = void (*)(const SkinnyArgs&);

/// sum[i * sum_row + j] = the dot product of row i of a and column j of b, both with unit stride along k. As many rows
/// as the kernel has. b is f32 or bf16, b_col elements apart. a is f32; for a b of bf16, in blocks of two vectors
/// filled up with zeros: the values of even k, then those of odd k.
struct DotsArgs {
  int64_t n = 0, k = 0;
  const float* a = nullptr;
  int64_t a_row = 0;
  const void* b = nullptr;
  int64_t b_col = 0;
  float* sum = nullptr;
  int64_t sum_row = 0;
};
using DotsKernel = void (*)(const DotsArgs&);

/// Up to this many rows, products of f32 read b in the order of memory and keep the sums in L1. With more rows, the
/// packed loops of gemm.h are faster; already with more than kSkinnyCachedRows when b is in the last-level cache.
constexpr int kSkinnyRows = 8;
constexpr int kSkinnyCachedRows = 4;

}  // namespace tandem::cpu
