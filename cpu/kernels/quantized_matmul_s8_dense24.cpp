// Idea:    a 2:4 b is expanded into scratch, then multiplied by the dense kernel
// Limits:  saves bytes of storage, not time: it takes what the dense product takes and the expansion before it
// Expect:  the dense product's time, and some 0.22 ns an element of b on one thread for the expansion (Zen 5)
#include "common/dispatch/cost.h"
#include "cpu/gemm/threads.h"
#include "cpu/sparse/expand24.h"

namespace tandem::cpu {

extern const Kernel<QuantizedMatmul> quantized_matmul_s8_simd;

namespace {

Refusal supports(const QuantizedMatmulProblem& p, const Machine& machine) {
  if (!machine.cpu.has_s8_dot()) return "needs AVX-512 VNNI or AVX-VNNI";
  return p.b_format == MatrixFormat::sparse24 ? nullptr : "needs b in 2:4 storage";
}

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  constexpr double kSecondsAnElement = 0.22e-9;  // measured on Zen 5
  const double elements = static_cast<double>(p.n) * static_cast<double>(p.k);
  return quantized_matmul_s8_simd.cost(dense_problem(p), machine) +
         kSecondsAnElement * elements / threads_worth(10 * elements, machine.cpu.threads);
}

std::size_t workspace(const QuantizedMatmulProblem& p, const Machine& machine) {
  return expanded_bytes<std::int8_t>(p) + quantized_matmul_s8_simd.workspace(dense_problem(p), machine);
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace workspace) {
  return with_dense_b<std::int8_t>(args, queue, workspace, quantized_matmul_s8_simd.run);
}

}  // namespace

extern const Kernel<QuantizedMatmul> quantized_matmul_s8_dense24;
const Kernel<QuantizedMatmul> quantized_matmul_s8_dense24 = {.needs = {.isa = IsaLevel::avx2, .s8_dot = true},
                                                             .traits = {.sparse24 = true, .dense = true},
                                                             .supports = supports,
                                                             .cost = cost,
                                                             .workspace = workspace,
                                                             .run = run};

}  // namespace tandem::cpu
