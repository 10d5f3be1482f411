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
#include <cstring>
#include <utility>

#include <hwy/highway.h>

#include "cpu/gemm/add-inl.h"
#include "cpu/gemm/skinny.h"
#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
constexpr int kDotSums = 16;  // registers for sums
#else
constexpr int kDotSums = 8;
#endif

// What b is made of: the vectors of f32 that a step takes of it, and how they are loaded. A step that is cut short by
// the end of k has zeros there.
struct DotsOfF32 {
  using Element = float;
  static constexpr int kVectors = 1;
  static constexpr bool kFilled = false;  // a ends with k
  static HWY_INLINE void load(const Element* p, VecF32 (&v)[1]) { v[0] = hn::LoadU(F32(), p); }
  static HWY_INLINE void load_part(const Element* p, std::int64_t count, VecF32 (&v)[1]) {
    v[0] = HWY_NAMESPACE::load_part(F32(), p, static_cast<std::size_t>(count));
  }
};

// A word of two values is f32 but for a mask or a shift; multiply-adds of f32 keep denormals, which those of pairs do
// not, and are fast enough for what is bound by reading b.
struct DotsOfBf16 {
  using Element = std::uint16_t;
  static constexpr int kVectors = 2;
  static constexpr bool kFilled = true;
  using Words = hn::RebindToUnsigned<F32>;
  static HWY_INLINE void split(hn::Vec<Words> words, VecF32 (&v)[2]) {
    v[0] = hn::BitCast(F32(), hn::ShiftLeft<16>(words));
    v[1] = hn::BitCast(F32(), hn::And(words, hn::Set(Words(), 0xffff0000u)));
  }
  static HWY_INLINE void load(const Element* p, VecF32 (&v)[2]) {
    split(hn::LoadU(Words(), reinterpret_cast<const std::uint32_t*>(p)), v);
  }
  static HWY_INLINE void load_part(const Element* p, std::int64_t count, VecF32 (&v)[2]) {
    HWY_ALIGN std::uint32_t words[hn::MaxLanes(Words())] = {};
    std::memcpy(words, p, static_cast<std::size_t>(count) * sizeof(Element));
    split(hn::Load(Words(), words), v);
  }
};

// Columns j .. j + kColumns - 1. A sum is one vector of chains in ascending k, however many there are beside it.
template <class B, int kRows, int kColumns>
HWY_INLINE void dots_of(const DotsArgs& args, std::int64_t j) {
  constexpr int kVectors = B::kVectors;
  const F32 d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d)), k = args.k, step_k = kVectors * lanes;
  const float* HWY_RESTRICT a = args.a;
  const auto* HWY_RESTRICT b = static_cast<const typename B::Element*>(args.b) + j * args.b_col;
  VecF32 sum[kRows][kColumns];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) sum[i][c] = hn::Zero(d);
  const auto step = [&](auto load_a, auto load_b) HWY_ATTR {
    VecF32 bv[kColumns][kVectors];
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) load_b(b + c * args.b_col, bv[c]);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 2
      for (int v = 0; v < kVectors; ++v) {
        const VecF32 av = load_a(a + i * args.a_row + v * lanes);
#pragma GCC unroll 8
        for (int c = 0; c < kColumns; ++c) sum[i][c] = hn::MulAdd(av, bv[c][v], sum[i][c]);
      }
  };
  std::int64_t p = 0;
  const auto whole_a = [&](const float* at) HWY_ATTR { return hn::LoadU(d, at + p); };
  for (; p + step_k <= k; p += step_k) step(whole_a, [&](const auto* at, auto& v) HWY_ATTR { B::load(at + p, v); });
  const auto part_b = [&](const auto* at, auto& v) HWY_ATTR { B::load_part(at + p, k - p, v); };
  if (p < k && B::kFilled) step(whole_a, part_b);
  if (p < k && !B::kFilled)
    step([&](const float* at) HWY_ATTR { return load_part(d, at + p, static_cast<std::size_t>(k - p)); }, part_b);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) args.sum[i * args.sum_row + j + c] = hn::GetLane(hn::SumOfLanes(d, sum[i][c]));
}

template <class B, int kRows, int kColumns>
HWY_INLINE void dots_from(const DotsArgs& args, std::int64_t j) {
  for (; j + kColumns <= args.n; j += kColumns) dots_of<B, kRows, kColumns>(args, j);
  if constexpr (kColumns > 1) dots_from<B, kRows, kColumns / 2>(args, j);
}

// As many columns at a time as leave registers for the loads of b.
template <class B>
constexpr int dots_columns(int rows) {
  int columns = rows == 1 ? 8 : 4;
  while (columns > 1 && (rows * columns > kDotSums || (rows + B::kVectors) * columns > 2 * kDotSums)) columns /= 2;
  return columns;
}

template <class B, int kRows>
HWY_NOINLINE void dots_rows(const DotsArgs& args) {
  dots_from<B, kRows, dots_columns<B>(kRows)>(args, 0);
}

template <class B, std::size_t... kIndex>
const DotsKernel* dots_kernels(std::index_sequence<kIndex...>) {
  static constexpr DotsKernel kKernels[] = {&dots_rows<B, static_cast<int>(kIndex) + 1>...};
  return kKernels;
}
template <class B>
const DotsKernel* dots_kernels() {
  return dots_kernels<B>(std::make_index_sequence<kSkinnyRows>());
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
