// b of a product in 2:4 storage: as an operand, as kernels see it, and in problem strings.
#pragma once

#include <tandem/sparse.h>

#include "common/dispatch/kernel.h"
#include "common/ops/operand.h"

namespace tandem {

/// Sparse24 of b transposed: row j holds column j of b, `groups` pairs of values of the operands' dtype and (groups +
/// 1) / 2 bytes of metadata, without gaps. Null: b is dense. The metadata may be anything: kernels read nothing beyond
/// a row of the other operand, whatever places are named.
struct Sparse24Rows {
  const void* values = nullptr;
  const std::uint8_t* metadata = nullptr;
  std::int64_t groups = 0;

  std::int64_t metadata_bytes() const noexcept { return (groups + 1) / 2; }  // of a row
};

Sparse24Rows sparse24_rows(const View& values, const View& metadata);

/// Adds the operands "b" (values) and "b_places" (metadata) of a request.
void add_sparse24(std::vector<OperandSpec>& operands, DType dtype, std::int64_t n, std::int64_t k);
/// Makes random values and metadata of rows of k elements legal, each pair of places equally likely.
void fill_sparse24(const View& values, const View& metadata, std::int64_t k, std::uint64_t seed);
/// What the storage takes, and the values of k that it holds for each row.
double sparse24_bytes(DType dtype, std::int64_t n, std::int64_t k);
double sparse24_depth(std::int64_t k);

/// Throws unless the tensors have the shapes, dtypes and layout that Sparse24 says, `dtype` and k columns. Does not
/// look at what they hold.
void check_sparse24_operand(std::string_view op, const Sparse24& b, DType dtype, std::int64_t k);

}  // namespace tandem
