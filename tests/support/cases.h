// The cases that every kernel of an operation is run on. A case is a description: attributes, operands and what is in
// them. Each operation defines cases<Op>() in cases_<op>.cpp; tests/kernels runs them over the whole table.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include <tandem/device.h>

#include "common/ops/all.h"
#include "tests/support/guarded_buffer.h"

namespace tandem::test {

/// What a group of cases looks for.
enum class Family : std::uint8_t {
  integers,   // whole numbers: equal to the oracle to the bit
  reals,      // random reals under the derived bound
  specials,   // NaN, infinities, zeros of both signs, denormals, the largest numbers
  shapes,     // sizes 0 .. 67, primes, edges of tiles and vectors, long and flat
  strides,    // padded, transposed, general and zero strides
  batches,    // leading dimensions, broadcast and folded
  alignment,  // every element offset within 64 bytes
  threads,    // large enough to be shared out
};

/// What is in the operands.
enum class Fill : std::uint8_t {
  integers,          // whole numbers, small enough that every sum is exact
  tiny_integers,     // the same, but the first operand counts in the smallest denormal
  reals,             // [-1, 1)
  wide,              // signs and exponents all over the range in which squares neither overflow nor underflow
  specials,          // one element in six is NaN, an infinity, a zero, a denormal or the smallest normal number
  infinities,        // the same without NaN
  extremes,          // half of the elements are finite ends of the range
  minus_infinities,  // most elements are -infinity
  bits,              // any bits
};

template <class Op>
struct Case {
  typename Op::Attributes attributes;
  std::vector<OperandSpec> operands;  // inputs, then the result
  Fill fill = Fill::reals;
  bool exact = false;      // the oracle's value to the bit
  std::int64_t terms = 1;  // of the longest sum, for integers
  int in_place = -1;       // the input that is also the result
  Flush flush = Flush::to_end;
  std::vector<std::size_t> offsets;  // bytes from the flush side, one an operand; empty: none
};

/// Not empty for every family that has a meaning for the operation. CUDA kernels get fewer and smaller cases: an
/// emulator interprets them. An operation without cases fails KernelFamilies.EveryOperationIsThere.
template <class Op>
std::vector<Case<Op>> cases(Family, Backend) {
  return {};
}
template <>
std::vector<Case<Matmul>> cases<Matmul>(Family family, Backend backend);
template <>
std::vector<Case<Unary>> cases<Unary>(Family family, Backend backend);
template <>
std::vector<Case<Binary>> cases<Binary>(Family family, Backend backend);
template <>
std::vector<Case<Softmax>> cases<Softmax>(Family family, Backend backend);
template <>
std::vector<Case<Reduce>> cases<Reduce>(Family family, Backend backend);
template <>
std::vector<Case<Transpose>> cases<Transpose>(Family family, Backend backend);
template <>
std::vector<Case<Convert>> cases<Convert>(Family family, Backend backend);
template <>
std::vector<Case<Quantize>> cases<Quantize>(Family family, Backend backend);
template <>
std::vector<Case<Dequantize>> cases<Dequantize>(Family family, Backend backend);
template <>
std::vector<Case<DynamicQuantize>> cases<DynamicQuantize>(Family family, Backend backend);
template <>
std::vector<Case<Requantize>> cases<Requantize>(Family family, Backend backend);
template <>
std::vector<Case<QuantizedRelu>> cases<QuantizedRelu>(Family family, Backend backend);
template <>
std::vector<Case<QuantizedMatmul>> cases<QuantizedMatmul>(Family family, Backend backend);

template <>
std::vector<Case<Spmm>> cases<Spmm>(Family family, Backend backend);

/// Makes operands legal that random values are not: indices. `operands` are those of the case, filled.
template <class Op>
void make_legal(const Case<Op>&, std::span<const View>, std::uint64_t) {}
template <>
void make_legal<Spmm>(const Case<Spmm>& c, std::span<const View> operands, std::uint64_t seed);
template <>
void make_legal<Matmul>(const Case<Matmul>& c, std::span<const View> operands, std::uint64_t seed);
template <>
void make_legal<QuantizedMatmul>(const Case<QuantizedMatmul>& c, std::span<const View> operands, std::uint64_t seed);

/// A case again with b, operand 1, in 2:4 storage. For cases with a plain matrix b.
template <class Op>
Case<Op> with_sparse24(Case<Op> c) {
  std::vector<OperandSpec> b;
  add_sparse24(b, c.operands[1].dtype, c.operands[1].shape[1], c.operands[1].shape[0]);
  b[0].range = c.operands[1].range;
  c.operands[1] = b[0];
  c.operands.insert(c.operands.begin() + 2, b[1]);
  if (!c.offsets.empty()) c.offsets.insert(c.offsets.begin() + 2, c.offsets[1] / size_of(b[0].dtype));
  c.attributes.b_format = MatrixFormat::sparse24;
  return c;
}

/// How the rows and columns of a matrix lie in memory.
enum class Place : std::uint8_t {
  row,
  padded,
  column,
  column_padded,
  strided,
  repeat_rows,
  repeat_columns,
  repeat_all
};
inline constexpr Place kPlaces[] = {Place::row,     Place::padded,      Place::column,         Place::column_padded,
                                    Place::strided, Place::repeat_rows, Place::repeat_columns, Place::repeat_all};
inline constexpr int kResultPlaces = 5;  // of these, for results: no element twice

/// Strides of [batch..., rows, cols]; batch items follow each other, `gap` elements apart.
Strides placed(Place place, const Shape& shape, std::int64_t gap = 0);

/// The element offsets 4 * o, and others for the further operands, so that all alignments meet.
std::vector<std::size_t> spread_offsets(int o, std::size_t operands, std::size_t element_bytes);

/// "a 3x4 [4,1]" for every operand, and what is in them.
std::string describe(const std::vector<OperandSpec>& operands, Fill fill, bool in_place);

/// 0 .. 67, and the neighbours of vector and tile sizes.
std::vector<std::int64_t> line_sizes();

}  // namespace tandem::test
