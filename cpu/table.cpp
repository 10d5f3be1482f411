// The rows of cpu/kernels.def.
#include "common/dispatch/registry.h"
#include "cpu/kernels.h"

#include <type_traits>

namespace tandem::cpu {

template <class Op>
std::vector<Entry<Op>> rows() {
  std::vector<Entry<Op>> out;
#define TANDEM_KERNEL(RowOp, symbol)       \
  if constexpr (std::is_same_v<RowOp, Op>) \
    out.push_back({kernel_name(Backend::cpu, #symbol), Backend::cpu, &symbol::kKernel});
#include "cpu/kernels.def"
#undef TANDEM_KERNEL
  return out;
}

#define TANDEM_OP(Op) template std::vector<Entry<Op>> rows<Op>();
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::cpu
