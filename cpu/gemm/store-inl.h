// The fused store of f32 products: c = activation(alpha * tile + beta * c + bias) over the blocks of k. Included once a
// target.
//
// alpha, beta and bias belong to the first block of k, later blocks add alpha * tile, the last one applies the
// activation.
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

#include "cpu/gemm/gemm.h"
#include "cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// `count` elements, `stride` apart, in the low lanes; no others are touched.
template <class D>
HWY_INLINE hn::Vec<D> load_some(D d, const float* p, std::int64_t stride, std::int64_t count) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (stride == 1 && count == lanes) return hn::LoadU(d, p);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (stride == 1) return hn::MaskedLoad(hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#endif
  HWY_ALIGN float lane[hn::MaxLanes(D())] = {};
  for (std::int64_t i = 0; i < count; ++i) lane[i] = p[i * stride];
  return hn::Load(d, lane);
}
template <class D>
HWY_INLINE void store_some(D d, hn::Vec<D> v, float* p, std::int64_t stride, std::int64_t count) {
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  if (stride == 1 && count == lanes) return hn::StoreU(v, d, p);
#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
  if (stride == 1) return hn::BlendedStore(v, hn::FirstN(d, static_cast<std::size_t>(count)), d, p);
#endif
  HWY_ALIGN float lane[hn::MaxLanes(D())];
  hn::Store(v, d, lane);
  for (std::int64_t i = 0; i < count; ++i) p[i * stride] = lane[i];
}

template <class Activate>
void store_with(const StoreArgs& s, Activate activate) {
  const hn::ScalableTag<float> d;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const MatmulArgs& args = *s.args;
  const float* tile = static_cast<const float*>(s.tile);
  const float* bias = s.first ? static_cast<const float*>(args.bias.data) : nullptr;
  const float beta = s.first ? args.beta : 1.0f;
  const auto alpha_v = hn::Set(d, args.k == 0 ? 1.0f : args.alpha);  // an infinite alpha times an empty sum is no NaN
  const auto beta_v = hn::Set(d, beta);
  for (std::int64_t i = 0; i < s.rows; ++i) {
    float* c = static_cast<float*>(s.c) + i * args.c.row;
    for (std::int64_t j = 0; j < s.columns; j += lanes) {
      const std::int64_t count = std::min(lanes, s.columns - j);
      auto y = hn::Mul(alpha_v, hn::Load(d, tile + i * s.tile_row + j));
      if (beta != 0.0f) y = hn::MulAdd(beta_v, load_some(d, c + j * args.c.col, args.c.col, count), y);
      if (bias != nullptr) {
        const float* b = bias + (s.i + i) * args.bias.row + (s.j + j) * args.bias.col;
        y = hn::Add(y, args.bias.col == 0 ? hn::Set(d, *b) : load_some(d, b, args.bias.col, count));
      }
      store_some(d, activate(y), c + j * args.c.col, args.c.col, count);
    }
  }
}

inline void f32_store(const StoreArgs& s) {
  const hn::ScalableTag<float> d;
  using V = hn::Vec<decltype(d)>;
  switch (s.last ? s.args->activation : Activation::none) {
    case Activation::none:
      return store_with(s, [](V v) HWY_ATTR { return v; });
    case Activation::relu:
      return store_with(s, [d](V v) HWY_ATTR { return vrelu(d, v); });
    case Activation::gelu_erf:
      return store_with(s, [d](V v) HWY_ATTR { return vgelu_erf(d, v); });
    case Activation::gelu_tanh:
      return store_with(s, [d](V v) HWY_ATTR { return vgelu_tanh(d, v); });
    case Activation::gelu_sigmoid:
      return store_with(s, [d](V v) HWY_ATTR { return vgelu_sigmoid(d, v); });
    case Activation::sigmoid:
      return store_with(s, [d](V v) HWY_ATTR { return vsigmoid(d, v); });
    case Activation::tanh:
      return store_with(s, [d](V v) HWY_ATTR { return vtanh(d, v); });
    case Activation::silu:
      return store_with(s, [d](V v) HWY_ATTR { return vsilu(d, v); });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
