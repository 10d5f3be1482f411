// Declares every kernel of cpu/kernels.def, for the table and for tests of single kernels. Kernel files do not include
// it, so that a new line there recompiles the table and not every kernel.
#pragma once

#include "common/dispatch/kernel.h"
#include "common/ops/all.h"

namespace tandem::cpu {

#define TANDEM_KERNEL(Op, symbol)  \
  namespace symbol {               \
  extern const Kernel<Op> kKernel; \
  }
#include "cpu/kernels.def"
#undef TANDEM_KERNEL

}  // namespace tandem::cpu
