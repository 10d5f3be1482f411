// Idea:    the definition: three loops, one element of c at a time, k ascending.
// Limits:  takes everything; each step of k jumps a row of b, so that large b are read from memory again for every row
//          of a. One thread.
// Expect:  0.002 of one thread's multiply-add ceiling at 1024 cubed on Zen 5 (0.54 GFLOP/s, tandem-gemm-bench).
#include <algorithm>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/scalar_store.h"
#include "cpu/gemm/sets.h"

namespace tandem::cpu::matmul_f32_naive {
namespace {

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const MatmulProblem& p, const Machine& machine) {
  // Cycles fitted on Zen 5. Short sums overlap with those beside them, long ones wait for each addition, and columns of
  // a b beyond L2 for its lines.
  const bool misses =
      4.0 * static_cast<double>(p.k) * static_cast<double>(p.n) > static_cast<double>(machine.cpu.l2_bytes);
  const double step = misses ? 6 : p.k <= 32 ? 1 : 2;
  const double cycle = 4.0 * f32_set(machine.cpu).lanes / assumed(machine.ceilings).cpu_flops;
  const double elements = static_cast<double>(p.batch) * static_cast<double>(p.m) * static_cast<double>(p.n);
  return 10e-9 + std::max(elements * (9 + step * static_cast<double>(p.k)) * cycle,
                          cpu_seconds(machine, 0, Matmul::bytes(p), 1, 1));
}

Code run(const MatmulArgs& args, const Queue&, Workspace) {
  for_each_item(args, [&](const float* a, const float* b, float* c) {
    for (std::int64_t i = 0; i < args.m; ++i)
      for (std::int64_t j = 0; j < args.n; ++j) {
        float sum = 0.0f;
        for (std::int64_t k = 0; k < args.k; ++k)
          sum += a[i * args.a.row + k * args.a.col] * b[k * args.b.row + j * args.b.col];
        store_element(args, c, i, j, sum);
      }
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = no_workspace<Matmul>, .run = run};

}  // namespace tandem::cpu::matmul_f32_naive
