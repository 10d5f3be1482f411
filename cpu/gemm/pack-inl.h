// Packing into panels of words: see PackPanel.
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
#include <cstring>
#include <iterator>
#include <type_traits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "common/core/bf16.h"
#include "cpu/simd/bf16-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#undef TANDEM_PACK_MASKS
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define TANDEM_PACK_MASKS 1
#else
#define TANDEM_PACK_MASKS 0
#endif

// What elements become in a panel: kGroup values of k of type Out make a word. load() reads the values of whole vectors
// of words, load_row() those of 128 bits; they lie one after the other. load_first() and load_row_first() read the
// first `count` values of such vectors, and nothing behind them; the others become 0.
template <class T>
struct AsTheyAre {
  using In = T;
  using Out = T;
  static constexpr int kGroup = 4 / sizeof(T);
  static constexpr In kNothing{};  // becomes 0
  static Out convert(In x) { return x; }
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const In* p) {
    return hn::LoadU(d, reinterpret_cast<const hn::TFromD<D>*>(p));
  }
#if TANDEM_PACK_MASKS
  template <class D>
  static HWY_INLINE hn::Vec<D> load_first(D d, const In* p, std::size_t count) {
    const hn::Repartition<T, D> values;
    return hn::BitCast(d, hn::MaskedLoad(hn::FirstN(values, count), values, p));
  }
#endif
#if HWY_TARGET != HWY_SCALAR
  static HWY_INLINE hn::Vec<hn::Full128<Out>> load_row(const In* p) { return hn::LoadU(hn::Full128<Out>(), p); }
#endif
#if TANDEM_PACK_MASKS
  static HWY_INLINE hn::Vec<hn::Full128<Out>> load_row_first(const In* p, std::size_t count) {
    const hn::Full128<Out> d;
    return hn::MaskedLoad(hn::FirstN(d, count), d, p);
  }
#endif
};
// s8 as u8, greater by 128.
struct Flipped : AsTheyAre<std::uint8_t> {
  static constexpr In kNothing = 0x80;
  static Out convert(In x) { return static_cast<Out>(x ^ 0x80); }
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const In* p) {
    const hn::Repartition<std::uint8_t, D> bytes;
    return hn::BitCast(d, hn::Xor(hn::LoadU(bytes, p), hn::Set(bytes, 0x80)));
  }
#if TANDEM_PACK_MASKS
  template <class D>
  static HWY_INLINE hn::Vec<D> load_first(D d, const In* p, std::size_t count) {
    const hn::Repartition<std::uint8_t, D> bytes;
    const auto there = hn::FirstN(bytes, count);
    return hn::BitCast(d, hn::Xor(hn::MaskedLoad(there, bytes, p), hn::IfThenElseZero(there, hn::Set(bytes, 0x80))));
  }
  static HWY_INLINE hn::Vec<hn::Full128<Out>> load_row_first(const In* p, std::size_t count) {
    return load_first(hn::Full128<Out>(), p, count);
  }
#endif
#if HWY_TARGET != HWY_SCALAR
  static HWY_INLINE hn::Vec<hn::Full128<Out>> load_row(const In* p) {
    const hn::Full128<Out> d;
    return hn::Xor(hn::LoadU(d, p), hn::Set(d, 0x80));
  }
#endif
};
// 8 bits as s16.
template <class T>
struct Widened {
  using In = T;
  using Out = std::int16_t;
  static constexpr int kGroup = 2;
  static constexpr In kNothing{};
  static Out convert(In x) { return x; }
#if HWY_TARGET != HWY_SCALAR
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const In* p) {
    const hn::Repartition<std::int16_t, D> wide;
    return hn::BitCast(d, hn::PromoteTo(wide, hn::LoadU(hn::Rebind<T, decltype(wide)>(), p)));
  }
#if TANDEM_PACK_MASKS
  template <class D>
  static HWY_INLINE hn::Vec<D> load_first(D d, const In* p, std::size_t count) {
    const hn::Repartition<std::int16_t, D> wide;
    const hn::Rebind<T, decltype(wide)> bytes;
    return hn::BitCast(d, hn::PromoteTo(wide, hn::MaskedLoad(hn::FirstN(bytes, count), bytes, p)));
  }
  static HWY_INLINE hn::Vec<hn::Full128<Out>> load_row_first(const In* p, std::size_t count) {
    return load_first(hn::Full128<Out>(), p, count);
  }
#endif
  static HWY_INLINE hn::Vec<hn::Full128<Out>> load_row(const In* p) {
    const hn::Full128<Out> wide;
    return hn::PromoteTo(wide, hn::LoadU(hn::Rebind<T, decltype(wide)>(), p));
  }
#endif
};

// bf16 as f32.
struct WidenedBf16 {
  using In = std::uint16_t;
  using Out = float;
  static constexpr int kGroup = 1;
  static constexpr In kNothing{};
  static Out convert(In x) { return to_f32(Bf16{x}); }
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const In* p) {
    return widen_bf16(d, hn::LoadU(Halves<D>(), p));
  }
#if TANDEM_PACK_MASKS
  template <class D>
  static HWY_INLINE hn::Vec<D> load_first(D d, const In* p, std::size_t count) {
    const Halves<D> halves;
    return widen_bf16(d, hn::MaskedLoad(hn::FirstN(halves, count), halves, p));
  }
#endif
};

// Any strides; `out` has rows of `step` words, of which `width` are written.
template <class Format>
HWY_INLINE void pack_elements(const typename Format::In* HWY_RESTRICT in, std::int64_t across, std::int64_t along,
                              std::int64_t count, std::int64_t depth, std::int64_t width, std::int64_t step,
                              void* HWY_RESTRICT out) {
  constexpr int kGroup = Format::kGroup;
  auto* to = static_cast<typename Format::Out*>(out);
  for (std::int64_t p = 0; p < depth; p += kGroup, to += step * kGroup) {
    const std::int64_t values = std::min<std::int64_t>(kGroup, depth - p);
    for (std::int64_t i = 0; i < width; ++i)
      for (std::int64_t g = 0; g < kGroup; ++g) {
        const bool there = i < count && g < values;
        const auto value = there ? Format::convert(in[i * across + (p + g) * along]) : typename Format::Out{};
        std::memcpy(to + i * kGroup + g, &value, sizeof value);  // words may be read as another type
      }
  }
}

// Unit stride across the panel, one value a word: rows of the panel are copied.
template <class Format>
HWY_INLINE void pack_rows(const typename Format::In* HWY_RESTRICT in, std::int64_t along, std::int64_t count,
                          std::int64_t depth, std::int64_t width, float* HWY_RESTRICT out) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const std::int64_t whole = count / lanes * lanes;
  for (std::int64_t p = 0; p < depth; ++p, in += along, out += width) {
    std::int64_t i = 0;
    for (; i < whole; i += lanes) hn::StoreU(Format::load(d, in + i), d, out + i);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
    if constexpr (std::is_same_v<Format, AsTheyAre<float>>)
      for (; i < width; i += lanes) {
        const auto read = hn::FirstN(d, static_cast<std::size_t>(std::max<std::int64_t>(count - i, 0)));
        const auto write = hn::FirstN(d, static_cast<std::size_t>(std::min(width - i, lanes)));
        hn::BlendedStore(hn::MaskedLoad(read, d, in + i), write, d, out + i);
      }
#endif
    for (; i < count; ++i) out[i] = Format::convert(in[i]);
    for (; i < width; ++i) out[i] = 0.0f;
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

// The values of a vector of words: all of them, or the first `count`, which only machines with masks are asked for.
template <class Format, bool kWhole, class D>
HWY_INLINE hn::Vec<D> load_values(D d, const typename Format::In* in, [[maybe_unused]] std::int64_t count) {
#if TANDEM_PACK_MASKS
  if constexpr (!kWhole) return Format::load_first(d, in, static_cast<std::size_t>(count));
#endif
  return Format::load(d, in);
}

// Four rows of a panel with unit stride along k, kCount of which exist, and as many words of k as a vector has, or the
// values of `rest` where they are not kWhole: transposed in the 128-bit blocks of the vectors.
template <class Format, int kCount, bool kWhole>
HWY_INLINE void pack_four(const typename Format::In* HWY_RESTRICT in, std::int64_t across, std::int64_t width,
                          float* HWY_RESTRICT out, std::int64_t rest) {
  const hn::ScalableTag<float> d;
  const hn::Repartition<double, decltype(d)> d64;
  const auto zero = hn::Zero(d);
  const auto r0 = kCount > 0 ? load_values<Format, kWhole>(d, in, rest) : zero;
  const auto r1 = kCount > 1 ? load_values<Format, kWhole>(d, in + across, rest) : zero;
  const auto r2 = kCount > 2 ? load_values<Format, kWhole>(d, in + 2 * across, rest) : zero;
  const auto r3 = kCount > 3 ? load_values<Format, kWhole>(d, in + 3 * across, rest) : zero;
  // As many streams as a panel has rows, perhaps 4 KiB apart, are too many for the hardware's prefetcher.
  constexpr std::int64_t kDistance = 512 / static_cast<std::int64_t>(sizeof(typename Format::In));
  if constexpr (kWhole && kCount > 0) hwy::Prefetch(in + kDistance);
  if constexpr (kWhole && kCount > 1) hwy::Prefetch(in + across + kDistance);
  if constexpr (kWhole && kCount > 2) hwy::Prefetch(in + 2 * across + kDistance);
  if constexpr (kWhole && kCount > 3) hwy::Prefetch(in + 3 * across + kDistance);
  const auto low01 = hn::BitCast(d64, hn::InterleaveLower(d, r0, r1));
  const auto high01 = hn::BitCast(d64, hn::InterleaveUpper(d, r0, r1));
  const auto low23 = hn::BitCast(d64, hn::InterleaveLower(d, r2, r3));
  const auto high23 = hn::BitCast(d64, hn::InterleaveUpper(d, r2, r3));
  store_blocks(d, hn::BitCast(d, hn::InterleaveLower(d64, low01, low23)), 4 * width, out);
  store_blocks(d, hn::BitCast(d, hn::InterleaveUpper(d64, low01, low23)), 4 * width, out + width);
  store_blocks(d, hn::BitCast(d, hn::InterleaveLower(d64, high01, high23)), 4 * width, out + 2 * width);
  store_blocks(d, hn::BitCast(d, hn::InterleaveUpper(d64, high01, high23)), 4 * width, out + 3 * width);
}

// The four rows of a panel that begin with row i of `in`, of which `count` are left.
template <class Format, bool kWhole>
HWY_INLINE void pack_some_of_four(const typename Format::In* HWY_RESTRICT in, std::int64_t across, std::int64_t count,
                                  std::int64_t width, float* HWY_RESTRICT out, std::int64_t rest) {
  switch (std::clamp<std::int64_t>(count, 0, 4)) {
    case 4:
      return pack_four<Format, 4, kWhole>(in, across, width, out, rest);
    case 3:
      return pack_four<Format, 3, kWhole>(in, across, width, out, rest);
    case 2:
      return pack_four<Format, 2, kWhole>(in, across, width, out, rest);
    case 1:
      return pack_four<Format, 1, kWhole>(in, across, width, out, rest);
    default:
      return pack_four<Format, 0, kWhole>(in, across, width, out, rest);
  }
}

// Unit stride along k; width is a multiple of 4. All rows for a few words of k, then the next: the lines of `out` are
// written once.
template <class Format>
HWY_INLINE void pack_columns(const typename Format::In* HWY_RESTRICT in, std::int64_t across, std::int64_t count,
                             std::int64_t depth, std::int64_t width, float* HWY_RESTRICT out) {
  using In = typename Format::In;
  constexpr std::int64_t kWords = hn::MaxLanes(hn::ScalableTag<float>()), kValues = kWords * Format::kGroup;
  std::int64_t p = 0;
  for (; p + kValues <= depth; p += kValues)
    for (std::int64_t i = 0; i < width; i += 4)
      pack_some_of_four<Format, true>(in + i * across + p, across, count - i, width,
                                      out + p / Format::kGroup * width + i, kValues);
  const std::int64_t rest = depth - p;
  if (rest == 0) return;
  const std::int64_t last = (rest + Format::kGroup - 1) / Format::kGroup;  // words that exist
  out += p / Format::kGroup * width;
  if (rest < 2 * Format::kGroup || (Format::kGroup == 1 && !TANDEM_PACK_MASKS))
    return pack_elements<Format>(in + p, across, 1, count, rest, width, width, out);
  // The rest is filled up, and the words that exist are copied where they are not all.
  for (std::int64_t i = 0; i < width; i += 4) {
    HWY_ALIGN float words[4 * kWords];
    float* to = last == kWords ? out + i : words;
    const std::int64_t step = last == kWords ? width : 4;
#if TANDEM_PACK_MASKS
    pack_some_of_four<Format, false>(in + i * across + p, across, count - i, step, to, rest);
#else
    HWY_ALIGN In from[4 * kValues];
    std::fill(std::begin(from), std::end(from), Format::kNothing);  // counts as nothing in the last word
    for (std::int64_t r = 0; r < 4 && i + r < count; ++r)
      std::copy_n(in + (i + r) * across + p, rest, from + r * kValues);
    pack_some_of_four<Format, false>(from, kValues, count - i, step, to, rest);
#endif
    if (last < kWords)
      for (std::int64_t w = 0; w < last; ++w) std::copy_n(words + 4 * w, 4, out + w * width + i);
  }
}

// Words of which row g of k gives value g: 128 bits of each row at a time.
template <class Format, class Load>
HWY_INLINE void interleave(Load load_row, hn::Vec<hn::Full128<typename Format::Out>>* HWY_RESTRICT words) {
  const hn::Full128<typename Format::Out> d;
  const auto r0 = load_row(0), r1 = load_row(1);
  const auto low01 = hn::InterleaveLower(d, r0, r1), high01 = hn::InterleaveUpper(d, r0, r1);
  if constexpr (Format::kGroup == 2) {
    words[0] = low01;
    words[1] = high01;
  } else {
    const hn::Full128<std::uint16_t> d16;
    const auto r2 = load_row(2), r3 = load_row(3);
    const auto a = hn::BitCast(d16, low01), b = hn::BitCast(d16, hn::InterleaveLower(d, r2, r3));
    const auto e = hn::BitCast(d16, high01), f = hn::BitCast(d16, hn::InterleaveUpper(d, r2, r3));
    words[0] = hn::BitCast(d, hn::InterleaveLower(d16, a, b));
    words[1] = hn::BitCast(d, hn::InterleaveUpper(d16, a, b));
    words[2] = hn::BitCast(d, hn::InterleaveLower(d16, e, f));
    words[3] = hn::BitCast(d, hn::InterleaveUpper(d16, e, f));
  }
}

// Unit stride across the panel, several values a word; width is a multiple of 4.
template <class Format>
HWY_INLINE void pack_interleaved(const typename Format::In* HWY_RESTRICT in, std::int64_t along, std::int64_t count,
                                 std::int64_t depth, std::int64_t width, float* HWY_RESTRICT out) {
  using Out = typename Format::Out;
  constexpr std::int64_t kGroup = Format::kGroup, kAtOnce = 16 / sizeof(Out);
  const hn::Full128<Out> d;
  const std::int64_t whole = count / kAtOnce * kAtOnce;
  hn::Vec<decltype(d)> words[kGroup];
  std::int64_t p = 0;
  for (; p + kGroup <= depth; p += kGroup) {
    Out* to = reinterpret_cast<Out*>(out + p / kGroup * width);
    for (std::int64_t i = 0; i < whole; i += kAtOnce, to += kAtOnce * kGroup) {
      const auto* from = in + p * along + i;
      interleave<Format>([&](std::int64_t g) HWY_ATTR { return Format::load_row(from + g * along); }, words);
      for (std::int64_t v = 0; v < kGroup; ++v) hn::StoreU(words[v], d, to + v * kAtOnce);
    }
  }
#if TANDEM_PACK_MASKS
  if (whole < width) {
    const auto rest = static_cast<std::size_t>(count - whole);
    for (std::int64_t q = 0; q < p; q += kGroup) {
      Out* to = reinterpret_cast<Out*>(out + q / kGroup * width + whole);
      const auto* from = in + q * along + whole;
      interleave<Format>([&](std::int64_t g) HWY_ATTR { return Format::load_row_first(from + g * along, rest); },
                         words);
      for (std::int64_t v = 0; 4 * v < width - whole; ++v)
        hn::StoreU(v < kGroup ? words[v] : hn::Zero(d), d, to + v * kAtOnce);
    }
  }
#else
  pack_elements<Format>(in + whole, 1, along, count - whole, p, width - whole, width, out + whole);
#endif
  pack_elements<Format>(in + p * along, 1, along, count, depth - p, width, width, out + p / kGroup * width);
}

#endif  // HWY_TARGET != HWY_SCALAR

// A PackPanel.
template <class Format>
void pack_panel(const void* in_data, std::int64_t across, std::int64_t along, std::int64_t count, std::int64_t depth,
                std::int64_t width, void* out_data) {
  const auto* in = static_cast<const typename Format::In*>(in_data);
  float* out = static_cast<float*>(out_data);
  if constexpr (Format::kGroup == 1)
    if (across == 1) return pack_rows<Format>(in, along, count, depth, width, out);
#if HWY_TARGET != HWY_SCALAR
  if (along == 1) return pack_columns<Format>(in, across, count, depth, width, out);
  if constexpr (Format::kGroup > 1)
    if (across == 1) return pack_interleaved<Format>(in, along, count, depth, width, out);
#endif
  pack_elements<Format>(in, across, along, count, depth, width, width, out);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
