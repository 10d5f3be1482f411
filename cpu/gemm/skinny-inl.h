// Products of a few rows, bound by reading b: no packing, b is read once, in the order of memory. Included once a
// target.
#if defined(TANDEM_CPU_GEMM_SKINNY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_SKINNY_INL_H_
#undef TANDEM_CPU_GEMM_SKINNY_INL_H_
#else
#define TANDEM_CPU_GEMM_SKINNY_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "cpu/gemm/skinny.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
constexpr int kScalars = 24;  // registers for broadcast elements of a
#else
constexpr int kScalars = 8;
#endif

// sum(i, j) += a(i, p) b(p, j) for kDepth values of p in ascending order and one vector of columns.
template <int kRows, int kDepth, class D, class V = hn::Vec<D>>
HWY_INLINE void skinny_vector(D d, const V (&a)[kRows][kDepth], const float* HWY_RESTRICT b, std::int64_t b_row,
                              float* HWY_RESTRICT sum, std::int64_t sum_row, bool first) {
  V bv[kDepth];
#pragma GCC unroll 8
  for (int p = 0; p < kDepth; ++p) {
    bv[p] = hn::LoadU(d, b + p * b_row);
    // With so many multiply-adds between two loads, too few lines of b are in flight by themselves.
    if (kRows > kSkinnyCachedRows) hwy::Prefetch(b + (2 * kDepth + p) * b_row);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    V s = first ? hn::Zero(d) : hn::LoadU(d, sum + i * sum_row);
#pragma GCC unroll 8
    for (int p = 0; p < kDepth; ++p) s = hn::MulAdd(a[i][p], bv[p], s);
    hn::StoreU(s, d, sum + i * sum_row);
  }
}

template <int kRows, int kDepth, class D>
HWY_INLINE void skinny_columns(D d, const SkinnyArgs& args, std::int64_t p, std::int64_t begin, std::int64_t end) {
  hn::Vec<D> a[kRows][kDepth];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int q = 0; q < kDepth; ++q)
      a[i][q] = hn::Set(d, static_cast<const float*>(args.a)[i * args.a_row + (p + q) * args.a_col]);
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), b_row = args.b_row, sum_row = args.sum_row;
  const float* b = static_cast<const float*>(args.b) + p * b_row;
  float* sum = static_cast<float*>(args.sum);
  if (p == 0) {
    for (std::int64_t j = begin; j < end; j += lanes) skinny_vector(d, a, b + j, b_row, sum + j, sum_row, true);
  } else {
    for (std::int64_t j = begin; j < end; j += lanes) skinny_vector(d, a, b + j, b_row, sum + j, sum_row, false);
  }
}

template <int kRows>
HWY_NOINLINE void skinny_rows(const SkinnyArgs& args) {
  constexpr int kDepth = std::clamp(kScalars / kRows, 1, 8);
  const hn::ScalableTag<float> d;
  const hn::FixedTag<float, 1> one;
  const std::int64_t whole = args.n - args.n % static_cast<std::int64_t>(hn::Lanes(d));
  std::int64_t p = 0;
  for (; p + kDepth <= args.k; p += kDepth) {
    skinny_columns<kRows, kDepth>(d, args, p, 0, whole);
    if (whole < args.n) skinny_columns<kRows, kDepth>(one, args, p, whole, args.n);
  }
  for (; p < args.k; ++p) {
    skinny_columns<kRows, 1>(d, args, p, 0, whole);
    if (whole < args.n) skinny_columns<kRows, 1>(one, args, p, whole, args.n);
  }
}

template <std::size_t... kIndex>
const SkinnyKernel* skinny_kernels(std::index_sequence<kIndex...>) {
  static constexpr SkinnyKernel kKernels[] = {&skinny_rows<static_cast<int>(kIndex) + 1>...};
  return kKernels;
}
inline const SkinnyKernel* skinny_kernels() { return skinny_kernels(std::make_index_sequence<kSkinnyRows>()); }

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
