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

// Accumulators for the registers there are: 28 of 32, or 12 of 16. Only AVX-512 has masks that cost nothing.
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

// kFinish: with the bias and the larger of the sum and 0, as code of its own, since the loop has no register to spare.
template <int kRows, int kCols, bool kFinish>
HWY_NOINLINE void f32_tile(const TileArgs& args) {
  constexpr int kGroup = 4;  // rows that one pointer reaches: p, p + row, p + 2 row, p + 3 row
  constexpr int kPointers = (kRows + kGroup - 1) / kGroup;
  const F32 d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t a_row = args.a_row, a_row3 = 3 * args.a_row, a_step = args.a_step, b_step = args.b_step;
  const std::int64_t c_row = args.c_row, ahead_step = args.ahead_step, ahead_every = args.ahead_every;
  const bool accumulate = args.accumulate;
  auto mask = hn::FirstN(d, static_cast<std::size_t>(args.last));
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  asm("" : "+Yk"(mask.raw));  // else g++ 12 moves it from a general register in each step
#endif
  const float* HWY_RESTRICT b = static_cast<const float*>(args.b);
  float* HWY_RESTRICT c = static_cast<float*>(args.c);
  const float* a[kPointers];
#pragma GCC unroll 4
  for (int g = 0; g < kPointers; ++g) {
    a[g] = static_cast<const float*>(args.a) + kGroup * g * a_row;
    opaque(a[g]);
  }

  const float* c_line = c;
  VecF32 sum[kRows][kCols];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) sum[i][j] = hn::Zero(d);
    hwy::Prefetch(c_line);
    if (kCols > 1) hwy::Prefetch(c_line + lanes * (kCols - 1));
    c_line += c_row;
    opaque(c_line);
  }

  const char* ahead = args.ahead;
  for (std::int64_t left = args.kc; left > 0;) {
    std::int64_t steps = left < ahead_every ? left : ahead_every;
    left -= steps;
    prefetch_l2(ahead);
    prefetch_l2(ahead + 64);
    prefetch_l2(ahead + 124);
    ahead += ahead_step;
    for (; steps > 0; --steps) {
      VecF32 bv[kCols];
#pragma GCC unroll 4
      for (int j = 0; j < kCols; ++j)
        bv[j] = kMasks && j == kCols - 1 ? hn::MaskedLoad(mask, d, b + lanes * j) : hn::LoadU(d, b + lanes * j);
      b += b_step;
#pragma GCC unroll 16
      for (int i = 0; i < kRows; ++i) {
        const int r = i % kGroup;
        const VecF32 x = hn::Set(d, a[i / kGroup][r == 3 ? a_row3 : r * a_row]);
#pragma GCC unroll 4
        for (int j = 0; j < kCols; ++j) sum[i][j] = multiply_add(x, bv[j], sum[i][j]);
      }
#pragma GCC unroll 4
      for (int g = 0; g < kPointers; ++g) {
        a[g] += a_step;
        opaque(a[g]);
      }
    }
  }

  VecF32 bias[kCols];
  if constexpr (kFinish) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      bias[j] = hn::Zero(d);
      if (args.bias == nullptr) continue;
      const float* at = args.bias + lanes * j;
      bias[j] = kMasks && j == kCols - 1 ? hn::MaskedLoad(mask, d, at) : hn::LoadU(d, at);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
    for (int j = 0; j < kCols; ++j) {
      const bool part = kMasks && j == kCols - 1;
      float* at = c + lanes * j;
      if (accumulate) sum[i][j] = add(sum[i][j], part ? hn::MaskedLoad(mask, d, at) : hn::LoadU(d, at));
      if constexpr (kFinish) {
        if (args.bias != nullptr) sum[i][j] = add(sum[i][j], bias[j]);
        if (args.relu) sum[i][j] = vrelu(d, sum[i][j]);
      }
      if (part)
        hn::BlendedStore(sum[i][j], mask, d, at);
      else
        hn::StoreU(sum[i][j], d, at);
    }
    c += c_row;
  }
}

template <bool kFinish, std::size_t... kIndex>
const MicroKernel* f32_tiles(std::index_sequence<kIndex...>) {
  static constexpr MicroKernel kTiles[] = {
      &f32_tile<static_cast<int>(kIndex / kVectors) + 1, static_cast<int>(kIndex % kVectors) + 1, kFinish>...};
  return kTiles;
}
template <bool kFinish>
const MicroKernel* f32_tiles() {
  return f32_tiles<kFinish>(std::make_index_sequence<std::size_t{kMr} * kVectors>());
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
