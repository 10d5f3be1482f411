// Elementwise conversions between f32 and a type of 16 bits, for a How with In, Out, one(x) and vector(d, x). Include
// after cpu/simd/simd.h, once a target.
#if defined(TANDEM_CPU_LOOPS_CONVERT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_CONVERT_INL_H_
#undef TANDEM_CPU_LOOPS_CONVERT_INL_H_
#else
#define TANDEM_CPU_LOOPS_CONVERT_INL_H_
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

// y[at .. end), whole vectors; with kStream y + at is aligned to one.
template <class How, bool kStream>
HWY_INLINE void convert_vectors(const typename How::In* x, typename How::Out* y, size_t at, size_t end) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<typename How::Out, decltype(d)> to;
  // Highway 1.0.3 streams 16 bytes of vectors that have fewer.
  constexpr bool kWhole = hn::MaxLanes(decltype(to)()) * sizeof(typename How::Out) >= 16;
  const auto one = [&](size_t i) HWY_ATTR {
    const auto v = How::vector(d, x + i);
    if constexpr (kStream && kWhole)
      hn::Stream(v, to, y + i);
    else
      hn::StoreU(v, to, y + i);
  };
  const size_t lanes = hn::Lanes(d);
  for (; at + 4 * lanes <= end; at += 4 * lanes) {
    one(at);
    one(at + lanes);
    one(at + 2 * lanes);
    one(at + 3 * lanes);
  }
  for (; at < end; at += lanes) one(at);
}

template <class How>
HWY_INLINE void convert_all(const typename How::In* x, typename How::Out* y, size_t n, bool stream) {
  const auto rest = [&](size_t at, size_t end) {
    for (; at < end; ++at) y[at] = How::one(x[at]);
  };
  const size_t lanes = hn::Lanes(hn::ScalableTag<float>()), element = sizeof(typename How::Out);
  const size_t head =
      stream ? std::min<size_t>(n, -reinterpret_cast<std::uintptr_t>(y) % (lanes * element) / element) : 0;
  const size_t end = head + (n - head) / lanes * lanes;
  rest(0, head);
  if (stream) {
    convert_vectors<How, true>(x, y, head, end);
    hwy::FlushStream();
  } else {
    convert_vectors<How, false>(x, y, head, end);
  }
  rest(end, n);
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
