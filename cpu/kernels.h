// Declares every kernel of cpu/kernels.def. Each kernel file includes this, so that its row has external linkage and
// the type that the table expects.
#pragma once

#include "common/dispatch/kernel.h"
#include "common/ops/all.h"

namespace tandem::cpu {

#define TANDEM_KERNEL(Op, symbol) extern const Kernel<Op> symbol;
#include "cpu/kernels.def"
#undef TANDEM_KERNEL

}  // namespace tandem::cpu
