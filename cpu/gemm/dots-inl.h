// Products of a few rows with a b whose columns lie without gaps: dot products along k, no packing. Included once a
// target.
#if defined(TANDEM_CPU_GEMM_DOTS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_DOTS_INL_H_
#undef TANDEM_CPU_GEMM_DOTS_INL_H_
#else
#define TANDEM_CPU_GEMM_DOTS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <hwy/highway.h>

#include "cpu/gemm/skinny.h"
#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
constexpr int kDotSums = 16;  // registers for sums
#else
constexpr int kDotSums = 8;
#endif

// Columns j .. j + kColumns - 1. A sum is one vector of chains in ascending k, however many there are beside it.
template <int kRows, int kColumns>
HWY_INLINE void dots_of(const DotsArgs& args, std::int64_t j) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), k = args.k;
  const float* HWY_RESTRICT a = args.a;
  const float* HWY_RESTRICT b = args.b + j * args.b_col;
  V sum[kRows][kColumns];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) sum[i][c] = hn::Zero(d);
  const auto step = [&](auto load) HWY_ATTR {
    V bv[kColumns];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) bv[c] = load(b + c * args.b_col);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V av = load(a + i * args.a_row);
#pragma GCC unroll 8
      for (int c = 0; c < kColumns; ++c) sum[i][c] = hn::MulAdd(av, bv[c], sum[i][c]);
    }
  };
  std::int64_t p = 0;
  for (; p + lanes <= k; p += lanes) step([&](const float* at) HWY_ATTR { return hn::LoadU(d, at + p); });
  if (p < k) step([&](const float* at) HWY_ATTR { return load_part(d, at + p, static_cast<std::size_t>(k - p)); });
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) args.sum[i * args.sum_row + j + c] = hn::GetLane(hn::SumOfLanes(d, sum[i][c]));
}

template <int kRows, int kColumns>
HWY_INLINE void dots_from(const DotsArgs& args, std::int64_t j) {
  for (; j + kColumns <= args.n; j += kColumns) dots_of<kRows, kColumns>(args, j);
  if constexpr (kColumns > 1) dots_from<kRows, kColumns / 2>(args, j);
}

template <int kRows>
HWY_NOINLINE void dots_rows(const DotsArgs& args) {
  constexpr int kColumns = kRows == 1 ? 8 : kDotSums / kRows >= 4 ? 4 : kDotSums / kRows >= 2 ? 2 : 1;
  dots_from<kRows, kColumns>(args, 0);
}

template <std::size_t... kIndex>
const DotsKernel* dots_kernels(std::index_sequence<kIndex...>) {
  static constexpr DotsKernel kKernels[] = {&dots_rows<static_cast<int>(kIndex) + 1>...};
  return kKernels;
}
inline const DotsKernel* dots_kernels() { return dots_kernels(std::make_index_sequence<kSkinnyRows>()); }

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
