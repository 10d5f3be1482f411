// What every operation should give, in double, from views of any strides. Shares no code with the library's kernels;
// it takes shapes and strides straight from the operands, not from Op::describe or Op::bind.
//
//   Oracle<Op> oracle(attributes, operands);      // inputs, then the result: its shape, and its old contents for beta
//   oracle.elements()                             // of the result
//   oracle.expect(begin, end, out)                // elements begin .. end-1 in row-major order of the result's shape
//   oracle.actual(result, offset)                 // an element of a result as a number that can be compared
//   oracle.expect_other(r, out)                   // all elements of result r of an operation with several, in the
//                                                 // order of its operands; the last one is the result above
//
// The operands must keep their values while the oracle is used: for a call that works in place, give copies.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include <tandem/tensor.h>

#include "common/ops/all.h"
#include "common/verify/bounds.h"

namespace tandem::verify {

/// |actual - value| <= bound. A NaN wants a NaN; an infinite bound accepts anything.
struct Expected {
  double value = 0;
  double bound = 0;
  bool saturated = false;  // an integer that had to be clamped
};

/// Element offsets of a view in row-major order of its shape, from a linear index; `dims` leading dimensions.
inline std::int64_t offset_of(std::int64_t index, const Shape& shape, const Strides& strides, int dims) {
  std::int64_t offset = 0;
  for (int d = dims - 1; d >= 0; --d) {
    offset += index % shape[d] * strides[d];
    index /= shape[d];
  }
  return offset;
}
inline std::int64_t offset_of(std::int64_t index, const ConstView& v) {
  return offset_of(index, v.shape(), v.strides(), v.rank());
}

/// Calls visit(i, offsets...) for the elements begin .. end-1 of `shape`; `strides` has one list an operand.
template <int N, class Visit>
void walk(std::int64_t begin, std::int64_t end, const Shape& shape, const Strides (&strides)[N], Visit visit) {
  if (begin >= end) return;
  std::int64_t offsets[N] = {};
  std::int64_t at[kMaxRank] = {};
  std::int64_t rest = begin;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    at[d] = rest % shape[d];
    rest /= shape[d];
    for (int n = 0; n < N; ++n) offsets[n] += at[d] * strides[n][d];
  }
  for (std::int64_t i = begin; i < end; ++i) {
    visit(i, offsets);
    for (int d = shape.rank() - 1; d >= 0; --d) {
      for (int n = 0; n < N; ++n) offsets[n] += strides[n][d];
      if (++at[d] < shape[d]) break;
      for (int n = 0; n < N; ++n) offsets[n] -= shape[d] * strides[n][d];
      at[d] = 0;
    }
  }
}

/// Strides of `view` under a broadcast shape: 0 where it repeats.
inline Strides stretched(const ConstView& view, const Shape& shape) {
  Strides strides = shape;
  for (int d = 0; d < shape.rank(); ++d) {
    const int own = d - (shape.rank() - view.rank());
    strides[d] = own < 0 || view.shape()[own] == 1 ? 0 : view.strides()[own];
  }
  return strides;
}

inline double f32_at(const ConstView& v, std::int64_t offset) {
  return static_cast<double>(static_cast<const float*>(v.data())[offset]);
}

/// A bf16 pattern is the upper half of an f32.
inline double bf16_value(std::uint16_t bits) {
  return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16));
}
/// The value of an f16 pattern: five bits of exponent, ten of mantissa.
inline double f16_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double magnitude = exponent == 31  ? (mantissa == 0 ? kInfinity : std::numeric_limits<double>::quiet_NaN())
                           : exponent == 0 ? std::ldexp(mantissa, -24)
                                           : std::ldexp(1024 + mantissa, exponent - 25);
  return std::copysign(magnitude, bits & 0x8000 ? -1.0 : 1.0);
}
/// The nearest, ties to even, of the numbers with `bits` after the first one; below 2^least they are as far apart as
/// there, from 2^end on infinite.
inline double nearest_of(double value, int bits, int least, int end) {
  if (!std::isfinite(value) || value == 0) return value;
  const int exponent = std::max(std::ilogb(value), least) - bits;  // of the last place
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -exponent)), exponent);
  return std::abs(rounded) >= std::ldexp(1, end) ? std::copysign(kInfinity, value) : rounded;
}
inline double nearest_bf16(double value) { return nearest_of(value, 7, -126, 128); }
inline double nearest_f16(double value) { return nearest_of(value, 10, -14, 16); }

inline double number_at(const ConstView& v, std::int64_t offset) {
  switch (v.dtype()) {
    case DType::f32:
      return f32_at(v, offset);
    case DType::s8:
      return static_cast<double>(static_cast<const std::int8_t*>(v.data())[offset]);
    case DType::u8:
      return static_cast<double>(static_cast<const std::uint8_t*>(v.data())[offset]);
    case DType::s32:
      return static_cast<double>(static_cast<const std::int32_t*>(v.data())[offset]);
    case DType::bf16:
      return bf16_value(static_cast<const std::uint16_t*>(v.data())[offset]);
    case DType::f16:
      return f16_value(static_cast<const std::uint16_t*>(v.data())[offset]);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

/// Reading a result of any type.
struct NumberResult {
  static double actual(const ConstView& result, std::int64_t offset) { return number_at(result, offset); }
};

/// Reading a result in f32.
struct F32Result {
  static double actual(const ConstView& result, std::int64_t offset) { return f32_at(result, offset); }
};

template <class Op>
class Oracle;

}  // namespace tandem::verify

#include "common/verify/oracle_elementwise.h"  // IWYU pragma: export
#include "common/verify/oracle_matmul.h"       // IWYU pragma: export
#include "common/verify/oracle_quantize.h"     // IWYU pragma: export
#include "common/verify/oracle_rows.h"         // IWYU pragma: export
#include "common/verify/oracle_spmm.h"         // IWYU pragma: export
