// What becomes of a finished sum: activation(alpha * sum + beta * c + bias), and where the operands of a batch item
// are.
#pragma once

#include <cstdint>

#include "common/ops/matmul.h"
#include "cuda/loops.cuh"
#include "cuda/math.cuh"

namespace tandem::cuda {

/// The matrices of one batch item.
struct Item {
  const float* a;
  const float* b;
  float* c;
};

__device__ __forceinline__ Item item_of(const MatmulArgs& args, std::int64_t index) {
  std::int64_t at[3];
  offsets_of(args.batch, index, at);
  return {static_cast<const float*>(args.a.data) + at[0], static_cast<const float*>(args.b.data) + at[1],
          static_cast<float*>(args.c.data) + at[2]};
}

/// Everything before the activation. `c` is read only when beta is not 0.
__device__ __forceinline__ float scale_and_add(const MatmulArgs& args, float sum, const float* c, std::int64_t i,
                                               std::int64_t j) {
  float value = __fmul_rn(args.alpha, sum);
  if (args.beta != 0.0f) value = __fmaf_rn(args.beta, *c, value);
  if (args.bias.data)
    value = __fadd_rn(value, static_cast<const float*>(args.bias.data)[i * args.bias.row + j * args.bias.col]);
  return value;
}

/// Stores element (i, j) of the result; `c` is its address.
__device__ __forceinline__ void finish(const MatmulArgs& args, float sum, float* c, std::int64_t i, std::int64_t j) {
  *c = apply(args.activation, scale_and_add(args, sum, c, i, j));
}

}  // namespace tandem::cuda
