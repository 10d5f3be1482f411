// Applying a vector function to runs of contiguous f32. Include after cpu/simd/simd.h, once a target.
#if defined(TANDEM_CPU_LOOPS_MAP_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_MAP_INL_H_
#undef TANDEM_CPU_LOOPS_MAP_INL_H_
#else
#define TANDEM_CPU_LOOPS_MAP_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "cpu/simd/batch-inl.h"
#include "cpu/simd/part-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;

// Where vectors come from: an array, or one value for all.
struct FromArray {
  const float* p;
  HWY_INLINE hn::Vec<F32> load(F32 d, size_t i) const { return hn::LoadU(d, p + i); }
  HWY_INLINE hn::Vec<F32> load(F32 d, size_t i, size_t n) const { return load_part(d, p + i, n); }
};
struct FromValue {
  float value;
  HWY_INLINE hn::Vec<F32> load(F32 d, size_t) const { return hn::Set(d, value); }
  HWY_INLINE hn::Vec<F32> load(F32 d, size_t, size_t) const { return hn::Set(d, value); }
};

template <size_t... I, class Source>
HWY_INLINE Batch<F32, sizeof...(I)> load_batch(std::index_sequence<I...>, F32 d, const Source& source, size_t i) {
  return {{source.load(d, i + I * hn::Lanes(d))...}};
}
template <bool kStream, size_t... I>
HWY_INLINE void store_batch(std::index_sequence<I...>, F32 d, const Batch<F32, sizeof...(I)>& b, float* p) {
  if constexpr (kStream) {
    (hn::Stream(b.v[I], d, p + I * hn::Lanes(d)), ...);
  } else {
    (hn::StoreU(b.v[I], d, p + I * hn::Lanes(d)), ...);
  }
}

// y[i] = f(sources[i]...) for i in [begin, end), in batches and then by vectors. With kStream y + begin is aligned to a
// vector.
template <int kBatch, bool kStream, class F, class... Sources>
HWY_INLINE void map_range(size_t begin, size_t end, float* y, F f, const Sources&... sources) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  constexpr auto kAll = std::make_index_sequence<kBatch>();
  constexpr auto kOne = std::make_index_sequence<1>();
  size_t i = begin;
  for (; i + kBatch * lanes <= end; i += kBatch * lanes)
    store_batch<kStream>(kAll, d, f(load_batch(kAll, d, sources, i)...), y + i);
  for (; i + lanes <= end; i += lanes) store_batch<kStream>(kOne, d, f(load_batch(kOne, d, sources, i)...), y + i);
  if (i < end) store_part(f(Batch<F32, 1>{{sources.load(d, i, end - i)}}...).v[0], d, y + i, end - i);
}

// The same for [0, n); `stream` stores past the caches, for a y that is no source. The caller then ends with
// hwy::FlushStream().
template <int kBatch, class F, class... Sources>
HWY_INLINE void map_run(size_t n, float* y, bool stream, F f, const Sources&... sources) {
  if (!stream) return map_range<kBatch, false>(0, n, y, f, sources...);
  const size_t size = hn::Lanes(F32()) * sizeof(float);
  const size_t past = reinterpret_cast<std::uintptr_t>(y) % size;
  if (past % sizeof(float) != 0) return map_range<kBatch, false>(0, n, y, f, sources...);
  const size_t head = std::min(n, past == 0 ? 0 : (size - past) / sizeof(float));
  map_range<1, false>(0, head, y, f, sources...);
  map_range<kBatch, true>(head, n, y, f, sources...);
}

// Vectors worked on in step: enough to hide latency, few enough for the registers that tables and constants leave.
#if HWY_TARGET == HWY_SCALAR
constexpr int kPairBatch = 1, kSmallBatch = 1, kLargeBatch = 1;
#elif HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
constexpr int kPairBatch = 2, kSmallBatch = 4, kLargeBatch = 6;
#else
constexpr int kPairBatch = 2, kSmallBatch = 2, kLargeBatch = 2;
#endif

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
