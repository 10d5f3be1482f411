// All operations, for code that walks them: tables, explain, comparison, tests.
#pragma once

#include "common/ops/elementwise.h"
#include "common/ops/matmul.h"
#include "common/ops/reduce.h"
#include "common/ops/softmax.h"
#include "common/ops/transpose.h"

namespace tandem {

/// Calls visit.template operator()<Op>() for every operation.
template <class Visit>
void for_each_op(Visit&& visit) {
#define TANDEM_OP(Op) visit.template operator()<Op>();
#include "common/ops/ops.def"
#undef TANDEM_OP
}

}  // namespace tandem
