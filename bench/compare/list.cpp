#include "bench/compare/list.h"

#include <fmt/ranges.h>
#include <tandem/profile.h>

#include "common/dispatch/registry.h"
#include "common/ops/all.h"

namespace tandem::compare {

std::string list_everything(Context& ctx) {
  std::string text = "Operations and their problems:\n";
  for_each_op([&]<class Op>() { text += fmt::format("  {} {}\n", fmt::join(Op::op_names(), ", "), Op::kForm); });
  text += "\nKernels (backend.operation.type.variant), best first:\n";
  const std::vector<KernelInfo> all = kernels(ctx);
  std::size_t width = 0;
  for (const KernelInfo& info : all) width = std::max(width, info.name.size());
  for (const KernelInfo& info : all)
    text += fmt::format("  {:<{}}  {:<9}  {}{}\n", info.name, width, info.op, info.runnable ? "runs here" : info.reason,
                        info.reference ? ", reference" : "");
  return text;
}

}  // namespace tandem::compare
