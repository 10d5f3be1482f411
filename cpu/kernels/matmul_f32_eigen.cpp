// Idea:    Eigen's general product on mapped operands, compiled for the baseline instruction set: the reference.
// Limits:  takes everything; one thread; the result passes through a temporary matrix, so it needs c's size in scratch.
// Expect:  0.16 of one thread's AVX-512 multiply-add ceiling at 1024 cubed on Zen 5 (42 GFLOP/s, tandem-gemm-bench).
#include <Eigen/Core>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/scalar_store.h"
#include "cpu/gemm/sets.h"
#include "cpu/sparse/expand24.h"

namespace tandem::cpu::matmul_f32_eigen {
namespace {

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using AnyStride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

// Compiled for the baseline, whatever the level of the ceiling: 0.15 of that of AVX-512.
double cost(const MatmulProblem& p, const Machine& machine) {
  constexpr double kItem = 150e-9;  // Eigen's set-up of a product
  return kItem * static_cast<double>(p.batch) +
         cpu_seconds(machine, Matmul::flops(p), Matmul::bytes(p), 2.4 / f32_set(machine.cpu).lanes, 1);
}

std::size_t workspace(const MatmulProblem& p, const Machine&) {
  return expanded_bytes<float>(p) + static_cast<std::size_t>(p.m * p.n) * sizeof(float);
}

Code multiply(const MatmulArgs& args, const Queue&, Workspace workspace) {
  Eigen::Map<RowMajor> product(static_cast<float*>(workspace.data), args.m, args.n);
  for_each_item(args, [&](const float* a, const float* b, float* c) {
    const Eigen::Map<const RowMajor, 0, AnyStride> ma(a, args.m, args.k, AnyStride(args.a.row, args.a.col));
    const Eigen::Map<const RowMajor, 0, AnyStride> mb(b, args.k, args.n, AnyStride(args.b.row, args.b.col));
    product.noalias() = ma * mb;
    for (std::int64_t i = 0; i < args.m; ++i)
      for (std::int64_t j = 0; j < args.n; ++j) store_element(args, c, i, j, product(i, j));
  });
  return Code::ok;
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  return with_dense_b<float>(args, queue, workspace, multiply);
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {.needs = {},
                                .traits = {.reference = true, .sparse24 = true},
                                .supports = supports,
                                .cost = cost,
                                .workspace = workspace,
                                .run = run};

}  // namespace tandem::cpu::matmul_f32_eigen
