// The parts of a softmax: the row's maximum and sum of exponentials, held per thread and joined over lanes and warps.
#pragma once

#include <cmath>

#include <tandem/ops.h>

namespace tandem::cuda {

/// Maximum and sum of exp(x - maximum) of part of a row, kept up in one pass. A NaN in the row makes the sum NaN. A
/// part of -infinity only has sum 0: the final quotient then is NaN through x - maximum.
struct Running {
  float top = -INFINITY;
  float sum = 0.0f;

  /// Makes `value`'s scale the common one; returns what exp(x) must be taken relative to.
  __device__ __forceinline__ void raise(float value) {
    const float higher = fmaxf(top, value);
    if (higher == top) return;  // also keeps -infinity from being subtracted from itself
    sum *= expf(top - higher);
    top = higher;
  }
  __device__ __forceinline__ void add(float x) {
    // -infinity adds nothing; subtracted from a maximum of -infinity it would give NaN too early.
    sum += x == -INFINITY ? 0.0f : expf(x - top);
  }
  __device__ __forceinline__ void join(const Running& other) {
    const float higher = fmaxf(top, other.top);
    const float mine = top == higher ? sum : sum * expf(top - higher);
    const float theirs = other.top == higher ? other.sum : other.sum * expf(other.top - higher);
    top = higher;
    sum = mine + theirs;
  }
};

/// The value over `kLanes` neighbouring lanes; all of them get it.
template <int kLanes>
__device__ __forceinline__ float lanes_max(float v) {
#pragma unroll
  for (int d = kLanes / 2; d > 0; d /= 2) v = fmaxf(v, __shfl_xor_sync(0xffffffffu, v, d));
  return v;
}
template <int kLanes>
__device__ __forceinline__ float lanes_sum(float v) {
#pragma unroll
  for (int d = kLanes / 2; d > 0; d /= 2) v += __shfl_xor_sync(0xffffffffu, v, d);
  return v;
}
__device__ __forceinline__ Running lanes_join(Running v) {
#pragma unroll
  for (int d = 16; d > 0; d /= 2)
    v.join({__shfl_xor_sync(0xffffffffu, v.top, d), __shfl_xor_sync(0xffffffffu, v.sum, d)});
  return v;
}

/// The result for one element.
struct Finish {
  bool log;
  float top, sum, log_sum;
  __device__ Finish(SoftmaxFn fn, float top_, float sum_)
      : log(fn == SoftmaxFn::log_softmax), top(top_), sum(sum_), log_sum(log ? logf(sum_) : 0.0f) {}
  __device__ __forceinline__ float operator()(float x) const { return log ? (x - top) - log_sum : expf(x - top) / sum; }
};

}  // namespace tandem::cuda
