// What becomes of a finished f32 sum of bf16 products: activation(alpha * sum + beta * c + bias), rounded once where
// the result is bf16. The steps are those of cuda/gemm/epilogue.cuh.
#pragma once

#include <cstdint>

#include <cuda_bf16.h>

#include "cuda/bf16.cuh"
#include "cuda/gemm/epilogue.cuh"

namespace tandem::cuda {

/// The matrices of one batch item; bf16 as bits. `c` is an offset, since the result is of either type.
struct Bf16Item {
  const std::uint16_t* a;
  const std::uint16_t* b;
  std::int64_t c;
};

__device__ __forceinline__ Bf16Item bf16_item_of(const MatmulArgs& args, std::int64_t index) {
  std::int64_t at[3];
  offsets_of(args.batch, index, at);
  return {static_cast<const std::uint16_t*>(args.a.data) + at[0],
          static_cast<const std::uint16_t*>(args.b.data) + at[1], at[2]};
}

/// Stores element (i, j) of the batch item whose matrix begins at offset `c`.
__device__ __forceinline__ void finish(const MatmulArgs& args, float sum, std::int64_t c, std::int64_t i,
                                       std::int64_t j) {
  const std::int64_t at = c + i * args.c.row + j * args.c.col;
  float* const wide = static_cast<float*>(args.c.data) + at;
  std::uint16_t* const narrow = static_cast<std::uint16_t*>(args.c.data) + at;
  const bool is_wide = args.result == DType::f32;
  float old = 0.0f;
  if (args.beta != 0.0f) old = is_wide ? *wide : bf16_value(*narrow);
  const float value = apply(args.activation, scale_and_add(args, sum, &old, i, j));
  if (is_wide)
    *wide = value;
  else
    *narrow = __bfloat16_as_ushort(__float2bfloat16_rn(value));
}

}  // namespace tandem::cuda
