// Square tiles transposed in registers. Include after cpu/simd/simd.h, once a target.
#if defined(TANDEM_CPU_LOOPS_TRANSPOSE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_TRANSPOSE_INL_H_
#undef TANDEM_CPU_LOOPS_TRANSPOSE_INL_H_
#else
#define TANDEM_CPU_LOOPS_TRANSPOSE_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#undef TANDEM_TILE_AVX512
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define TANDEM_TILE_AVX512 1
#else
#define TANDEM_TILE_AVX512 0
#endif

// A square of kSide rows of 4 to 16 bytes, or kBlocks of them below one another, which become neighbours in y. Each
// round interleaves the rows of the upper half with those of the lower one, and so moves one bit of the row's number
// into that of the column: with as many rounds as it has bits the two are exchanged.
template <int kSide, int kBlocks, class T>
HWY_INLINE void transpose_square(const T* x, std::int64_t x_row, T* y, std::int64_t y_row) {
#if HWY_TARGET == HWY_SCALAR
  for (int j = 0; j < kSide; ++j)
    for (int i = 0; i < kSide * kBlocks; ++i) y[j * y_row + i] = x[i * x_row + j];
#else
  const hn::FixedTag<T, static_cast<std::size_t>(kSide)> block;
  const hn::FixedTag<T, static_cast<std::size_t>(kBlocks * kSide)> d;
  hn::Vec<decltype(d)> a[kSide], b[kSide];
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) {
    const T* row = x + i * x_row;
    if constexpr (kBlocks == 1) {
      a[i] = hn::LoadU(block, row);
    } else {
      a[i] = hn::Combine(d, hn::LoadU(block, row + kSide * x_row), hn::LoadU(block, row));
    }
  }
#pragma GCC unroll 4
  for (int bits = kSide; bits > 1; bits /= 2) {
#pragma GCC unroll 8
    for (int i = 0; i < kSide / 2; ++i) {
      b[2 * i] = hn::InterleaveLower(d, a[i], a[i + kSide / 2]);
      b[2 * i + 1] = hn::InterleaveUpper(d, a[i], a[i + kSide / 2]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < kSide; ++i) a[i] = b[i];
  }
#pragma GCC unroll 16
  for (int i = 0; i < kSide; ++i) hn::StoreU(a[i], d, y + i * y_row);
#endif
}

#if HWY_TARGET == HWY_SCALAR
constexpr std::int64_t kTile = 1;
HWY_INLINE void transpose_tile(const std::uint32_t* x, std::int64_t, std::uint32_t* y, std::int64_t, bool) { *y = *x; }

#elif TANDEM_TILE_AVX512
constexpr std::int64_t kTile = 16;

// Pairs of rows, pairs of pairs, then the 128-bit blocks: four steps of 16 shuffles. y is aligned to 64 bytes when
// `stream`.
HWY_INLINE void transpose_tile(const std::uint32_t* x, std::int64_t x_row, std::uint32_t* y, std::int64_t y_row,
                               bool stream) {
  __m512i a[16], b[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) a[i] = _mm512_loadu_si512(x + i * x_row);
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    b[i] = _mm512_unpacklo_epi32(a[i], a[i + 1]);
    b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    a[i] = _mm512_unpacklo_epi64(b[i], b[i + 2]);
    a[i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 2]);
    a[i + 2] = _mm512_unpacklo_epi64(b[i + 1], b[i + 3]);
    a[i + 3] = _mm512_unpackhi_epi64(b[i + 1], b[i + 3]);
  }
  // a[4 q + k] holds columns k, k + 4, k + 8, k + 12 of rows 4 q .. 4 q + 3, one in each block.
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    b[k] = _mm512_shuffle_i32x4(a[k], a[4 + k], 0x88);
    b[4 + k] = _mm512_shuffle_i32x4(a[k], a[4 + k], 0xdd);
    b[8 + k] = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0x88);
    b[12 + k] = _mm512_shuffle_i32x4(a[8 + k], a[12 + k], 0xdd);
  }
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    a[k] = _mm512_shuffle_i32x4(b[k], b[8 + k], 0x88);
    a[8 + k] = _mm512_shuffle_i32x4(b[k], b[8 + k], 0xdd);
    a[4 + k] = _mm512_shuffle_i32x4(b[4 + k], b[12 + k], 0x88);
    a[12 + k] = _mm512_shuffle_i32x4(b[4 + k], b[12 + k], 0xdd);
  }
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if (stream) {
      _mm512_stream_si512(reinterpret_cast<__m512i*>(y + i * y_row), a[i]);
    } else {
      _mm512_storeu_si512(y + i * y_row, a[i]);
    }
  }
}

#else
constexpr std::int64_t kTile = 4;

HWY_INLINE void transpose_tile(const std::uint32_t* x, std::int64_t x_row, std::uint32_t* y, std::int64_t y_row, bool) {
  transpose_square<4, 1>(x, x_row, y, y_row);
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
