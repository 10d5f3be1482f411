// Idea:    a 2:4 b is expanded into scratch, then multiplied by the dense kernel
// Limits:  saves bytes of storage, not time: it takes what the dense product takes and the expansion before it
// Expect:  the dense product's time, and some 0.25 ns an element of b on one thread for the expansion (Zen 5)
#include "common/core/bf16.h"
#include "common/dispatch/cost.h"
#include "cpu/gemm/threads.h"
#include "cpu/sparse/expand24.h"

namespace tandem::cpu {

extern const Kernel<Matmul> matmul_bf16_simd;

namespace {

Refusal supports(const MatmulProblem& p, const Machine&) {
  if (p.dtype != DType::bf16) return "needs bf16 operands";
  return p.b_format == MatrixFormat::sparse24 ? nullptr : "needs b in 2:4 storage";
}

double cost(const MatmulProblem& p, const Machine& machine) {
  constexpr double kSecondsAnElement = 0.25e-9;  // measured on Zen 5
  const double elements = static_cast<double>(p.n) * static_cast<double>(p.k);
  return matmul_bf16_simd.cost(dense_problem(p), machine) +
         kSecondsAnElement * elements / threads_worth(10 * elements, machine.cpu.threads);
}

std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  return expanded_bytes<Bf16>(p) + matmul_bf16_simd.workspace(dense_problem(p), machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  return with_dense_b<Bf16>(args, queue, workspace, matmul_bf16_simd.run);
}

}  // namespace

extern const Kernel<Matmul> matmul_bf16_dense24;
const Kernel<Matmul> matmul_bf16_dense24 = {.needs = {},
                                            .traits = {.sparse24 = true, .dense = true},
                                            .supports = supports,
                                            .cost = cost,
                                            .workspace = workspace,
                                            .run = run};

}  // namespace tandem::cpu
