// All operations, for code that walks them: tables, explain, comparison, tests.
#pragma once

#include <type_traits>

#include "common/ops/convert.h"
#include "common/ops/dynamic_quantize.h"
#include "common/ops/elementwise.h"
#include "common/ops/matmul.h"
#include "common/ops/quantize.h"
#include "common/ops/quantized_matmul.h"
#include "common/ops/reduce.h"
#include "common/ops/requantize.h"
#include "common/ops/softmax.h"
#include "common/ops/spmm.h"
#include "common/ops/transpose.h"

namespace tandem {

namespace detail {
template <class Op>
constexpr int find_op() {
  int index = 0, found = -1;
#define TANDEM_OP(Other)                        \
  if (std::is_same_v<Op, Other>) found = index; \
  ++index;
#include "common/ops/ops.def"
#undef TANDEM_OP
  return found;
}
}  // namespace detail

/// The position of an operation in ops.def.
template <class Op>
constexpr int op_index() {
  constexpr int kFound = detail::find_op<Op>();
  static_assert(kFound >= 0, "the operation is not listed in common/ops/ops.def");
  return kFound;
}
inline constexpr int kOpCount = 0
#define TANDEM_OP(Op) +1
#include "common/ops/ops.def"
#undef TANDEM_OP
    ;

/// Calls visit.template operator()<Op>() for every operation.
template <class Visit>
void for_each_op(Visit&& visit) {
#define TANDEM_OP(Op) visit.template operator()<Op>();
#include "common/ops/ops.def"
#undef TANDEM_OP
}

}  // namespace tandem
