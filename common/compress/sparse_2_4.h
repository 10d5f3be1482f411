// 2:4 storage for functions that call a matrix by words of their own.
#pragma once

#include <string_view>

#include <tandem/sparse.h>

namespace tandem::compress {

/// How a refusal names the function, a row of the matrix and the columns of a group.
struct Words24 {
  std::string_view function, row = "row", columns = "columns";
};

/// to_2_4().
Sparse24 store_2_4(const ConstView& matrix, const Words24& words);

}  // namespace tandem::compress
