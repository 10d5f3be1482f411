// Smallest and largest of f32 numbers: in a run, and in columns side by side. Include after cpu/simd/simd.h, once a
// target.
#if defined(TANDEM_CPU_LOOPS_RANGES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_RANGES_INL_H_
#undef TANDEM_CPU_LOOPS_RANGES_INL_H_
#else
#define TANDEM_CPU_LOOPS_RANGES_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#if HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128

using VecOfFloats = hn::Vec<hn::ScalableTag<float>>;
constexpr size_t kRangeVector = hn::MaxLanes(hn::ScalableTag<float>());
constexpr size_t kRangeBlock = 4 * kRangeVector;

// The lesser or greater of v and a number; the number where v is NaN.
HWY_INLINE VecOfFloats lesser(VecOfFloats v, VecOfFloats number) {
#if HWY_ARCH_X86
  return hn::Min(v, number);
#else
  return hn::IfThenElse(hn::Lt(v, number), v, number);
#endif
}
HWY_INLINE VecOfFloats greater(VecOfFloats v, VecOfFloats number) {
#if HWY_ARCH_X86
  return hn::Max(v, number);
#else
  return hn::IfThenElse(hn::Gt(v, number), v, number);
#endif
}

// Smallest and largest number of x[0 .. n) and of 0; NaN is passed over.
HWY_INLINE void range_run(const float* x, size_t n, float& least, float& most) {
  const hn::ScalableTag<float> d;
  VecOfFloats low[4], high[4];
  for (int j = 0; j < 4; ++j) low[j] = high[j] = hn::Zero(d);
  const auto take = [&](const float* p) HWY_ATTR {
    for (size_t j = 0; j < 4; ++j) {
      const VecOfFloats v = hn::LoadU(d, p + j * kRangeVector);
      low[j] = lesser(v, low[j]);
      high[j] = greater(v, high[j]);
    }
  };
  size_t i = 0;
  for (; i + kRangeBlock <= n; i += kRangeBlock) take(x + i);
  for (size_t j = 0; i < n; i += kRangeVector, ++j) {
    const VecOfFloats v = load_part(d, x + i, std::min(kRangeVector, n - i));  // 0 is taken into account anyway
    low[j] = lesser(v, low[j]);
    high[j] = greater(v, high[j]);
  }
  const VecOfFloats lowest = hn::Min(hn::Min(low[0], low[1]), hn::Min(low[2], low[3]));
  const VecOfFloats highest = hn::Max(hn::Max(high[0], high[1]), hn::Max(high[2], high[3]));
  least = hn::GetLane(hn::MinOfLanes(d, lowest));
  most = hn::GetLane(hn::MaxOfLanes(d, highest));
}

// The same for each of n neighbouring columns of a matrix; row: from one row to the next.
HWY_INLINE void range_columns(const float* x, std::int64_t row, std::int64_t rows, size_t n, float* least,
                              float* most) {
  const hn::ScalableTag<float> d;
  for (size_t c = 0; c < n; c += kRangeBlock) {
    const size_t count = std::min(n - c, kRangeBlock);
    HWY_ALIGN float part[kRangeBlock] = {};
    VecOfFloats low[4], high[4];
    for (int j = 0; j < 4; ++j) low[j] = high[j] = hn::Zero(d);
    for (std::int64_t r = 0; r < rows; ++r) {
      const float* from = x + r * row + c;
      if (count < kRangeBlock) from = std::copy_n(from, count, part) - count;
      for (size_t j = 0; j < 4; ++j) {
        const VecOfFloats v = hn::LoadU(d, from + j * kRangeVector);
        low[j] = lesser(v, low[j]);
        high[j] = greater(v, high[j]);
      }
    }
    HWY_ALIGN float lows[kRangeBlock], highs[kRangeBlock];
    for (size_t j = 0; j < 4; ++j) {
      hn::Store(low[j], d, lows + j * kRangeVector);
      hn::Store(high[j], d, highs + j * kRangeVector);
    }
    std::copy_n(lows, count, least + c);
    std::copy_n(highs, count, most + c);
  }
}

#else  // element by element

inline void range_run(const float* x, size_t n, float& least, float& most) {
  least = most = 0;
  for (size_t i = 0; i < n; ++i) {
    if (x[i] < least) least = x[i];
    if (x[i] > most) most = x[i];
  }
}
inline void range_columns(const float* x, std::int64_t row, std::int64_t rows, size_t n, float* least, float* most) {
  std::fill_n(least, n, 0.0f);
  std::fill_n(most, n, 0.0f);
  for (std::int64_t r = 0; r < rows; ++r)
    for (size_t c = 0; c < n; ++c) {
      const float v = x[r * row + static_cast<std::int64_t>(c)];
      if (v < least[c]) least[c] = v;
      if (v > most[c]) most[c] = v;
    }
}

#endif

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
