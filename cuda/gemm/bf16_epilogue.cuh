// What becomes of a finished f32 sum of bf16 products: activation(alpha * sum + beta * c + bias), rounded once where
// the result is bf16. The steps are those of cuda/gemm/epilogue.cuh.
#pragma once

#include <cstdint>

#include <cuda_bf16.h>

#include "cuda/bf16.cuh"
#include "cuda/gemm/epilogue.cuh"
#include "cuda/vector.cuh"

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

/// alpha * sum + beta * c + bias of element (i, j); `at` is its place in c.
__device__ __forceinline__ float before_activation(const MatmulArgs& args, float sum, std::int64_t at, std::int64_t i,
                                                   std::int64_t j) {
  float old = 0.0f;
  if (args.beta != 0.0f)
    old = args.result == DType::f32 ? static_cast<const float*>(args.c.data)[at]
                                    : bf16_value(static_cast<const std::uint16_t*>(args.c.data)[at]);
  return scale_and_add(args, sum, &old, i, j);
}

/// Computes and stores element (i, j) of the batch item whose matrix begins at offset `c`.
__device__ __forceinline__ void finish(const MatmulArgs& args, float sum, std::int64_t c, std::int64_t i,
                                       std::int64_t j) {
  const std::int64_t at = c + i * args.c.row + j * args.c.col;
  const float value = apply(args.activation, before_activation(args, sum, at, i, j));
  if (args.result == DType::f32)
    static_cast<float*>(args.c.data)[at] = value;
  else
    static_cast<std::uint16_t*>(args.c.data)[at] = bf16_bits(value);
}

/// Sums of a part of a tile in shared memory, at element (i0, j0) of the result; `c` is where the batch item begins.
struct StagedBf16Sums {
  const std::uint32_t* sums;
  int pitch, rows, cols;  // what exists of it
  std::int64_t c, i0, j0;
};

/// Stores `lines` rows of 32 elements by one warp. Where the activation takes a few instructions, four elements of a
/// row a lane; else a lane an element, so that its code exists once.
__device__ __forceinline__ void store_rows(const MatmulArgs& args, const StagedBf16Sums& part, int lines, int lane) {
  lines = ::min(lines, part.rows);
  const bool clamp = args.activation == Activation::relu;
  if (clamp || args.activation == Activation::none) {
    const int col = lane % 8 * 4, cols = ::min(part.cols - col, 4);
    if (cols <= 0) return;
    const std::int64_t j = part.j0 + col;
#pragma unroll 1
    for (int row = lane / 8; row < lines; row += 4) {
      const std::int64_t i = part.i0 + row, at = part.c + i * args.c.row + j * args.c.col;
      const float4 sums = *reinterpret_cast<const float4*>(part.sums + row * part.pitch + col);
      float v[4] = {sums.x, sums.y, sums.z, sums.w};
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        if (e < cols) v[e] = before_activation(args, v[e], at + e * args.c.col, i, j + e);
        if (clamp) v[e] = relu(v[e]);
      }
      if (args.result == DType::f32) {
        store_four(static_cast<float*>(args.c.data) + at, args.c.col, v, cols);
      } else {
        const std::uint16_t bits[4] = {bf16_bits(v[0]), bf16_bits(v[1]), bf16_bits(v[2]), bf16_bits(v[3])};
        store_four(static_cast<std::uint16_t*>(args.c.data) + at, args.c.col, bits, cols);
      }
    }
    return;
  }
  if (lane >= part.cols) return;
#pragma unroll 1
  for (int row = 0; row < lines; ++row)
    finish(args, __uint_as_float(part.sums[row * part.pitch + lane]), part.c, part.i0 + row, part.j0 + lane);
}

}  // namespace tandem::cuda
