// A strip of columns of a sparse product, as the SIMD kernel multiplies it.
#pragma once

#include <cstdint>

#include "common/ops/spmm.h"
#include "cpu/gemm/gemm.h"

namespace tandem::cpu {

inline constexpr int kSpmmVectors = 8;  // most vectors in a strip

struct SpmmStrip {
  std::int64_t first_row = 0, last_row = 0;
  std::int64_t column = 0;   // the first one, in c
  std::int64_t last = 0;     // columns in the last vector
  const float* b = nullptr;  // its first column in row 0; unit stride along rows
  std::int64_t b_row = 0;
  bool direct = false;  // c has unit stride along rows, and nothing follows the sum
};
using SpmmStripKernel = void (*)(const SpmmArgs&, const SpmmStrip&);

/// What one ISA level offers.
struct SpmmSet {
  int lanes = 0;
  const SpmmStripKernel* strips =
      nullptr;  // [2 * (vectors - 1)], and the next one where the last vector of b cannot be read whole
  PackPanel pack = nullptr;
};

}  // namespace tandem::cpu
