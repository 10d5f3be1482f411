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
constexpr int kDotSums = 24, kDotRegisters = 32;  // for sums; in all
#else
constexpr int kDotSums = 8, kDotRegisters = 16;
#endif

// Else the compiler loads it again for each column, and loads that cross lines are what a step waits for.
HWY_INLINE void in_register(VecF32& v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
  asm("" : "+v"(v.raw));
#else
  (void)v;
#endif
}

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
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3  // has masks for elements of two bytes
    const hn::Repartition<Element, Words> d;
    split(hn::BitCast(Words(), HWY_NAMESPACE::load_part(d, p, static_cast<std::size_t>(count))), v);
#else
    HWY_ALIGN std::uint32_t words[hn::MaxLanes(Words())] = {};
    std::memcpy(words, p, static_cast<std::size_t>(count) * sizeof(Element));
    split(hn::Load(Words(), words), v);
#endif
  }
};

#if HWY_TARGET == HWY_SCALAR
HWY_INLINE void add_up(VecF32 a, VecF32 b, VecF32 c, VecF32 e, float* sums) {
  sums[0] = hn::GetLane(a), sums[1] = hn::GetLane(b), sums[2] = hn::GetLane(c), sums[3] = hn::GetLane(e);
}
#else
// The blocks of 16 bytes, halves first.
template <class D>
HWY_INLINE void add_up_blocks(D d, hn::Vec<D> v, float* sums) {
  if constexpr (hn::MaxLanes(D()) > 4) {
    const hn::Half<D> half;
    add_up_blocks(half, hn::Add(hn::LowerHalf(half, v), hn::UpperHalf(half, v)), sums);
  } else {
    hn::StoreU(v, d, sums);
  }
}

// The sums of the lanes of four vectors, each in the same order: of every four neighbours the even and the odd ones,
// those two, then the blocks.
HWY_INLINE void add_up(VecF32 a, VecF32 b, VecF32 c, VecF32 e, float* sums) {
  const F32 d;
  const hn::Repartition<double, F32> pairs;
  const auto ab = hn::Add(hn::InterleaveLower(d, a, b), hn::InterleaveUpper(d, a, b));
  const auto ce = hn::Add(hn::InterleaveLower(d, c, e), hn::InterleaveUpper(d, c, e));
  const auto low = hn::InterleaveLower(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, ce));
  const auto high = hn::InterleaveUpper(pairs, hn::BitCast(pairs, ab), hn::BitCast(pairs, ce));
  add_up_blocks(d, hn::Add(hn::BitCast(d, low), hn::BitCast(d, high)), sums);
}
#endif

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
        VecF32 av = load_a(a + i * args.a_row + v * lanes);
        in_register(av);
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
  constexpr int kCount = kRows * kColumns;
  float sums[(kCount + 3) / 4 * 4];
  const auto sum_at = [&](int q) HWY_ATTR { return q < kCount ? sum[q / kColumns][q % kColumns] : hn::Zero(d); };
#pragma GCC unroll 8
  for (int q = 0; q < kCount; q += 4) add_up(sum_at(q), sum_at(q + 1), sum_at(q + 2), sum_at(q + 3), sums + q);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 8
    for (int c = 0; c < kColumns; ++c) args.sum[i * args.sum_row + j + c] = sums[i * kColumns + c];
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
  while (columns > 1 && (rows * columns > kDotSums || (rows + B::kVectors) * columns > kDotRegisters)) columns /= 2;
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
