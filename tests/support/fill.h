// Filling the operands of a case.
#pragma once

#include <cstdint>

#include <tandem/tensor.h>

#include "tests/support/cases.h"

namespace tandem::test {

/// Writes every element of `view` (host memory), and no gap. `operand` is its position: the first one is special for
/// tiny_integers. `terms` bounds whole numbers so that a sum of that many products is exact.
void fill(const View& view, Fill what, int operand, std::int64_t terms, std::uint64_t seed);

/// Values in a range, both ends included: reals, or whole numbers of the integer types.
void fill_range(const View& view, const ValueRange& range, std::uint64_t seed);

}  // namespace tandem::test
