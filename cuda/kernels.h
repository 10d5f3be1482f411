// Declares every kernel of cuda/kernels.def. Each kernel file includes this, so that its row has external linkage and
// the type that the table expects.
#pragma once

#include "common/dispatch/kernel.h"
#include "common/ops/all.h"

namespace tandem::cuda {

#define TANDEM_KERNEL(Op, symbol) extern const Kernel<Op> symbol;
#include "cuda/kernels.def"
#undef TANDEM_KERNEL

}  // namespace tandem::cuda
