// The rows of cuda/kernels.def.
#include "common/dispatch/registry.h"
#include "cuda/kernels.h"

#include <type_traits>

namespace tandem::cuda {

template <class Op>
std::vector<Entry<Op>> rows() {
  std::vector<Entry<Op>> out;
#define TANDEM_KERNEL(RowOp, symbol)       \
  if constexpr (std::is_same_v<RowOp, Op>) \
    out.push_back({kernel_name(Backend::cuda, #symbol), Backend::cuda, &symbol::kKernel});
#include "cuda/kernels.def"
#undef TANDEM_KERNEL
  return out;
}

#define TANDEM_OP(Op) template std::vector<Entry<Op>> rows<Op>();
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::cuda
