// Idea:    three loops over exact products, f32 sums with k ascending, one rounding at the store
// Limits:  none; any strides, the rows of all batch items shared out over the threads
// Expect:  nothing of speed: the rung that the others are compared with
#include "common/core/thread_pool.h"
#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/scalar_store.h"
#include "cpu/sparse/expand24.h"

namespace tandem::cpu::matmul_bf16_reference {
namespace {

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::bf16 ? nullptr : "needs bf16 operands";
}

double cost(const MatmulProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Matmul::flops(p), Matmul::bytes(p), 0.004, machine.cpu.threads);
}

template <class C>
void rows_of(const MatmulArgs& args, int t, int count) {
  const Share share = share_of(args.m, 1, t, count);
  for_each_item<Bf16, C>(args, [&](const Bf16* a, const Bf16* b, C* c) {
    for (std::int64_t i = share.begin; i < share.end; ++i)
      for (std::int64_t j = 0; j < args.n; ++j) {
        float sum = 0.0f;
        for (std::int64_t k = 0; k < args.k; ++k)
          sum += to_f32(a[i * args.a.row + k * args.a.col]) * to_f32(b[k * args.b.row + j * args.b.col]);
        store_element(args, c, i, j, sum);
      }
  });
}

std::size_t workspace(const MatmulProblem& p, const Machine&) { return expanded_bytes<Bf16>(p); }

Code multiply(const MatmulArgs& args, const Queue& queue, Workspace) {
  const auto rows = [&](int t, int count) {
    args.result == DType::bf16 ? rows_of<Bf16>(args, t, count) : rows_of<float>(args, t, count);
  };
  if (queue.pool)
    queue.pool->run(queue.machine->cpu.threads, rows);
  else
    rows(0, 1);
  return Code::ok;
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  return with_dense_b<Bf16>(args, queue, workspace, multiply);
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {.needs = {},
                                .traits = {.reference = true, .sparse24 = true},
                                .supports = supports,
                                .cost = cost,
                                .workspace = workspace,
                                .run = run};

}  // namespace tandem::cpu::matmul_bf16_reference
