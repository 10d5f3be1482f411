// Few rows of a against b in 2:4 storage, as the SIMD kernel multiplies them.
#pragma once

#include <cstdint>

#include "common/ops/matmul.h"

namespace tandem::cpu {

inline constexpr int kRows24 = 8;

struct Rows24Args {
  const float* a = nullptr;  // unit stride along its rows
  float* c = nullptr;
  const MatmulArgs* product = nullptr;
};
/// Columns [first, last) of one batch item, all its rows.
using Rows24Kernel = void (*)(const Rows24Args&, std::int64_t first, std::int64_t last);

}  // namespace tandem::cpu
