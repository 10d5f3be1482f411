// Partial sums and maxima of f32. Include after cpu/simd/simd.h, once a target.
#if defined(TANDEM_CPU_LOOPS_REDUCE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_REDUCE_INL_H_
#undef TANDEM_CPU_LOOPS_REDUCE_INL_H_
#else
#define TANDEM_CPU_LOOPS_REDUCE_INL_H_
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <hwy/highway.h>

#include "common/ops/reduce.h"
#include "cpu/loops/map-inl.h"
#include "cpu/loops/partial.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// What a function accumulates. Members of Totals that it does not use cost nothing.
template <int N>
struct Totals {
  Batch<F32, N> first, second, third;
};

template <int N>
HWY_INLINE Batch<F32, N> all_equal(float value) {
  Batch<F32, N> b;
  for (auto& vector : b.v) vector = hn::Set(F32(), value);
  return b;
}

// The maximum so far, or NaN once there was one.
template <int N>
HWY_INLINE Batch<F32, N> running_max(const Batch<F32, N>& max, const Batch<F32, N>& x) {
  return each([](auto m, auto v) TANDEM_LAMBDA { return hn::IfThenElse(hn::Or(hn::Gt(v, m), hn::IsNaN(v)), v, m); },
              max, x);
}

template <ReduceFn kFn, int N>
HWY_INLINE Totals<N> nothing_yet() {
  const auto zero = all_equal<N>(0.0f);
  if constexpr (kFn == ReduceFn::max) return {all_equal<N>(-std::numeric_limits<float>::infinity()), zero, zero};
  return {zero, zero, zero};
}

template <ReduceFn kFn, int N>
HWY_INLINE void accumulate(Totals<N>& t, const Batch<F32, N>& a, const Batch<F32, N>& b) {
  if constexpr (kFn == ReduceFn::sum) t.first = add(t.first, a);
  if constexpr (kFn == ReduceFn::max) t.first = running_max(t.first, a);
  if constexpr (kFn == ReduceFn::dot) t.first = mul_add(a, b, t.first);
  if constexpr (kFn == ReduceFn::euclidean_distance) {
    const auto difference = sub(a, b);
    t.first = mul_add(difference, difference, t.first);
  }
  if constexpr (kFn == ReduceFn::cosine_similarity) {
    t.first = mul_add(a, b, t.first);
    t.second = mul_add(a, a, t.second);
    t.third = mul_add(b, b, t.third);
  }
}

// Two Totals into one.
template <ReduceFn kFn, int N>
HWY_INLINE Totals<N> merged(const Totals<N>& x, const Totals<N>& y) {
  if constexpr (kFn == ReduceFn::max) return {running_max(x.first, y.first), x.second, x.third};
  return {add(x.first, y.first), add(x.second, y.second), add(x.third, y.third)};
}

template <ReduceFn kFn, int N>
HWY_INLINE double over_lanes(const Batch<F32, N>& b) {
  const F32 d;
  hn::Vec<F32> v = b.v[0];
  for (int i = 1; i < N; ++i) v = hn::Add(v, b.v[i]);
  return static_cast<double>(hn::GetLane(hn::SumOfLanes(d, v)));
}
template <int N>
HWY_INLINE double max_over_lanes(const Batch<F32, N>& b) {
  const F32 d;
  HWY_ALIGN float lanes[N * hn::MaxLanes(F32())];
  store_batch<false>(std::make_index_sequence<N>(), d, b, lanes);
  double max = static_cast<double>(lanes[0]);
  for (size_t i = 1; i < N * hn::Lanes(d); ++i) max = larger(max, static_cast<double>(lanes[i]));
  return max;
}

// The maximum of a[0 .. n) when no element is NaN or infinite; else NaN. Half the instructions of running_max: the sum
// of 0 x tells that something is there.
HWY_INLINE double max_of_finite(const float* a, size_t n) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  constexpr int kBatch = kSmallBatch;
  constexpr auto kAll = std::make_index_sequence<kBatch>();
  const FromArray x{a};
  auto max = all_equal<kBatch>(-std::numeric_limits<float>::infinity()), zeros = all_equal<kBatch>(0.0f);
  size_t i = 0;
  for (; i + kBatch * lanes <= n; i += kBatch * lanes) {
    const auto v = load_batch(kAll, d, x, i);
    max = each([](auto m, auto u) TANDEM_LAMBDA { return hn::Max(m, u); }, max, v);
    zeros = mul_add(v, hn::Zero(d), zeros);
  }
  for (; i < n; i += lanes) {
    const size_t count = std::min(lanes, n - i);
    const auto part = x.load(d, i, count);
    zeros.v[0] = hn::MulAdd(part, hn::Zero(d), zeros.v[0]);
    max.v[0] = hn::Max(max.v[0],
                       hn::IfThenElse(hn::FirstN(d, count), part, hn::Set(d, -std::numeric_limits<float>::infinity())));
  }
  const double clean = over_lanes<ReduceFn::sum>(zeros);
  if (std::isnan(clean)) return clean;
  hn::Vec<F32> most = max.v[0];
  for (int j = 1; j < kBatch; ++j) most = hn::Max(most, max.v[j]);
  return static_cast<double>(hn::GetLane(hn::MaxOfLanes(d, most)));
}

// a[0 .. n) and b[0 .. n) combined into `into`.
template <ReduceFn kFn>
HWY_INLINE void reduce_run_of(const float* a, const float* b, size_t n, Partial& into) {
  if constexpr (kFn == ReduceFn::max) {
    const double max = max_of_finite(a, n);
    if (!std::isnan(max)) {
      into.value[0] = larger(into.value[0], max);
      return;
    }
  }
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  constexpr int kBatch = kSmallBatch;
  constexpr auto kAll = std::make_index_sequence<kBatch>();
  const FromArray x{a}, y{takes_two(kFn) ? b : a};
  auto many = nothing_yet<kFn, kBatch>();
  auto one = nothing_yet<kFn, 1>();
  size_t i = 0;
  for (; i + kBatch * lanes <= n; i += kBatch * lanes)
    accumulate<kFn>(many, load_batch(kAll, d, x, i), load_batch(kAll, d, y, i));
  for (; i < n; i += lanes) {
    const size_t count = std::min(lanes, n - i);
    auto v = x.load(d, i, count);
    // Beyond the end: zeros add nothing, and -inf is no maximum.
    if constexpr (kFn == ReduceFn::max)
      v = hn::IfThenElse(hn::FirstN(d, count), v, hn::Set(d, -std::numeric_limits<float>::infinity()));
    accumulate<kFn>(one, Batch<F32, 1>{{v}}, Batch<F32, 1>{{y.load(d, i, count)}});
  }
  if constexpr (kFn == ReduceFn::max) {
    into.value[0] = larger(into.value[0], larger(max_over_lanes(many.first), max_over_lanes(one.first)));
  } else {
    const bool short_run = n < kBatch * lanes;  // `many` is nothing yet
    const auto of = [short_run](const Batch<F32, kBatch>& m, const Batch<F32, 1>& o)
                        TANDEM_LAMBDA { return (short_run ? 0.0 : over_lanes<kFn>(m)) + over_lanes<kFn>(o); };
    into.value[0] += of(many.first, one.first);
    if constexpr (kFn == ReduceFn::cosine_similarity) {
      into.value[1] += of(many.second, one.second);
      into.value[2] += of(many.third, one.third);
    }
  }
}

// One output a row: of `rows` rows of n elements, a_row and b_row apart, n within one piece; outputs out_step apart.
template <ReduceFn kFn>
HWY_INLINE void reduce_rows_of(const float* a, std::int64_t a_row, const float* b, std::int64_t b_row, size_t n,
                               float* out, std::int64_t out_step, std::int64_t rows) {
  for (std::int64_t r = 0; r < rows; ++r) {
    Partial total = empty_partial(kFn);
    reduce_run_of<kFn>(a + r * a_row, b + r * b_row, n, total);
    out[r * out_step] = result(kFn, total);
  }
}

// The result of a function from its totals.
template <ReduceFn kFn, int N>
HWY_INLINE Batch<F32, N> result_of(const Totals<N>& t) {
  const auto root = [](const Batch<F32, N>& b)
                        HWY_ATTR { return each([](auto v) TANDEM_LAMBDA { return hn::Sqrt(v); }, b); };
  if constexpr (kFn == ReduceFn::euclidean_distance) return root(t.first);
  if constexpr (kFn == ReduceFn::cosine_similarity) return div(t.first, mul(root(t.second), root(t.third)));
  return t.first;
}

// One output a lane: out[i] for i < count from a[i + j a_step], b[i + j b_step], j < n. Sums of 128 terms are summed,
// so that the error grows with n / 128.
template <ReduceFn kFn, int kBatch>
HWY_INLINE void reduce_lanes(const float* a, std::int64_t a_step, const float* b, std::int64_t b_step, std::int64_t n,
                             float* out, size_t count) {
  constexpr std::int64_t kTerms = 128;
  const F32 d;
  const bool whole = count == kBatch * hn::Lanes(d);
  const auto load = [d, whole, count](const float* p) TANDEM_LAMBDA {
    if (!whole) return Batch<F32, kBatch>{{load_part(d, p, count)}};  // kBatch is 1
    return load_batch(std::make_index_sequence<kBatch>(), d, FromArray{p}, 0);
  };
  const auto give = [d, whole, count, out](const Batch<F32, kBatch>& v) TANDEM_LAMBDA {
    if (whole) return store_batch<false>(std::make_index_sequence<kBatch>(), d, v, out);
    store_part(v.v[0], d, out, count);
  };
  // As max_of_finite() does; what is not finite is decided for each lane by itself, so that an output never depends on
  // its neighbours (of two zeros with different signs the two ways give different ones).
  auto finite = all_equal<kBatch>(-std::numeric_limits<float>::infinity()), zeros = all_equal<kBatch>(0.0f);
  if constexpr (kFn == ReduceFn::max) {
    for (std::int64_t j = 0; j < n; ++j) {
      const auto x = load(a + j * a_step);
      finite = each([](auto m, auto u) TANDEM_LAMBDA { return hn::Max(m, u); }, finite, x);
      zeros = mul_add(x, hn::Zero(d), zeros);
    }
    hn::Vec<F32> clean = zeros.v[0];
    for (int i = 1; i < kBatch; ++i) clean = hn::Add(clean, zeros.v[i]);
    if (hn::AllFalse(d, hn::IsNaN(clean))) return give(finite);
  }
  auto total = nothing_yet<kFn, kBatch>();
  for (std::int64_t begin = 0; begin < n; begin += kTerms) {
    auto part = nothing_yet<kFn, kBatch>();
    for (std::int64_t j = begin; j < std::min(n, begin + kTerms); ++j) {
      const auto x = load(a + j * a_step);
      accumulate<kFn>(part, x, takes_two(kFn) ? load(b + j * b_step) : x);
    }
    total = merged<kFn>(total, part);
  }
  auto result = result_of<kFn>(total);
  if constexpr (kFn == ReduceFn::max)
    result = each([](auto f, auto z, auto m) TANDEM_LAMBDA { return hn::IfThenElse(hn::IsNaN(z), m, f); }, finite,
                  zeros, result);
  give(one_nan(d, result));
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
