// Idea:    a written out with its zeros, and the dense f32 product: for matrices that are sparse in name only.
// Limits:  m k floats of workspace. Zeros times infinities must not occur: a b that is not finite goes to the SIMD
//          sparse kernel.
// Expect:  the time of the dense product, and of writing a and searching b: at the rates of the caches or of memory,
//          and in products of few rows 0.06 (Zen 5) to 0.4 ns (Zen 3, whose clock moved) an element of b besides.
#include <algorithm>
#include <cstring>
#include <utility>

#include "common/dispatch/cost.h"
#include "common/ops/spmm.h"
#include "cpu/gemm/gemm.h"
#include "cpu/sparse/rows.h"

namespace tandem::cpu {
namespace matmul_f32_simd {
extern const Kernel<Matmul> kKernel;
}
namespace spmm_csr_simd {
extern const Kernel<Spmm> kKernel;
}
}  // namespace tandem::cpu

namespace tandem::cpu::spmm_csr_dense {

namespace {

constexpr std::size_t kAlignment = 256;

// A column-major c is the transposed product, as Matmul's kernels want it.
bool is_turned(Layout c) { return c == Layout::column; }

Layout transposed(Layout layout) {
  return layout == Layout::row ? Layout::column : layout == Layout::column ? Layout::row : layout;
}

MatmulProblem dense_problem(const SpmmProblem& p) {
  MatmulProblem out;
  out.m = p.m;
  out.n = p.n;
  out.k = p.k;
  out.b = p.b;
  out.c = p.c;
  if (is_turned(p.c)) {
    std::swap(out.m, out.n);
    out.a = transposed(p.b);
    out.b = Layout::column;
    out.c = Layout::row;
  }
  out.shared_b = true;
  out.bias = p.bias;
  out.activation = p.activation;
  return out;
}

std::size_t expanded_bytes(std::int64_t m, std::int64_t k) {
  return (static_cast<std::size_t>(m * k) * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment;
}

std::size_t workspace(const SpmmProblem& p, const Machine& machine) {
  return std::max(expanded_bytes(p.m, p.k) + matmul_f32_simd::kKernel.workspace(dense_problem(p), machine),
                  spmm_csr_simd::kKernel.workspace(p, machine));
}

double cost(const SpmmProblem& p, const Machine& machine) {
  const double written = 4.0 * static_cast<double>(p.m) * static_cast<double>(p.k);
  constexpr double kCall = 40e-9;  // beyond that of the product
  // An element of b, beside reading it: a quarter of a cycle of the widest machines (64 flops), half of one of others.
  const double searching = 16 / assumed(machine.ceilings).cpu_flops;
  const double searched = 4.0 * static_cast<double>(p.k) * static_cast<double>(p.n);
  // Cycles of the widest machines: 8 a row, however short it is, and 0.8 to put a stored element in its place.
  const double cycle = 4 * searching;
  const double placed = (8.0 * static_cast<double>(p.m) + 0.8 * static_cast<double>(p.stored)) * cycle;
  const double expand = placed + cpu_seconds(machine, 0, 2 * written + searched, 1, 1);
  return kCall + searching * static_cast<double>(p.k) * static_cast<double>(p.n) + expand +
         matmul_f32_simd::kKernel.cost(dense_problem(p), machine);
}

bool is_finite(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return (bits & 0x7f800000) != 0x7f800000;
}

bool all_finite(const MatmulArgs& d) {
  std::int64_t outer = d.b.col == 1 ? d.k : d.n, inner = d.b.col == 1 ? d.n : d.k;
  const std::int64_t outer_step = d.b.col == 1 ? d.b.row : d.b.col, inner_step = d.b.col == 1 ? 1 : d.b.row;
  if (inner_step == 1 && outer_step == inner) inner *= std::exchange(outer, 1);  // no gaps: one run
  for (std::int64_t i = 0; i < outer; ++i) {
    const float* b = static_cast<const float*>(d.b.data) + i * outer_step;
    std::uint32_t infinite = 0;
    if (inner_step == 1)  // the compiler makes vectors of this loop
      for (std::int64_t j = 0; j < inner; ++j) infinite |= is_finite(b[j]) ? 0 : 1;
    else
      for (std::int64_t j = 0; j < inner; ++j) infinite |= is_finite(b[j * inner_step]) ? 0 : 1;
    if (infinite) return false;
  }
  return true;
}

void expand(const SpmmArgs& args, float* out) {
  const MatmulArgs& d = args.dense;
  std::fill_n(out, d.m * d.k, 0.0f);
  for (std::int64_t i = 0; i < d.m; ++i)
    for (std::int64_t p = args.row_offsets[i]; p < args.row_offsets[i + 1]; ++p)
      out[i * d.k + args.columns[p]] = args.values[p];
}

Code run(const SpmmArgs& args, const Queue& queue, Workspace workspace) {
  if (args.dense.m == 0 || args.dense.n == 0) return Code::ok;
  if (args.stored == 0 || !all_finite(args.dense)) return spmm_csr_simd::kKernel.run(args, queue, workspace);
  float* a = static_cast<float*>(workspace.data);
  expand(args, a);
  MatmulArgs product = args.dense;
  product.a = {a, product.k, 1};
  const std::size_t used = expanded_bytes(product.m, product.k);
  if (product.c.col != 1 && product.c.row == 1) product = turned(product);
  return matmul_f32_simd::kKernel.run(product, queue,
                                      {static_cast<char*>(workspace.data) + used, workspace.bytes - used});
}

}  // namespace

extern const Kernel<Spmm> kKernel;
const Kernel<Spmm> kKernel = {
    .needs = {},
    .traits = {.dense = true},
    .supports = supports_all<Spmm>,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cpu::spmm_csr_dense
