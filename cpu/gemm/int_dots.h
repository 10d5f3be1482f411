// Integer products of a few rows with the columns of a transposed b, or of rows of a with a few columns: dot products
// along k, with nothing packed but the few. The other operand is read once, in the order of memory.
#pragma once

#include <cstddef>

#include "cpu/dot/dot.h"
#include "cpu/gemm/int_gemm.h"

namespace tandem::cpu {

/// What decides about a product: whether a has unit stride along k, whether b has, whether panels of b came that the
/// set can use.
struct IntDotsSize {
  std::int64_t m = 0, n = 0, k = 0;
  bool a_along = false, b_along = false, packed = false;
};
/// Whether the few are the columns of b.
constexpr bool few_are_columns(std::int64_t m, std::int64_t n) { return n < m; }
/// Whether a few columns are multiplied so beside panels of b, which are of no use there: all of a would be packed.
constexpr bool reads_b_beside_panels(std::int64_t m, std::int64_t n) {
  return few_are_columns(m, n) && n <= kSkinnyRows;
}
bool takes_int_dots(const IntDots& dots, const IntDotsSize& size);

/// Bytes of scratch, whatever the strides.
std::size_t int_dots_workspace(const IntDots& dots, std::int64_t m, std::int64_t n, std::int64_t k);

/// c, stored by `store`.
void int_dots(const IntDots& dots, StoreTile store, const QuantizedMatmulArgs& args, const Queue& queue,
              Workspace workspace);

}  // namespace tandem::cpu
