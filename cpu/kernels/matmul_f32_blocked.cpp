// Idea:    blocks of b are copied to contiguous memory once and stay in L2 while all rows of a pass by; the inner loop
//          runs along a row of c, in memory order, so that the compiler's baseline vectors serve it. The block sizes
//          come from the real caches (matmul_blocking, settable).
// Limits:  takes everything; one thread; no vector code of its own and no register tile: each multiply-add reads and
//          writes c in L1.
// Expect:  0.085 of one thread's AVX-512 multiply-add ceiling at 1024 cubed on Zen 5: 42 times naive (23 GFLOP/s,
//          tandem-gemm-bench).
#include <algorithm>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/blocking.h"
#include "cpu/gemm/scalar_store.h"
#include "cpu/gemm/sets.h"

namespace tandem::cpu::matmul_f32_blocked {
namespace {

constexpr std::int64_t kRows = 4;      // of a that share each pass over a row of the block of b
constexpr std::int64_t kColumns = 64;  // nr of matmul_blocking: granularity of nc

struct Block {
  std::int64_t kc, nc;
};

/// Blocks for this product: kc x nc floats of b take at most half of L2, a strip of c (kRows x nc) at most half of L1.
Block block_for(const MatmulProblem& p, const Machine& machine) {
  const MatmulBlocking sizes = matmul_blocking(machine.cpu, kRows, kColumns);
  const std::int64_t strip = std::max<std::int64_t>(machine.cpu.l1d_bytes / 2 / (kRows * 4), kColumns);
  const std::int64_t nc = std::min({sizes.nc, strip / kColumns * kColumns, std::max<std::int64_t>(p.n, 1)});
  const std::int64_t kc = std::min(
      {sizes.kc, std::max<std::int64_t>(machine.cpu.l2_bytes / 2 / (nc * 4), 1), std::max<std::int64_t>(p.k, 1)});
  return {kc, nc};
}

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

// Compiled for the baseline, whatever the level of the ceiling: 0.085 of that of AVX-512.
double cost(const MatmulProblem& p, const Machine& machine) {
  constexpr double kItem = 150e-9;                   // packing and clearing of the smallest product
  constexpr double kRow = 15e-9, kElement = 2.5e-9;  // beginning a row of c, storing an element
  const double rows = static_cast<double>(p.batch) * static_cast<double>(p.m);
  return kItem * static_cast<double>(p.batch) + rows * (kRow + kElement * static_cast<double>(p.n)) +
         cpu_seconds(machine, Matmul::flops(p), Matmul::bytes(p), 1.36 / f32_set(machine.cpu).lanes, 1);
}

/// The block of b, and kRows x nc sums.
std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  const Block block = block_for(p, machine);
  return static_cast<std::size_t>((block.kc + kRows) * block.nc) * sizeof(float);
}

/// sums[r][j] += a(r, k) * b(k, j) for rows < kRows of a; kCount is known to the compiler, so that it keeps the values
/// of a in registers.
template <int kCount>
void add_products(const float* a, std::int64_t a_row, std::int64_t a_col, const float* b, std::int64_t kc,
                  std::int64_t nc, float* sums) {
  for (std::int64_t k = 0; k < kc; ++k) {
    float value[kCount];
    for (int r = 0; r < kCount; ++r) value[r] = a[r * a_row + k * a_col];
    const float* row = b + k * nc;
    for (std::int64_t j = 0; j < nc; ++j)
      for (int r = 0; r < kCount; ++r) sums[r * nc + j] += value[r] * row[j];
  }
}

/// The product of one batch item. The sum of an element is complete in `sums` only when k fits one block; else partial
/// sums go to c, and the last block applies alpha, beta, bias and activation: so c's old contents are scaled first.
void multiply(const MatmulArgs& args, const Block& block, const float* a, const float* b, float* c, float* scratch) {
  float* sums = scratch + block.kc * block.nc;
  for (std::int64_t j0 = 0; j0 < args.n; j0 += block.nc) {
    const std::int64_t nc = std::min(block.nc, args.n - j0);
    for (std::int64_t k0 = 0; k0 == 0 || k0 < args.k; k0 += block.kc) {
      const std::int64_t kc = std::min(block.kc, args.k - k0);
      for (std::int64_t k = 0; k < kc; ++k)
        for (std::int64_t j = 0; j < nc; ++j) scratch[k * nc + j] = b[(k0 + k) * args.b.row + (j0 + j) * args.b.col];
      MatmulArgs store = args;
      const bool first = k0 == 0, last = k0 + kc >= args.k;
      if (!first) store.beta = 1.0f, store.bias.data = nullptr;
      if (!last) store.activation = Activation::none;
      for (std::int64_t i = 0; i < args.m; i += kRows) {
        const std::int64_t rows = std::min(kRows, args.m - i);
        std::fill_n(sums, rows * nc, 0.0f);
        const float* from = a + i * args.a.row + k0 * args.a.col;
        if (rows == kRows)
          add_products<kRows>(from, args.a.row, args.a.col, scratch, kc, nc, sums);
        else
          for (std::int64_t r = 0; r < rows; ++r)
            add_products<1>(from + r * args.a.row, args.a.row, args.a.col, scratch, kc, nc, sums + r * nc);
        for (std::int64_t r = 0; r < rows; ++r)
          for (std::int64_t j = 0; j < nc; ++j) store_element(store, c, i + r, j0 + j, sums[r * nc + j]);
      }
    }
  }
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  MatmulProblem sizes;
  sizes.n = args.n;
  sizes.k = args.k;
  const Block block = block_for(sizes, *queue.machine);
  for_each_item(args, [&](const float* a, const float* b, float* c) {
    multiply(args, block, a, b, c, static_cast<float*>(workspace.data));
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu::matmul_f32_blocked
