// The f32 micro-kernels, one for each tile of 1 .. kMr rows and 1 .. kVectors vectors. Included once a target.
#if defined(TANDEM_CPU_GEMM_TILE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_TILE_INL_H_
#undef TANDEM_CPU_GEMM_TILE_INL_H_
#else
#define TANDEM_CPU_GEMM_TILE_INL_H_
#endif

#include <cstddef>
#include <cstdint>
#include <utility>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "cpu/gemm/add-inl.h"
#include "cpu/gemm/gemm.h"
#include "cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;

// Accumulators for the registers there are: 28 of 32, or 12 of 16. Only AVX-512 has masks for memory.
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
constexpr int kMr = 14, kVectors = 2;
constexpr bool kMasks = true;
#elif HWY_TARGET == HWY_SCALAR
constexpr int kMr = 4, kVectors = 2;
constexpr bool kMasks = false;
#else
constexpr int kMr = 6, kVectors = 2;
constexpr bool kMasks = false;
#endif

// The compiler must neither merge the pointers of a tile into one per row nor keep a copy: either spills registers.
template <class T>
HWY_INLINE void opaque(T& value) {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  asm("" : "+r"(value));
#endif
}

// sum + x b, as an instruction for the reason that add-inl.h gives.
HWY_INLINE VecF32 multiply_add(VecF32 x, VecF32 b, VecF32 sum) {
#if HWY_ARCH_X86 && (HWY_COMPILER_GCC || HWY_COMPILER_CLANG)
#if HWY_TARGET <= HWY_AVX3
  asm("vfmadd231ps %2, %1, %0" : "+v"(sum.raw) : "v"(x.raw), "v"(b.raw));
#elif HWY_TARGET == HWY_AVX2
  asm("vfmadd231ps %2, %1, %0" : "+x"(sum.raw) : "x"(x.raw), "x"(b.raw));
#elif HWY_TARGET == HWY_SCALAR
  asm("mulss %1, %0" : "+x"(x.raw) : "x"(b.raw));
  asm("addss %1, %0" : "+x"(sum.raw) : "x"(x.raw));
#else
  asm("mulps %1, %0" : "+x"(x.raw) : "x"(b.raw));
  asm("addps %1, %0" : "+x"(sum.raw) : "x"(x.raw));
#endif
  return sum;
#else
  return hn::MulAdd(x, b, sum);
#endif
}

HWY_INLINE void prefetch_l2(const void* p) {
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  __builtin_prefetch(p, 0, 2);
#else
  hwy::Prefetch(p);
#endif
}

constexpr int kGroup = 4;  // rows that one pointer reaches: p, p + row, p + 2 row, p + 3 row

// Whether a tile's rows of a follow each other, as in a panel, or lie along k.
enum class Rows { side_by_side, along_k };

template <bool kPart, class Mask>
HWY_INLINE VecF32 f32_load(Mask mask, bool last, const float* HWY_RESTRICT from) {
  return kPart && last ? hn::MaskedLoad(mask, F32(), from) : hn::LoadU(F32(), from);
}

// One step along k, the `kStep`th from where the pointers are.
template <int kRows, int kCols, Rows kOrder, bool kPart, int kStep, int kPointers, class Mask>
HWY_INLINE void f32_step(VecF32 (&sum)[kRows][kCols], const float* HWY_RESTRICT const (&a)[kPointers],
                         std::int64_t a_row, std::int64_t a_row3, std::int64_t a_step, const float* HWY_RESTRICT b,
                         std::int64_t b_step, Mask mask) {
  const F32 d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  VecF32 bv[kCols];
#pragma GCC unroll 4
  for (int j = 0; j < kCols; ++j) bv[j] = f32_load<kPart>(mask, j == kCols - 1, b + kStep * b_step + lanes * j);
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
    const int r = i % kGroup;
    const VecF32 x = hn::Set(d, kOrder == Rows::side_by_side ? a[0][kStep * a_step + i]
                                                             : a[i / kGroup][(r == 3 ? a_row3 : r * a_row) + kStep]);
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) sum[i][j] = multiply_add(x, bv[j], sum[i][j]);
  }
}

// kPart: the last vector is not whole. A masked load takes a port of the multiply-adds, so that others go without.
template <int kRows, int kCols, Rows kOrder, bool kPart>
HWY_INLINE void f32_tile(const TileArgs& args) {
  constexpr int kPointers = kOrder == Rows::along_k ? (kRows + kGroup - 1) / kGroup : 1;
  // Steps at a time: what moves the pointers takes ports of the multiply-adds too. Four are slower than two.
  constexpr int kSteps = 2;
  const F32 d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t a_row = args.a_row, a_row3 = 3 * args.a_row;
  const std::int64_t c_row = args.c_row, ahead_step = args.ahead_step, ahead_every = args.ahead_every;
  std::int64_t a_step = args.a_step, b_step = args.b_step;
  auto mask = hn::FirstN(d, static_cast<std::size_t>(args.last));
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (kPart) asm("" : "+Yk"(mask.raw));  // else g++ 12 moves it from a general register in each step
#endif
  const float* HWY_RESTRICT b = static_cast<const float*>(args.b);
  float* HWY_RESTRICT c = static_cast<float*>(args.c);
  const float* HWY_RESTRICT a[kPointers];
#pragma GCC unroll 4
  for (int g = 0; g < kPointers; ++g) {
    a[g] = static_cast<const float*>(args.a) + kGroup * g * a_row;
    opaque(a[g]);
  }

  const float* c_ahead = c;
  VecF32 sum[kRows][kCols];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) sum[i][j] = hn::Zero(d);
    hwy::Prefetch(c_ahead);
    if (kCols > 1) hwy::Prefetch(c_ahead + lanes * (kCols - 1));
    c_ahead += c_row;
    opaque(c_ahead);
  }

  const auto go_on = [&](std::int64_t steps) HWY_ATTR {
    b += steps * b_step;
    opaque(b);
    opaque(a_step);  // else there is a register for the distance of each value of the second step
    opaque(b_step);
#pragma GCC unroll 4
    for (int g = 0; g < kPointers; ++g) {
      a[g] += kOrder == Rows::along_k ? steps : steps * a_step;
      opaque(a[g]);
    }
  };
  const char* ahead = args.ahead;
  std::int64_t left = args.kc;
  while (left >= kSteps) {
    const std::int64_t steps = (left < ahead_every ? left : ahead_every) & -kSteps;
    left -= steps;
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      prefetch_l2(ahead);
      prefetch_l2(ahead + 64);
      prefetch_l2(ahead + 124);
      ahead += ahead_step;
    }
    for (std::int64_t s = 0; s < steps; s += kSteps) {
      f32_step<kRows, kCols, kOrder, kPart, 0>(sum, a, a_row, a_row3, a_step, b, b_step, mask);
      f32_step<kRows, kCols, kOrder, kPart, 1>(sum, a, a_row, a_row3, a_step, b, b_step, mask);
      go_on(kSteps);
    }
  }
  if (left > 0) f32_step<kRows, kCols, kOrder, kPart, 0>(sum, a, a_row, a_row3, a_step, b, b_step, mask);

  if (args.accumulate) {
    const float* HWY_RESTRICT c_line = c;
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j)
        sum[i][j] = add(sum[i][j], f32_load<kPart>(mask, j == kCols - 1, c_line + lanes * j));
      c_line += c_row;
      opaque(c_line);
    }
  }
  if (args.bias != nullptr) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      const VecF32 bias = f32_load<kPart>(mask, j == kCols - 1, args.bias + lanes * j);
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) sum[i][j] = add(sum[i][j], bias);
    }
  }
  if (args.relu) {
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j) sum[i][j] = vrelu(d, sum[i][j]);
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      if (kPart && j == kCols - 1)
        hn::BlendedStore(sum[i][j], mask, d, c + lanes * j);
      else
        hn::StoreU(sum[i][j], d, c + lanes * j);
    }
    c += c_row;
    opaque(c);
  }
}

template <int kRows, int kCols, Rows kOrder>
HWY_NOINLINE void f32_tile(const TileArgs& args) {
  if (kMasks && args.last < static_cast<std::int64_t>(hn::Lanes(F32())))
    f32_tile<kRows, kCols, kOrder, kMasks>(args);
  else
    f32_tile<kRows, kCols, kOrder, false>(args);
}

template <Rows kOrder, std::size_t... kIndex>
const MicroKernel* f32_tiles(std::index_sequence<kIndex...>) {
  static constexpr MicroKernel kTiles[] = {
      &f32_tile<static_cast<int>(kIndex / kVectors) + 1, static_cast<int>(kIndex % kVectors) + 1, kOrder>...};
  return kTiles;
}
template <Rows kOrder>
const MicroKernel* f32_tiles() {
  return f32_tiles<kOrder>(std::make_index_sequence<std::size_t{kMr} * kVectors>());
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
