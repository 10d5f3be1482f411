// The reductions of tandem/ops.h as terms, their joining and a last step; and a kernel that computes them over any
// strides.
#pragma once

#include <cmath>

#include "common/ops/reduce.h"
#include "cuda/launch.h"
#include "cuda/loops.cuh"

namespace tandem::cuda {

/// a b, a a and b b, summed side by side.
struct Products {
  float ab, aa, bb;
};

template <ReduceFn kFn>
struct Reduction {
  using Partial = std::conditional_t<kFn == ReduceFn::cosine_similarity, Products, float>;
  static constexpr bool kTakesTwo = takes_two(kFn);

  __host__ __device__ static Partial nothing() {
    if constexpr (kFn == ReduceFn::cosine_similarity)
      return {0.0f, 0.0f, 0.0f};
    else
      return kFn == ReduceFn::max ? -INFINITY : 0.0f;
  }
  __device__ static Partial term(float a, float b) {
    if constexpr (kFn == ReduceFn::cosine_similarity)
      return {a * b, a * a, b * b};
    else if constexpr (kFn == ReduceFn::dot)
      return a * b;
    else if constexpr (kFn == ReduceFn::euclidean_distance)
      return (a - b) * (a - b);
    else
      return a;
  }
  __host__ __device__ static Partial join(const Partial& x, const Partial& y) {
    if constexpr (kFn == ReduceFn::cosine_similarity)
      return {x.ab + y.ab, x.aa + y.aa, x.bb + y.bb};
    else if constexpr (kFn == ReduceFn::max)
      return x > y || x != x ? x : y;  // a NaN on either side stays
    else
      return x + y;
  }
  __device__ static float finish(const Partial& x) {
    if constexpr (kFn == ReduceFn::cosine_similarity)
      return x.ab / (sqrtf(x.aa) * sqrtf(x.bb));
    else if constexpr (kFn == ReduceFn::euclidean_distance)
      return sqrtf(x);
    else
      return x;
  }
};

__device__ __forceinline__ float exchange(float v, int distance) { return __shfl_down_sync(0xffffffffu, v, distance); }
__device__ __forceinline__ Products exchange(const Products& v, int distance) {
  return {exchange(v.ab, distance), exchange(v.aa, distance), exchange(v.bb, distance)};
}

inline constexpr int kReduceThreads = 256;

/// kThreadsRow (32 or the whole block) threads an output, any strides. The order is fixed: each thread takes every
/// kThreadsRow-th element, then lanes and warps are joined in a tree.
template <ReduceFn kFn, int kThreadsRow>
__global__ void __launch_bounds__(kReduceThreads)
    reduce_strided(const __grid_constant__ ReduceArgs args, std::int64_t first_output) {
  using R = Reduction<kFn>;
  constexpr int kOutputs = kReduceThreads / kThreadsRow;
  const std::int64_t output =
      first_output + static_cast<std::int64_t>(blockIdx.x) * kOutputs + threadIdx.x / kThreadsRow;
  const bool exists = output < args.outer.elements;
  std::int64_t base[3];
  offsets_of(args.outer, exists ? output : first_output, base);
  const float* a = static_cast<const float*>(args.a) + base[0];
  const float* b = R::kTakesTwo ? static_cast<const float*>(args.b) + base[1] : a;
  const int thread = static_cast<int>(threadIdx.x) % kThreadsRow;
  typename R::Partial part = R::nothing();
  if (exists) {
    for (std::int64_t i = thread; i < args.inner.elements; i += kThreadsRow) {
      std::int64_t at[2];
      offsets_of(args.inner, i, at);
      part = R::join(part, R::term(a[at[0]], b[R::kTakesTwo ? at[1] : at[0]]));
    }
  }
#pragma unroll
  for (int d = 16; d > 0; d /= 2) part = R::join(part, exchange(part, d));
  if constexpr (kThreadsRow > 32) {
    __shared__ typename R::Partial parts[kThreadsRow / 32];
    if (thread % 32 == 0) parts[thread / 32] = part;
    __syncthreads();
    if (thread == 0)
      for (int w = 1; w < kThreadsRow / 32; ++w) part = R::join(part, parts[w]);
  }
  if (exists && thread == 0) static_cast<float*>(args.out)[base[2]] = R::finish(part);
}

template <ReduceFn kFn, int kThreadsRow>
Code launch_strided(const ReduceArgs& args, const Queue& queue) {
  constexpr int kOutputs = kReduceThreads / kThreadsRow;
  return in_ranges(args.outer.elements, kMaxGridX * kOutputs, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kOutputs), kReduceThreads, reduce_strided<kFn, kThreadsRow>, args, first);
  });
}

/// Calls run.template operator()<fn>() for the function chosen at run time.
template <class Run>
Code with_reduction(ReduceFn fn, Run&& run) {
  switch (fn) {
    case ReduceFn::sum:
      return run.template operator()<ReduceFn::sum>();
    case ReduceFn::max:
      return run.template operator()<ReduceFn::max>();
    case ReduceFn::dot:
      return run.template operator()<ReduceFn::dot>();
    case ReduceFn::euclidean_distance:
      return run.template operator()<ReduceFn::euclidean_distance>();
    case ReduceFn::cosine_similarity:
      return run.template operator()<ReduceFn::cosine_similarity>();
  }
  return Code::internal;
}

}  // namespace tandem::cuda
