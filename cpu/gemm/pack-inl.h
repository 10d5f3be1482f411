// Packing of f32 values into panels: out[p * width + i] = in[i * across + p * along] for i < count, 0 up to width.
// Included once a target.
#if defined(TANDEM_CPU_GEMM_PACK_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_PACK_INL_H_
#undef TANDEM_CPU_GEMM_PACK_INL_H_
#else
#define TANDEM_CPU_GEMM_PACK_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Any strides.
HWY_INLINE void pack_elements(const float* HWY_RESTRICT in, std::int64_t across, std::int64_t along, std::int64_t count,
                              std::int64_t depth, std::int64_t width, float* HWY_RESTRICT out) {
  for (std::int64_t p = 0; p < depth; ++p) {
    for (std::int64_t i = 0; i < count; ++i) out[p * width + i] = in[i * across + p * along];
    for (std::int64_t i = count; i < width; ++i) out[p * width + i] = 0.0f;
  }
}

// Unit stride across the panel: rows of the panel are copied.
HWY_INLINE void pack_rows(const float* HWY_RESTRICT in, std::int64_t along, std::int64_t count, std::int64_t depth,
                          std::int64_t width, float* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole = count / lanes * lanes;
  for (std::int64_t p = 0; p < depth; ++p, in += along, out += width) {
    std::int64_t i = 0;
    for (; i < whole; i += lanes) hn::StoreU(hn::LoadU(d, in + i), d, out + i);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    for (; i < width; i += lanes) {
      const auto read = hn::FirstN(d, static_cast<std::size_t>(std::max<std::int64_t>(count - i, 0)));
      const auto write = hn::FirstN(d, static_cast<std::size_t>(std::min(width - i, lanes)));
      hn::BlendedStore(hn::MaskedLoad(read, d, in + i), write, d, out + i);
    }
#else
    for (; i < count; ++i) out[i] = in[i];
    for (; i < width; ++i) out[i] = 0.0f;
#endif
  }
}

#if HWY_TARGET != HWY_SCALAR

// The 128-bit blocks of v, `step` elements apart.
template <class D, class V>
HWY_INLINE void store_blocks(D d, V v, std::int64_t step, float* HWY_RESTRICT out) {
  if constexpr (hn::MaxLanes(D()) <= 4) {
    hn::StoreU(v, d, out);
  } else {
    const hn::Half<D> half;
    store_blocks(half, hn::LowerHalf(half, v), step, out);
    store_blocks(half, hn::UpperHalf(half, v), step, out + static_cast<std::int64_t>(hn::MaxLanes(D())) / 8 * step);
  }
}

// Four rows of a panel with unit stride along k, kCount of which exist, and as many values of k as a vector has:
// transposed in the 128-bit blocks of the vectors.
template <int kCount>
HWY_INLINE void pack_four(const float* HWY_RESTRICT in, std::int64_t across, std::int64_t width,
                          float* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> d64;
  const auto zero = hn::Zero(d);
  const auto r0 = kCount > 0 ? hn::LoadU(d, in) : zero;
  const auto r1 = kCount > 1 ? hn::LoadU(d, in + across) : zero;
  const auto r2 = kCount > 2 ? hn::LoadU(d, in + 2 * across) : zero;
  const auto r3 = kCount > 3 ? hn::LoadU(d, in + 3 * across) : zero;
  // As many streams as a panel has rows, perhaps 4 KiB apart, are too many for the hardware's prefetcher.
  constexpr std::int64_t kAhead = 128;
  if (kCount > 0) hwy::Prefetch(in + kAhead);
  if (kCount > 1) hwy::Prefetch(in + across + kAhead);
  if (kCount > 2) hwy::Prefetch(in + 2 * across + kAhead);
  if (kCount > 3) hwy::Prefetch(in + 3 * across + kAhead);
  const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, r0, r1));
  const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, r0, r1));
  const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, r2, r3));
  const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, r2, r3));
  store_blocks(d, hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), 4 * width, out);
  store_blocks(d, hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), 4 * width, out + width);
  store_blocks(d, hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), 4 * width, out + 2 * width);
  store_blocks(d, hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), 4 * width, out + 3 * width);
}

// Unit stride along k; width is a multiple of 4. All rows for a few values of k, then the next: the lines of `out` are
// written once.
HWY_INLINE void pack_columns(const float* HWY_RESTRICT in, std::int64_t across, std::int64_t count, std::int64_t depth,
                             std::int64_t width, float* HWY_RESTRICT out) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(hn::ScalableTag<float>()));
  std::int64_t p = 0;
  for (; p + lanes <= depth; p += lanes) {
    for (std::int64_t i = 0; i < width; i += 4) {
      const float* from = in + i * across + p;
      float* to = out + p * width + i;
      switch (std::clamp<std::int64_t>(count - i, 0, 4)) {
        case 4:
          pack_four<4>(from, across, width, to);
          break;
        case 3:
          pack_four<3>(from, across, width, to);
          break;
        case 2:
          pack_four<2>(from, across, width, to);
          break;
        case 1:
          pack_four<1>(from, across, width, to);
          break;
        default:
          pack_four<0>(from, across, width, to);
      }
    }
  }
  pack_elements(in + p, across, 1, count, depth - p, width, out + p * width);
}

#endif  // HWY_TARGET != HWY_SCALAR

inline void f32_pack(const void* in_data, std::int64_t across, std::int64_t along, std::int64_t count,
                     std::int64_t depth, std::int64_t width, void* out_data) {
  const float* in = static_cast<const float*>(in_data);
  float* out = static_cast<float*>(out_data);
  if (across == 1) return pack_rows(in, along, count, depth, width, out);
#if HWY_TARGET != HWY_SCALAR
  if (along == 1) return pack_columns(in, across, count, depth, width, out);
#endif
  pack_elements(in, across, along, count, depth, width, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
