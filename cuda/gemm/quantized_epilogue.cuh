// What becomes of a finished sum of integer products: the steps that QuantizedMatmulArgs lists, each f32 one rounded
// once, so that every kernel gives the same bits.
#pragma once

#include <cstdint>

#include "common/ops/quantized_matmul.h"
#include "cuda/math.cuh"
#include "cuda/vector.cuh"

namespace tandem::cuda {

template <class T>
__device__ __forceinline__ T value_at(const QuantizedMatmulArgs::Vector<T>& v, std::int64_t i, T absent) {
  return v.data ? v.data[i * v.stride] : absent;
}

/// Sums over k of what one element of the result is made of: of products of a and b, and, where zero points need them,
/// of the row of a and of the column of b. They may wrap; the result does not.
struct RawSums {
  std::uint32_t products = 0, row_of_a = 0, column_of_b = 0;
};

/// What the elements of one column of the result share.
struct ResultColumn {
  float scale, bias_f32;
  std::int32_t bias_s32, zero_point;
};
__device__ __forceinline__ ResultColumn column_of(const QuantizedMatmulArgs& args, std::int64_t j) {
  return {value_at(args.sb, j, 1.0f), value_at(args.bias_f32, j, 0.0f), value_at(args.bias_s32, j, 0),
          value_at(args.zb, j, 0)};
}

/// round(acc * multiplier) + zero point within the range of the result; NaN counts as 0. `multiplier`: the scale of the
/// sum over that of the result. Without instructions that convert, of which a multiprocessor does 16 a clock: bounds
/// are integers, so clamping may come before rounding, and adding 1.5 * 2^23 rounds to an integer, ties to even, and
/// leaves it in the low bits.
__device__ __forceinline__ std::int32_t requantized(const QuantizedMatmulArgs& args, std::int32_t acc,
                                                    float multiplier) {
  constexpr float kMagic = 12582912.0f;
  constexpr std::int32_t kMagicBits = 0x4b400000;
  float value = __fmul_rn(__int2float_rn(acc), multiplier);
  if (isnan(value)) value = 0.0f;
  value = fminf(fmaxf(value, __int2float_rn(args.range.low - args.result_zero_point)),
                __int2float_rn(args.range.high - args.result_zero_point));
  return __float_as_int(__fadd_rn(value, kMagic)) - kMagicBits + args.result_zero_point;
}

/// sum of (a - za)(b - zb), from sums of a b, a and b.
__device__ __forceinline__ std::uint32_t apply_zero_points(const RawSums& sums, std::int32_t za, std::int32_t zb,
                                                           std::int64_t k) {
  const auto ua = static_cast<std::uint32_t>(za), ub = static_cast<std::uint32_t>(zb);
  return sums.products - ua * sums.column_of_b - ub * sums.row_of_a + static_cast<std::uint32_t>(k) * ua * ub;
}

/// Stores element (i, j) from its sum of products, zero points included; `column` is that of j.
__device__ __forceinline__ void finish(const QuantizedMatmulArgs& args, std::uint32_t sum, const ResultColumn& column,
                                       std::int64_t i, std::int64_t j) {
  const auto acc = static_cast<std::int32_t>(sum + static_cast<std::uint32_t>(column.bias_s32));
  const std::int64_t at = i * args.c.row + j * args.c.col;
  if (args.result == DType::s32) {
    static_cast<std::int32_t*>(args.c.data)[at] = ::max(acc, args.range.low);
    return;
  }
  const float scale = __fmul_rn(value_at(args.sa, i, 1.0f), column.scale);
  if (args.result != DType::f32) {  // the bytes of s8 and u8 are those of the s32
    static_cast<std::uint8_t*>(args.c.data)[at] =
        static_cast<std::uint8_t>(requantized(args, acc, __fdiv_rn(scale, args.result_scale)));
    return;
  }
  float value = __fmul_rn(__int2float_rn(acc), scale);
  if (args.bias_f32.data) value = __fadd_rn(value, column.bias_f32);
  static_cast<float*>(args.c.data)[at] = apply(args.activation, value);
}

/// Whether the elements of a column of the result lie closer to each other than those of a row: lanes that store side
/// by side then take the elements of one column.
__device__ __forceinline__ bool stores_columns(const QuantizedMatmulArgs& args) { return args.c.row < args.c.col; }

/// Sums of a part of a tile in shared memory (those of a and b only where there are zero points), at element (i0, j0)
/// of the result. A line of `pitch` words is a row of the result, or a column where stores_columns(); a warp stores 32
/// elements of it.
struct StagedSums {
  const std::uint32_t* products;
  const std::uint32_t* rows_of_a;
  const std::uint32_t* columns_of_b;
  int pitch, rows, cols;  // what exists of it
  std::int64_t i0, j0;
};

/// Stores `lines` rows by one warp, four elements of a row a lane. Activations of a few instructions only, since their
/// code is repeated; the pitch is a multiple of 4.
__device__ __forceinline__ void store_rows(const QuantizedMatmulArgs& args, const StagedSums& part, int lines,
                                           int lane) {
  const int first = lane / 8, col = lane % 8 * 4, cols = ::min(part.cols - col, 4);
  lines = ::min(lines, part.rows);
  if (part.cols <= 0) return;
  if (cols <= 0) lines = 0;  // no early end: the lanes of a warp stay together
  const std::int64_t i0 = part.i0 + first, j = part.j0 + col;
  const bool shifted = args.za.data || args.zb.data;
  const bool one_scale = !args.sa.data || args.sa.stride == 0;
  const float scale_of_a = one_scale ? value_at(args.sa, 0, 1.0f) : 1.0f;
  ResultColumn columns[4];
#pragma unroll
  for (int e = 0; e < 4; ++e) {
    columns[e] = column_of(args, part.j0 + ::min(col + e, part.cols - 1));
    columns[e].scale = one_scale ? __fmul_rn(scale_of_a, columns[e].scale) : columns[e].scale;
  }
  const auto for_each_row = [&](auto&& store) {
#pragma unroll 2
    for (int row = first; row < lines; row += 4) {
      std::uint32_t sums[4];
      *reinterpret_cast<uint4*>(sums) = *reinterpret_cast<const uint4*>(part.products + row * part.pitch + col);
      if (shifted) {
        const std::int32_t za = value_at(args.za, part.i0 + row, 0);
#pragma unroll
        for (int e = 0; e < 4; ++e)
          sums[e] = apply_zero_points({sums[e], part.rows_of_a[row], part.columns_of_b[col + e]}, za,
                                      columns[e].zero_point, args.k);
      }
      std::int32_t acc[4];
#pragma unroll
      for (int e = 0; e < 4; ++e)
        acc[e] = static_cast<std::int32_t>(sums[e] + static_cast<std::uint32_t>(columns[e].bias_s32));
      store(acc, row);
    }
  };
  const auto scales_of = [&](int row, float(&scales)[4]) {
    const float sa = one_scale ? 1.0f : value_at(args.sa, part.i0 + row, 1.0f);
#pragma unroll
    for (int e = 0; e < 4; ++e) scales[e] = one_scale ? columns[e].scale : __fmul_rn(sa, columns[e].scale);
  };
  if (args.result == DType::s32) {
    FourOfRows<std::int32_t> to(static_cast<std::int32_t*>(args.c.data), args.c.row, args.c.col, i0, j, cols);
    for_each_row([&](std::int32_t(&acc)[4], int) {
#pragma unroll
      for (int e = 0; e < 4; ++e) acc[e] = ::max(acc[e], args.range.low);
      to.put(acc);
    });
  } else if (args.result == DType::f32) {
    const bool clamp = args.activation == Activation::relu, biased = args.bias_f32.data != nullptr;
    FourOfRows<float> to(static_cast<float*>(args.c.data), args.c.row, args.c.col, i0, j, cols);
    for_each_row([&](const std::int32_t(&acc)[4], int row) {
      float scales[4], values[4];
      scales_of(row, scales);
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        values[e] = __fmul_rn(__int2float_rn(acc[e]), scales[e]);
        if (biased) values[e] = __fadd_rn(values[e], columns[e].bias_f32);
        if (clamp) values[e] = relu(values[e]);
      }
      to.put(values);
    });
  } else {
    float multipliers[4];
#pragma unroll
    for (int e = 0; e < 4; ++e) multipliers[e] = __fdiv_rn(columns[e].scale, args.result_scale);
    FourOfRows<std::uint8_t> to(static_cast<std::uint8_t*>(args.c.data), args.c.row, args.c.col, i0, j, cols);
    for_each_row([&](const std::int32_t(&acc)[4], int row) {
      if (!one_scale) {
        float scales[4];
        scales_of(row, scales);
#pragma unroll
        for (int e = 0; e < 4; ++e) multipliers[e] = __fdiv_rn(scales[e], args.result_scale);
      }
      std::uint8_t bytes[4];
#pragma unroll
      for (int e = 0; e < 4; ++e) bytes[e] = static_cast<std::uint8_t>(requantized(args, acc[e], multipliers[e]));
      to.put(bytes);
    });
  }
}

/// Stores `lines` lines by one warp.
__device__ __forceinline__ void store_lines(const QuantizedMatmulArgs& args, const StagedSums& part, int lines,
                                            int lane) {
  const bool columns = stores_columns(args);
  if (!columns && (args.activation == Activation::none || args.activation == Activation::relu)) {
    store_rows(args, part, lines, lane);
    return;
  }
  // A lane an element, one line after the other: the code of the activation exists once.
  if (lane >= (columns ? part.rows : part.cols)) return;
  lines = ::min(lines, columns ? part.cols : part.rows);
  const bool shifted = args.za.data || args.zb.data;
  ResultColumn column = {};
  std::uint32_t of_b = 0;
#pragma unroll 1
  for (int line = 0; line < lines; ++line) {
    const int row = columns ? lane : line, col = columns ? line : lane;
    const std::int64_t i = part.i0 + row, j = part.j0 + col;
    if (columns || line == 0) {
      column = column_of(args, j);
      if (shifted) of_b = part.columns_of_b[col];
    }
    std::uint32_t sum = part.products[line * part.pitch + lane];
    if (shifted)
      sum = apply_zero_points({sum, part.rows_of_a[row], of_b}, value_at(args.za, i, 0), column.zero_point, args.k);
    finish(args, sum, column, i, j);
  }
}

}  // namespace tandem::cuda
