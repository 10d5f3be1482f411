// A b that is packed once and used in many products: panels of GemmSet::nr() columns one after the other, each all of k
// deep and filled up with zeros to whole words and columns; for integers the sums of the columns (s32) follow.
#pragma once

#include "cpu/gemm/gemm.h"

namespace tandem::cpu {

std::size_t packed_bytes(const GemmSet& set, std::int64_t k, std::int64_t n);

/// b(p, j) is at b + (p * row + j * col) elements; `out` is 64-byte aligned and has packed_bytes().
void pack_panels(const GemmSet& set, std::int64_t k, std::int64_t n, const void* b, std::int64_t row, std::int64_t col,
                 void* out);

/// In what pack_panels() wrote for an integer set.
const std::int32_t* packed_column_sums(const GemmSet& set, std::int64_t k, std::int64_t n, const void* packed);

/// The sums of the columns of one panel whose words are `step` apart, in whole vectors.
void add_up_columns(const GemmSet& set, const void* panel, std::int64_t step, std::int64_t words, std::int64_t columns,
                    std::int32_t* sums);

/// The sums of the rows of one packed panel of a, whose width is `step`.
void add_up_rows(const GemmSet& set, const void* panel, std::int64_t step, std::int64_t words, std::int64_t rows,
                 std::int32_t* sums);

}  // namespace tandem::cpu
