// Softmax and log-softmax of rows of f32. Include after cpu/simd/simd.h, once a target.
//
// A NaN, a row of -inf alone, and +inf make e^(x - max) NaN somewhere, hence the sum and the whole row.
#if defined(TANDEM_CPU_LOOPS_SOFTMAX_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef TANDEM_CPU_LOOPS_SOFTMAX_INL_H_
#undef TANDEM_CPU_LOOPS_SOFTMAX_INL_H_
#else
#define TANDEM_CPU_LOOPS_SOFTMAX_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>

#include <hwy/cache_control.h>
#include <hwy/highway.h>

#include "cpu/loops/map-inl.h"
#include "cpu/loops/walk.h"
#include "cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using VF32 = hn::Vec<F32>;

// The elements of a partial vector, -inf in the lanes beyond: no maximum, and no part of a sum of exponentials.
HWY_INLINE VF32 load_row_end(F32 d, const float* p, size_t n) {
  return hn::IfThenElse(hn::FirstN(d, n), load_part(d, p, n), hn::Set(d, -std::numeric_limits<float>::infinity()));
}

// One vector of all batch members combined, then its lanes; in every lane of the result.
template <int N>
HWY_INLINE VF32 max_of(F32 d, const Batch<F32, N>& b) {
  VF32 v = b.v[0];
  for (int i = 1; i < N; ++i) v = hn::Max(v, b.v[i]);
  return hn::MaxOfLanes(d, v);
}
template <int N>
HWY_INLINE VF32 sum_of(F32 d, const Batch<F32, N>& b) {
  VF32 v = b.v[0];
  for (int i = 1; i < N; ++i) v = hn::Add(v, b.v[i]);
  return hn::SumOfLanes(d, v);
}
template <int N>
HWY_INLINE Batch<F32, N> splat(VF32 v) {
  Batch<F32, N> b;
  for (auto& each_vector : b.v) each_vector = v;
  return b;
}

// What a row becomes once its maximum and sum are known.
template <bool kLog>
struct Finish {
  VF32 max, scale;  // scale: 1/sum, or log(sum)
  HWY_INLINE Finish(F32 d, VF32 row_max, VF32 sum)
      : max(row_max), scale(kLog ? vlog(d, sum) : hn::Div(hn::Set(d, 1.0f), sum)) {}
  // From x for log-softmax, from e^(x - max) for softmax.
  template <int N>
  HWY_INLINE Batch<F32, N> operator()(const Batch<F32, N>& v) const {
    if constexpr (kLog) {
      return sub(sub(v, max), scale);
    } else {
      return mul(v, scale);
    }
  }
};

// Rows of at most one vector, kRows of them in step. x_row and y_row: from one row to the next.
template <bool kLog, int kRows>
HWY_INLINE void softmax_short_rows(const float* x, std::int64_t x_row, float* y, std::int64_t y_row, size_t n) {
  const F32 d;
  Batch<F32, kRows> v, max, sum;
  for (int r = 0; r < kRows; ++r) v.v[r] = load_row_end(d, x + r * x_row, n);
  for (int r = 0; r < kRows; ++r) max.v[r] = hn::MaxOfLanes(d, v.v[r]);
  const auto difference = sub(v, max);
  const auto e = exp_below_90(d, difference);
  for (int r = 0; r < kRows; ++r) sum.v[r] = hn::SumOfLanes(d, e.v[r]);
  const auto result = kLog ? sub(difference, vlog(d, sum)) : div(e, sum);
  for (int r = 0; r < kRows; ++r) store_part(result.v[r], d, y + r * y_row, n);
}

// A row of kVectors vectors, the last of them in part or whole, which stays in registers.
template <bool kLog, int kVectors>
HWY_INLINE void softmax_few_vectors(const float* x, float* y, size_t n) {
  const F32 d;
  const size_t lanes = hn::Lanes(d), end = (kVectors - 1) * lanes;
  Batch<F32, kVectors> v;
  for (int j = 0; j + 1 < kVectors; ++j) v.v[j] = hn::LoadU(d, x + static_cast<size_t>(j) * lanes);
  v.v[kVectors - 1] = load_row_end(d, x + end, n - end);
  const auto difference = sub(v, max_of(d, v));
  const auto e = exp_below_90(d, difference);
  const VF32 sum = sum_of(d, e);
  const auto result = kLog ? sub(difference, vlog(d, sum)) : mul(e, hn::Div(hn::Set(d, 1.0f), sum));
  for (int j = 0; j + 1 < kVectors; ++j) hn::StoreU(result.v[j], d, y + static_cast<size_t>(j) * lanes);
  store_part(result.v[kVectors - 1], d, y + end, n - end);
}

// A row of any length, contiguous.
template <bool kLog>
HWY_INLINE void softmax_row(const float* x, float* y, size_t n) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  constexpr int kBatch = kSmallBatch;
  constexpr auto kAll = std::make_index_sequence<kBatch>();
  const FromArray in{x};
  const size_t batches_end = n - n % (kBatch * lanes), vectors_end = n - n % lanes;

  auto maxima = splat<kBatch>(hn::Set(d, -std::numeric_limits<float>::infinity()));
  size_t i = 0;
  for (; i < batches_end; i += kBatch * lanes)
    maxima = each([](auto a, auto b) TANDEM_LAMBDA { return hn::Max(a, b); }, maxima, load_batch(kAll, d, in, i));
  for (; i < vectors_end; i += lanes) maxima.v[0] = hn::Max(maxima.v[0], in.load(d, i));
  if (i < n) maxima.v[0] = hn::Max(maxima.v[0], load_row_end(d, x + i, n - i));
  const VF32 max = max_of(d, maxima);

  auto sums = splat<kBatch>(hn::Zero(d));
  for (i = 0; i < batches_end; i += kBatch * lanes) {
    const auto e = exp_below_90(d, sub(load_batch(kAll, d, in, i), max));
    sums = add(sums, e);
    if constexpr (!kLog) store_batch<false>(kAll, d, e, y + i);
  }
  for (; i < n; i += lanes) {
    const size_t count = std::min(lanes, n - i);
    const auto e = exp_below_90(d, Batch<F32, 1>{{hn::Sub(load_row_end(d, x + i, count), max)}});
    sums.v[0] = hn::Add(sums.v[0], e.v[0]);
    if constexpr (!kLog) store_part(e.v[0], d, y + i, count);
  }
  const Finish<kLog> finish(d, max, sum_of(d, sums));
  map_range<kBatch, false>(0, n, y, finish, FromArray{kLog ? x : y});
}

// `count` neighbouring rows whose elements are x_step and y_step apart, one row a lane.
template <bool kLog, int kBatch>
HWY_INLINE void softmax_lanes(const float* x, std::int64_t x_step, float* y, std::int64_t y_step, std::int64_t n,
                              size_t count) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  const auto load = [d, lanes, count](const float* p) TANDEM_LAMBDA {
    if (count < kBatch * lanes) return splat<kBatch>(load_part(d, p, count));  // kBatch is 1
    return load_batch(std::make_index_sequence<kBatch>(), d, FromArray{p}, 0);
  };
  const auto store = [d, lanes, count](const Batch<F32, kBatch>& v, float* p) TANDEM_LAMBDA {
    if (count < kBatch * lanes) return store_part(v.v[0], d, p, count);
    store_batch<false>(std::make_index_sequence<kBatch>(), d, v, p);
  };
  // Lines of rows to come: one row after the other lies further apart than the processor looks ahead by itself.
  const auto ahead = [n](const float* p, std::int64_t step, std::int64_t j) TANDEM_LAMBDA {
    constexpr std::int64_t kRows = 12;
    constexpr size_t kLine = 64 / sizeof(float);
    const float* row = p + std::min(j + kRows, n - 1) * step;
    for (size_t i = 0; i < kBatch * hn::Lanes(F32()); i += kLine) hwy::Prefetch(row + i);
  };
  auto max = load(x);
  for (std::int64_t j = 1; j < n; ++j) {
    ahead(x, x_step, j);
    max = each([](auto a, auto b) TANDEM_LAMBDA { return hn::Max(a, b); }, max, load(x + j * x_step));
  }
  auto sum = splat<kBatch>(hn::Zero(d));
  for (std::int64_t j = 0; j < n; ++j) {
    if (!kLog && y != x) ahead(y, y_step, j);
    const auto e = exp_below_90(d, sub(load(x + j * x_step), max));
    sum = add(sum, e);
    if constexpr (!kLog) store(e, y + j * y_step);
  }
  if constexpr (kLog) {
    const auto log = vlog(d, sum);
    for (std::int64_t j = 0; j < n; ++j) store(one_nan(d, sub(sub(load(x + j * x_step), max), log)), y + j * y_step);
  } else {
    const auto scale = div(splat<kBatch>(hn::Set(d, 1.0f)), sum);
    for (std::int64_t j = 0; j < n; ++j) store(one_nan(d, mul(load(y + j * y_step), scale)), y + j * y_step);
  }
}

// A row with any steps, through a buffer; the same arithmetic in other groups of elements.
template <bool kLog>
void softmax_strided_row(const float* x, std::int64_t x_step, float* y, std::int64_t y_step, std::int64_t n) {
  const F32 d;
  const size_t lanes = hn::Lanes(d);
  HWY_ALIGN float piece[kPiece];
  // f of each vector of p[0 .. count), -inf beyond the end; kPiece is a multiple of a vector.
  const auto vectors = [d, lanes](float* p, std::int64_t count, auto f) TANDEM_LAMBDA {
    for (std::int64_t i = count; i % static_cast<std::int64_t>(lanes) != 0; ++i)
      p[i] = -std::numeric_limits<float>::infinity();
    for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(lanes)) f(p + i);
  };
  const auto pieces = [&](const float* from, std::int64_t step, auto f) TANDEM_LAMBDA {
    for (std::int64_t at = 0; at < n; at += kPiece) {
      const std::int64_t count = std::min(kPiece, n - at);
      gather(from + at * step, piece, step, count);
      f(at, count);
    }
  };
  const auto scatter = [&](std::int64_t at, std::int64_t count) {
    for (std::int64_t i = 0; i < count; ++i) y[(at + i) * y_step] = piece[i];
  };
  VF32 maxima = hn::Set(d, -std::numeric_limits<float>::infinity()), sums = hn::Zero(d);
  pieces(x, x_step, [&](std::int64_t, std::int64_t count) TANDEM_LAMBDA {
    vectors(piece, count, [&](float* p) TANDEM_LAMBDA { maxima = hn::Max(maxima, hn::Load(d, p)); });
  });
  const VF32 max = hn::MaxOfLanes(d, maxima);
  pieces(x, x_step, [&](std::int64_t at, std::int64_t count) TANDEM_LAMBDA {
    vectors(piece, count, [&](float* p) TANDEM_LAMBDA {
      const VF32 e = exp_below_90(d, Batch<F32, 1>{{hn::Sub(hn::Load(d, p), max)}}).v[0];
      sums = hn::Add(sums, e);
      hn::Store(e, d, p);
    });
    if (!kLog) scatter(at, count);
  });
  const Finish<kLog> finish(d, max, hn::SumOfLanes(d, sums));
  pieces(kLog ? x : y, kLog ? x_step : y_step, [&](std::int64_t at, std::int64_t count) TANDEM_LAMBDA {
    vectors(piece, count,
            [&](float* p) TANDEM_LAMBDA { hn::Store(finish(Batch<F32, 1>{{hn::Load(d, p)}}).v[0], d, p); });
    scatter(at, count);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();
#endif
