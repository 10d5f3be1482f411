// Idea:    the definition: for each element of c, the stored elements of a row of a in their order.
// Limits:  none; any strides, rows shared out over the threads
// Expect:  nothing of speed: the rung that the others are compared with
#include "common/dispatch/cost.h"
#include "common/ops/spmm.h"
#include "cpu/gemm/scalar_store.h"
#include "cpu/sparse/rows.h"

namespace tandem::cpu::spmm_csr_reference {
namespace {

double cost(const SpmmProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Spmm::flops(p), Spmm::bytes(p), 0.01, machine.cpu.threads);
}

void multiply_row(const SpmmArgs& args, std::int64_t i) {
  const MatmulArgs& d = args.dense;
  const float* b = static_cast<const float*>(d.b.data);
  for (std::int64_t j = 0; j < d.n; ++j) {
    float sum = 0.0f;
    for (std::int64_t p = args.row_offsets[i]; p < args.row_offsets[i + 1]; ++p)
      sum += args.values[p] * b[args.columns[p] * d.b.row + j * d.b.col];
    store_element(d, static_cast<float*>(d.c.data), i, j, sum);
  }
}

Code run(const SpmmArgs& args, const Queue& queue, Workspace) {
  for_each_share_of_rows(args, queue, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) multiply_row(args, i);
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Spmm> kKernel;
const Kernel<Spmm> kKernel = {.needs = {},
                              .traits = {.reference = true},
                              .supports = supports_all<Spmm>,
                              .cost = cost,
                              .workspace = no_workspace<Spmm>,
                              .run = run};

}  // namespace tandem::cpu::spmm_csr_reference
