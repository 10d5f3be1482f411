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

/// Four f32 values rounded to bf16.
__device__ __forceinline__ void round_four(const float (&v)[4], std::uint16_t (&out)[4]) {
  const __nv_bfloat162 low = __floats2bfloat162_rn(v[0], v[1]), high = __floats2bfloat162_rn(v[2], v[3]);
  memcpy(out, &low, sizeof(low));
  memcpy(out + 2, &high, sizeof(high));
  if (isnan(v[0]) | isnan(v[1]) | isnan(v[2]) | isnan(v[3])) {  // the instruction gives every NaN the same bits
#pragma unroll
    for (int e = 0; e < 4; ++e) out[e] = bf16_bits(v[e]);
  }
}

/// Stores `lines` rows of 32 elements by one warp. Where the activation takes a few instructions, four elements of a
/// row a lane; else a lane an element, so that its code exists once.
__device__ __forceinline__ void store_rows(const MatmulArgs& args, const StagedBf16Sums& part, int lines, int lane) {
  lines = ::min(lines, part.rows);
  if (args.activation != Activation::none && args.activation != Activation::relu) {
    if (lane >= part.cols) lines = 0;
#pragma unroll 1
    for (int row = 0; row < lines; ++row)
      finish(args, __uint_as_float(part.sums[row * part.pitch + lane]), part.c, part.i0 + row, part.j0 + lane);
    return;
  }
  const int first = lane / 8, col = lane % 8 * 4, cols = ::min(part.cols - col, 4);
  if (part.cols <= 0) return;
  if (cols <= 0) lines = 0;  // no early end: the lanes of a warp stay together
  const std::int64_t i0 = part.i0 + first, j = part.j0 + col;
  const bool clamp = args.activation == Activation::relu, biased = args.bias.data != nullptr;
  const float* const bias = static_cast<const float*>(args.bias.data) + i0 * args.bias.row + j * args.bias.col;
  float biases[4] = {};
  if (biased) {
#pragma unroll
    for (int e = 0; e < 4; ++e) biases[e] = bias[(::min(col + e, part.cols - 1) - col) * args.bias.col];
  }
  const auto for_each_row = [&](auto&& old, auto&& put) {
#pragma unroll 2
    for (int row = first; row < lines; row += 4) {
      float v[4];
      *reinterpret_cast<float4*>(v) = *reinterpret_cast<const float4*>(part.sums + row * part.pitch + col);
#pragma unroll
      for (int e = 0; e < 4; ++e) v[e] = __fmul_rn(args.alpha, v[e]);
      if (args.beta != 0.0f) {
#pragma unroll
        for (int e = 0; e < 4; ++e) v[e] = __fmaf_rn(args.beta, old(e), v[e]);
      }
      if (biased) {
        const float of_row = args.bias.row == 0 ? 0.0f : bias[(row - first) * args.bias.row];
#pragma unroll
        for (int e = 0; e < 4; ++e) v[e] = __fadd_rn(v[e], args.bias.row == 0 ? biases[e] : of_row);
      }
      if (clamp) {
#pragma unroll
        for (int e = 0; e < 4; ++e) v[e] = relu(v[e]);
      }
      put(v);
    }
  };
  if (args.result == DType::f32) {
    FourOfRows<float> to(static_cast<float*>(args.c.data) + part.c, args.c.row, args.c.col, i0, j, cols);
    for_each_row([&](int e) { return to.old(e); }, [&](const float(&v)[4]) { to.put(v); });
  } else {
    FourOfRows<std::uint16_t> to(static_cast<std::uint16_t*>(args.c.data) + part.c, args.c.row, args.c.col, i0, j,
                                 cols);
    for_each_row([&](int e) { return bf16_value(to.old(e)); },
                 [&](const float(&v)[4]) {
                   std::uint16_t bits[4];
                   round_four(v, bits);
                   to.put(bits);
                 });
  }
}

}  // namespace tandem::cuda
