// The fused store of integer products: corrections for zero points, bias, scales, activation or requantisation, in the
// steps of QuantizedMatmulArgs. Included once a target.
//
// With A = a as it was packed and za its zero points plus IntStoreArgs::shift, the sum is
//   sum A b - za colsum(b) - zb rowsum(A) + k za zb + bias,
// all of it modulo 2^32.
#if defined(TANDEM_CPU_GEMM_STORE_INT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_STORE_INT_INL_H_
#undef TANDEM_CPU_GEMM_STORE_INT_INL_H_
#else
#define TANDEM_CPU_GEMM_STORE_INT_INL_H_
#endif

#include "common/ops/quantized_matmul.h"
#include "cpu/gemm/int_gemm.h"
#include "cpu/gemm/store-inl.h"
#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using StoreF32 = hn::ScalableTag<float>;
using StoreS32 = hn::ScalableTag<std::int32_t>;
using StoreVecF = hn::Vec<StoreF32>;
using StoreVecI = hn::Vec<StoreS32>;

// Values j to j + count - 1 of a vector of the product; `absent` where there is none.
template <class D, class T>
HWY_INLINE hn::Vec<D> some_of(D d, const QuantizedMatmulArgs::Vector<T>& v, std::int64_t j, std::int64_t count,
                              T absent) {
  if (v.data == nullptr) return hn::Set(d, absent);
  if (v.stride == 0) return hn::Set(d, *v.data);
  return load_some(d, v.data + j * v.stride, v.stride, count);
}

// Sums with everything that is integer added. Rows of a column of vectors have much in common; kEachRow: they also have
// zero points of their own, or b has some. Like what follows, it keeps copies: c may lie anywhere, so that what is
// behind a reference would be read again after every store.
template <bool kEachRow>
class ExactSums {
 public:
  HWY_INLINE ExactSums(const StoreArgs& s, const QuantizedMatmulArgs& args, std::int32_t shift, std::int64_t j,
                       std::int64_t count)
      : tile_(static_cast<const std::int32_t*>(s.tile) + j),
        tile_row_(s.tile_row),
        row_sums_(s.row_sums),
        za_(args.za.data == nullptr ? nullptr : args.za.data + s.i * args.za.stride),
        za_stride_(args.za.stride),
        shift_(shift),
        k_(static_cast<std::uint32_t>(args.k)) {
    const StoreS32 d;
    zb_ = some_of(d, args.zb, s.j + j, count, 0);
    column_sum_ = s.column_sums == nullptr ? hn::Zero(d) : hn::Load(d, s.column_sums + j);
    common_ = some_of(d, args.bias_s32, s.j + j, count, 0);
    if (!kEachRow) common_ = hn::Sub(common_, hn::Mul(column_sum_, hn::Set(d, za(0))));
  }
  HWY_INLINE StoreVecI row(std::int64_t i) const {
    const StoreS32 d;
    StoreVecI sum = hn::Add(hn::Load(d, tile_ + i * tile_row_), common_);
    if (kEachRow) {
      sum = hn::Sub(sum, hn::Mul(column_sum_, hn::Set(d, za(i))));
      const std::uint32_t row_sum = row_sums_ == nullptr ? 0 : static_cast<std::uint32_t>(row_sums_[i]);
      const auto by_zb = static_cast<std::int32_t>(row_sum - k_ * static_cast<std::uint32_t>(za(i)));
      if (row_sums_ != nullptr) sum = hn::Sub(sum, hn::Mul(zb_, hn::Set(d, by_zb)));
    }
    return sum;
  }

 private:
  HWY_INLINE std::int32_t za(std::int64_t i) const { return (za_ == nullptr ? 0 : za_[i * za_stride_]) + shift_; }

  const std::int32_t* tile_;
  std::int64_t tile_row_;
  const std::int32_t *row_sums_, *za_;
  std::int64_t za_stride_;
  std::int32_t shift_;
  std::uint32_t k_;
  StoreVecI zb_, column_sum_, common_;
};

// What becomes of the sums: a type with an object for every column of vectors, whose row<kDense>(sum, i, to) stores the
// elements of row i of the tile; kDense: whole vectors of neighbours.
struct FinishS32 {
  using Element = std::int32_t;
  HWY_INLINE FinishS32(const StoreArgs&, const QuantizedMatmulArgs& args, std::int64_t, std::int64_t n)
      : low(hn::Set(StoreS32(), args.range.low)), count(n), stride(args.c.col) {}
  template <bool kDense>
  HWY_INLINE void row(StoreVecI sum, std::int64_t, Element* to) const {
    const StoreS32 d;
    if constexpr (kDense)
      hn::StoreU(hn::Max(sum, low), d, to);
    else
      store_some(d, hn::Max(sum, low), to, stride, count);
  }
  StoreVecI low;
  std::int64_t count, stride;
};

// sa sb of a row, from what all rows share where sa does not change.
class Scales {
 public:
  HWY_INLINE Scales(const StoreArgs& s, const QuantizedMatmulArgs& args, std::int64_t j, std::int64_t count)
      : sa_(args.sa.data + s.i * args.sa.stride),
        stride_(args.sa.stride),
        sb_(some_of(StoreF32(), args.sb, s.j + j, count, 1.0f)),
        common_(of(0)) {}
  HWY_INLINE bool each() const { return stride_ != 0; }
  HWY_INLINE StoreVecF common() const { return common_; }
  HWY_INLINE StoreVecF of(std::int64_t i) const { return hn::Mul(hn::Set(StoreF32(), sa_[i * stride_]), sb_); }

 private:
  const float* sa_;
  std::int64_t stride_;
  StoreVecF sb_, common_;
};

// kPlain: one scale of a, no bias; the loop over rows then has nothing to ask.
template <bool kPlain, class Activate>
struct FinishF32 {
  using Element = float;
  HWY_INLINE FinishF32(const StoreArgs& s, const QuantizedMatmulArgs& args, std::int64_t j, std::int64_t n, Activate f)
      : scales(s, args, j, n),
        has_bias(args.bias_f32.data != nullptr),
        bias(some_of(StoreF32(), args.bias_f32, s.j + j, n, 0.0f)),
        count(n),
        stride(args.c.col),
        activate(f) {}
  template <bool kDense>
  HWY_INLINE void row(StoreVecI sum, std::int64_t i, Element* to) const {
    const StoreF32 d;
    StoreVecF value = hn::Mul(hn::ConvertTo(d, sum), !kPlain && scales.each() ? scales.of(i) : scales.common());
    if (!kPlain && has_bias) value = hn::Add(value, bias);
    if constexpr (kDense)
      hn::StoreU(activate(value), d, to);
    else
      store_some(d, activate(value), to, stride, count);
  }
  Scales scales;
  bool has_bias;
  StoreVecF bias;
  std::int64_t count, stride;
  Activate activate;
};

template <class T>
struct FinishBytes {
  using Element = T;
  HWY_INLINE FinishBytes(const StoreArgs& s, const QuantizedMatmulArgs& args, std::int64_t j, std::int64_t n)
      : scales(s, args, j, n),
        result_scale(hn::Set(StoreF32(), args.result_scale)),
        multiplier(hn::Div(scales.common(), result_scale)),
        zero(hn::Set(StoreF32(), static_cast<float>(args.result_zero_point))),
        low(hn::Set(StoreF32(), static_cast<float>(args.range.low))),
        high(hn::Set(StoreF32(), static_cast<float>(args.range.high))),
        count(n),
        stride(args.c.col) {}
  template <bool kDense>
  HWY_INLINE void row(StoreVecI sum, std::int64_t i, Element* to) const {
    const StoreF32 d;
    const StoreS32 di;
    const hn::Rebind<T, StoreS32> bytes;
    const StoreVecF factor = scales.each() ? hn::Div(scales.of(i), result_scale) : multiplier;
    const StoreVecF scaled = hn::Mul(hn::ConvertTo(d, sum), factor);
    const StoreVecF number = hn::IfThenElseZero(hn::Eq(scaled, scaled), hn::Round(scaled));
    const StoreVecF clamped = hn::Min(hn::Max(hn::Add(number, zero), low), high);
    const auto narrow = hn::DemoteTo(bytes, hn::ConvertTo(di, clamped));
    if constexpr (kDense) {
      hn::StoreU(narrow, bytes, to);
    } else {
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3  // has masks for bytes
      if (stride == 1) return store_part(narrow, bytes, to, static_cast<std::size_t>(count));
#endif
      HWY_ALIGN T lane[hn::MaxLanes(StoreS32())];
      hn::StoreU(narrow, bytes, lane);
      for (std::int64_t l = 0; l < count; ++l) to[l * stride] = lane[l];
    }
  }
  Scales scales;
  StoreVecF result_scale, multiplier, zero, low, high;
  std::int64_t count, stride;
};

// Columns [begin, end), a vector at a time. Variants are apart from each other, or all would share the registers of one
// function.
template <class Finish, bool kEachRow, bool kDense, class... More>
HWY_NOINLINE void int_store_columns(const StoreArgs& s, std::int64_t begin, std::int64_t end, More... more) {
  const IntStoreArgs& fused = *static_cast<const IntStoreArgs*>(s.args);
  const QuantizedMatmulArgs& args = *fused.args;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(StoreS32()));
  const std::int64_t rows = s.rows, c_row = args.c.row, c_col = args.c.col;
  auto* c = static_cast<typename Finish::Element*>(s.c);
  std::int64_t j = begin;
  if constexpr (kDense)  // two vectors at a time, as wide as tiles are
    for (; j + 2 * lanes <= end; j += 2 * lanes) {
      const ExactSums<kEachRow> sums0(s, args, fused.shift, j, lanes), sums1(s, args, fused.shift, j + lanes, lanes);
      const Finish finish0(s, args, j, lanes, more...), finish1(s, args, j + lanes, lanes, more...);
      auto* to = c + j;
      for (std::int64_t i = 0; i < rows; ++i, to += c_row) {
        finish0.template row<true>(sums0.row(i), i, to);
        finish1.template row<true>(sums1.row(i), i, to + lanes);
      }
    }
  for (; j < end; j += lanes) {
    const std::int64_t count = std::min(lanes, end - j);
    const ExactSums<kEachRow> sums(s, args, fused.shift, j, count);
    const Finish finish(s, args, j, count, more...);
    auto* to = c + j * c_col;
    for (std::int64_t i = 0; i < rows; ++i, to += c_row) finish.template row<kDense>(sums.row(i), i, to);
  }
}
template <class Finish, class... More>
HWY_INLINE void int_store_with(const StoreArgs& s, More... more) {
  const QuantizedMatmulArgs& args = *static_cast<const IntStoreArgs*>(s.args)->args;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(StoreS32()));
  const std::int64_t dense = args.c.col == 1 ? s.columns / lanes * lanes : 0;
  if (args.za.stride != 0 || s.row_sums != nullptr) {
    int_store_columns<Finish, true, true>(s, 0, dense, more...);
    if (dense < s.columns) int_store_columns<Finish, true, false>(s, dense, s.columns, more...);
  } else {
    int_store_columns<Finish, false, true>(s, 0, dense, more...);
    if (dense < s.columns) int_store_columns<Finish, false, false>(s, dense, s.columns, more...);
  }
}

inline void int_store(const StoreArgs& s) {
  const QuantizedMatmulArgs& args = *static_cast<const IntStoreArgs*>(s.args)->args;
  switch (args.result) {
    case DType::s32:
      return int_store_with<FinishS32>(s);
    case DType::s8:
      return int_store_with<FinishBytes<std::int8_t>>(s);
    case DType::u8:
      return int_store_with<FinishBytes<std::uint8_t>>(s);
    default:
      if (args.activation == Activation::none && args.bias_f32.data == nullptr && args.sa.stride == 0) {
        const auto none = [](StoreVecF v) HWY_ATTR { return v; };
        return int_store_with<FinishF32<true, decltype(none)>>(s, none);
      }
      return with_activation(args.activation, [&](auto activate) HWY_ATTR {
        int_store_with<FinishF32<false, decltype(activate)>>(s, activate);
      });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
