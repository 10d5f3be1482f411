// The fused store of f32 and bf16 products: c = activation(alpha * tile + beta * c + bias) over the blocks of k.
// Included once a target.
//
// alpha, beta and bias belong to the first block of k, later blocks add alpha * tile, the last one applies the
// activation. Sums are those of tiles that write c themselves, to the bits of NaN.
#if defined(TANDEM_CPU_GEMM_STORE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_GEMM_STORE_INL_H_
#undef TANDEM_CPU_GEMM_STORE_INL_H_
#else
#define TANDEM_CPU_GEMM_STORE_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/highway.h>

#include "cpu/gemm/add-inl.h"
#include "cpu/gemm/gemm.h"
#include "cpu/simd/bf16-inl.h"
#include "cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `count` elements, `stride` apart, in the low lanes; no others are touched.
template <class D>
HWY_INLINE hn::Vec<D> load_some(D d, const hn::TFromD<D>* p, std::int64_t stride, std::int64_t count) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (stride == 1 && count == lanes) return hn::LoadU(d, p);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (stride == 1) return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#endif
  HWY_ALIGN hn::TFromD<D> lane[hn::MaxLanes(D())] = {};
  for (std::int64_t i = 0; i < count; ++i) lane[i] = p[i * stride];
  return hn::Load(d, lane);
}
template <class D>
HWY_INLINE void store_some(D d, hn::Vec<D> v, hn::TFromD<D>* p, std::int64_t stride, std::int64_t count) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (stride == 1 && count == lanes) return hn::StoreU(v, d, p);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (stride == 1) return hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#endif
  HWY_ALIGN hn::TFromD<D> lane[hn::MaxLanes(D())];
  hn::Store(v, d, lane);
  for (std::int64_t i = 0; i < count; ++i) p[i * stride] = lane[i];
}

// Elements of c: f32 as they are, or bf16, rounded to the nearest even.
struct ElementsOfF32 {
  using T = float;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const T* p, std::int64_t stride, std::int64_t count) {
    return load_some(d, p, stride, count);
  }
  template <class D>
  static HWY_INLINE void store(D d, hn::Vec<D> v, T* p, std::int64_t stride, std::int64_t count) {
    store_some(d, v, p, stride, count);
  }
};
struct ElementsOfBf16 {
  using T = std::uint16_t;
  template <class D>
  static HWY_INLINE hn::Vec<D> load(D d, const T* p, std::int64_t stride, std::int64_t count) {
    return widen_bf16(d, load_some(Halves<D>(), p, stride, count));
  }
  template <class D>
  static HWY_INLINE void store(D d, hn::Vec<D> v, T* p, std::int64_t stride, std::int64_t count) {
    store_some(Halves<D>(), round_to_bf16(d, v), p, stride, count);
  }
};

template <class Elements, class Activate>
void store_with(const StoreArgs& s, Activate activate) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const MatmulArgs& args = *static_cast<const MatmulArgs*>(s.args);
  const float* tile = static_cast<const float*>(s.tile);
  const float* bias = s.first ? static_cast<const float*>(args.bias.data) : nullptr;
  const auto alpha_v = hn::Set(d, args.alpha), beta_v = hn::Set(d, args.beta);
  for (std::int64_t i = 0; i < s.rows; ++i) {
    auto* c = static_cast<typename Elements::T*>(s.c) + i * args.c.row;
    for (std::int64_t j = 0; j < s.columns; j += lanes) {
      const std::int64_t count = std::min(lanes, s.columns - j);
      auto y = hn::Mul(alpha_v, hn::Load(d, tile + i * s.tile_row + j));
      if (!s.first)
        y = add(y, Elements::load(d, c + j * args.c.col, args.c.col, count));
      else if (args.beta != 0.0f)
        y = hn::MulAdd(beta_v, Elements::load(d, c + j * args.c.col, args.c.col, count), y);
      if (bias != nullptr) {
        const float* b = bias + (s.i + i) * args.bias.row + (s.j + j) * args.bias.col;
        y = add(y, args.bias.col == 0 ? hn::Set(d, *b) : load_some(d, b, args.bias.col, count));
      }
      Elements::store(d, activate(y), c + j * args.c.col, args.c.col, count);
    }
  }
}

// The same for a c in rows and a bias that is one row or none: one vector of columns after the other, all rows of it.
// What does not depend on the row is decided outside of that loop, which would take three times as long otherwise.
template <class Elements, bool kBias, class Activate>
HWY_INLINE void store_rows(const StoreArgs& s, Activate activate) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const MatmulArgs& args = *static_cast<const MatmulArgs*>(s.args);
  const float* tile = static_cast<const float*>(s.tile);
  auto* c = static_cast<typename Elements::T*>(s.c);
  const auto alpha_v = hn::Set(d, args.alpha), beta_v = hn::Set(d, args.beta);
  const auto column = [&](std::int64_t j, std::int64_t count) HWY_ATTR {
    const auto b = kBias ? load_some(d, static_cast<const float*>(args.bias.data) + s.j + j, 1, count) : hn::Zero(d);
    for (std::int64_t i = 0; i < s.rows; ++i) {
      auto* at = c + i * args.c.row + j;
      auto y = hn::Mul(alpha_v, hn::Load(d, tile + i * s.tile_row + j));
      if (!s.first)
        y = add(y, Elements::load(d, at, 1, count));
      else if (args.beta != 0.0f)
        y = hn::MulAdd(beta_v, Elements::load(d, at, 1, count), y);
      if constexpr (kBias) y = add(y, b);
      Elements::store(d, activate(y), at, 1, count);
    }
  };
  std::int64_t j = 0;
  for (; j + lanes <= s.columns; j += lanes) column(j, lanes);
  if (j < s.columns) column(j, s.columns - j);
}

// Calls use(f) with the function of vectors that is the activation.
template <class Use>
HWY_INLINE void with_activation(Activation activation, Use use) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  switch (activation) {
    case Activation::none:
      return use([](V v) HWY_ATTR { return v; });
    case Activation::relu:
      return use([d](V v) HWY_ATTR { return vrelu(d, v); });
    case Activation::gelu_erf:
      return use([d](V v) HWY_ATTR { return vgelu_erf(d, v); });
    case Activation::gelu_tanh:
      return use([d](V v) HWY_ATTR { return vgelu_tanh(d, v); });
    case Activation::gelu_sigmoid:
      return use([d](V v) HWY_ATTR { return vgelu_sigmoid(d, v); });
    case Activation::sigmoid:
      return use([d](V v) HWY_ATTR { return vsigmoid(d, v); });
    case Activation::tanh:
      return use([d](V v) HWY_ATTR { return vtanh(d, v); });
    case Activation::silu:
      return use([d](V v) HWY_ATTR { return vsilu(d, v); });
  }
}

template <class Elements>
void store_tile(const StoreArgs& s) {
  const MatmulArgs& args = *static_cast<const MatmulArgs*>(s.args);
  const Activation activation = s.last ? args.activation : Activation::none;
  const bool cheap = activation == Activation::none || activation == Activation::relu;
  const bool bias = s.first && args.bias.data != nullptr;
  if (cheap && args.c.col == 1 && (!bias || (args.bias.row == 0 && args.bias.col == 1))) {
    const hn::ScalableTag<float> d;
    const auto none = [](hn::Vec<decltype(d)> v) HWY_ATTR { return v; };
    const auto relu = [d](hn::Vec<decltype(d)> v) HWY_ATTR { return vrelu(d, v); };
    if (activation == Activation::none)
      return bias ? store_rows<Elements, true>(s, none) : store_rows<Elements, false>(s, none);
    return bias ? store_rows<Elements, true>(s, relu) : store_rows<Elements, false>(s, relu);
  }
  with_activation(activation, [&](auto activate) HWY_ATTR { store_with<Elements>(s, activate); });
}
inline void f32_store(const StoreArgs& s) { store_tile<ElementsOfF32>(s); }
// Of products of bf16, whose results are of either type.
inline void bf16_store(const StoreArgs& s) {
  static_cast<const MatmulArgs*>(s.args)->result == DType::bf16 ? store_tile<ElementsOfBf16>(s)
                                                                : store_tile<ElementsOfF32>(s);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
