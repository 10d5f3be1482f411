// Square tiles of 32-bit elements transposed in registers. Include after cpu/simd/simd.h, once a target.
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
  const hn::FixedTag<std::uint32_t, 4> d;
  const hn::FixedTag<std::uint64_t, 2> d64;
  const auto r0 = hn::LoadU(d, x), r1 = hn::LoadU(d, x + x_row);
  const auto r2 = hn::LoadU(d, x + 2 * x_row), r3 = hn::LoadU(d, x + 3 * x_row);
  const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, r0, r1));
  const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, r0, r1));
  const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, r2, r3));
  const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, r2, r3));
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), d, y);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), d, y + y_row);
  hn::StoreU(hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), d, y + 2 * y_row);
  hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), d, y + 3 * y_row);
}
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
