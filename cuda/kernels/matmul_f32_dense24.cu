// Idea:    b in 2:4 storage is written out in device memory, row-major, then multiplied by the register-tiled kernel
// Limits:  saves bytes of storage, not time; 4 k n bytes of workspace. f32 has no sparse tensor cores without a loss of
//          precision.
// Expect:  the dense product's time and that of the expansion, whose writes are coalesced and whose reads are not. Time
//          on a device: not measured.
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda {
namespace matmul_f32_regtiled {
extern const Kernel<Matmul> kKernel;
}
}  // namespace tandem::cuda

namespace tandem::cuda::matmul_f32_dense24 {

namespace {

constexpr int kThreads = 256;

/// A thread writes the four rows of one group in one column of b; neighbouring threads have neighbouring columns.
__global__ void __launch_bounds__(kThreads)
    expand24_f32(Sparse24Rows b, float* out, std::int64_t n, std::int64_t k, std::int64_t first) {
  const std::int64_t at = first + static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= n * b.groups) return;
  const std::int64_t group = at / n, column = at % n;
  const float* values = static_cast<const float*>(b.values) + (column * b.groups + group) * 2;
  const unsigned places = b.metadata[column * ((b.groups + 1) / 2) + group / 2] >> (group % 2 * 4);
  const float first_value = values[0], second_value = values[1];
#pragma unroll
  for (unsigned place = 0; place < 4; ++place) {
    const std::int64_t row = group * 4 + place;
    if (row >= k) return;
    out[row * n + column] = place == (places >> 2 & 3) ? second_value : place == (places & 3) ? first_value : 0.0f;
  }
}

MatmulProblem dense_problem(MatmulProblem p) {
  p.b_format = MatrixFormat::dense;
  p.b = Layout::row;
  return p;
}

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (p.b_format != MatrixFormat::sparse24) return "needs b in 2:4 storage";
  return matmul_f32_regtiled::kKernel.supports(dense_problem(p), machine);
}

// Efficiency: prior, not measured.
double cost(const MatmulProblem& p, const Machine& machine) {
  const double written = 4.0 * static_cast<double>(p.n) * static_cast<double>(p.k);
  return matmul_f32_regtiled::kKernel.cost(dense_problem(p), machine) + seconds_for_bytes(2 * written, 0.5, machine);
}

/// Of the dense matrix, to a multiple of what workspaces are aligned to: that of the product follows.
std::size_t dense_bytes(std::int64_t n, std::int64_t k) {
  return static_cast<std::size_t>(ceil_div(n * k * 4, 256) * 256);
}
std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  return dense_bytes(p.n, p.k) + matmul_f32_regtiled::kKernel.workspace(dense_problem(p), machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  if (args.m == 0 || args.n == 0 || args.batch.elements == 0) return Code::ok;
  float* dense = static_cast<float*>(workspace.data);
  const std::int64_t groups = args.n * args.b24.groups;
  const Code code = in_ranges(groups, kMaxGridX * kThreads, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, kThreads), kThreads, expand24_f32, args.b24, dense, args.n, args.k, first);
  });
  if (code != Code::ok) return code;
  MatmulArgs product = args;
  product.b24 = {};
  product.b = {dense, args.n, 1};
  const std::size_t used = dense_bytes(args.n, args.k);
  return matmul_f32_regtiled::kKernel.run(product, queue,
                                          {static_cast<char*>(workspace.data) + used, workspace.bytes - used});
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {.sparse24 = true, .dense = true},
    .supports = supports,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cuda::matmul_f32_dense24
