// The rows of cuda/kernels.def in a build without CUDA: listed, not built.
#include <type_traits>

#include "common/dispatch/registry.h"
#include "common/ops/all.h"

namespace tandem::cuda {

template <class Op>
std::vector<Entry<Op>> rows() {
  std::vector<Entry<Op>> out;
#define TANDEM_KERNEL(RowOp, symbol) \
  if constexpr (std::is_same_v<RowOp, Op>) out.push_back({kernel_name(Backend::cuda, #symbol), Backend::cuda, nullptr});
#include "cuda/kernels.def"
#undef TANDEM_KERNEL
  return out;
}

#define TANDEM_OP(Op) template std::vector<Entry<Op>> rows<Op>();
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::cuda
