// Idea:    for columns of b whose elements are neighbours: each sum is eight chains of multiply-adds, element by
//          element, so that none waits for the one before it. Gathers would be the SIMD form of it; where they were
//          measured they are slower. What b holds in rows of no stored element is never read, which counts where a has
//          few rows.
// Limits:  a b in columns; a single column of other strides is copied.
// Expect:  0.25 to 0.28 ns a stored element and 1 ns a row on one thread of a Zen 5 server core, a in L2 or L3: 1.4 to
//          2.5 times the reference, whose single chain waits for each multiply-add, 1.7 to 2.3 times the simd kernel.
//          2x96x1792 with three stored elements: 1.4 us, where copying b takes the simd kernel 15.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/spmm_csr_vector.cpp"
#include "cpu/simd/simd.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "common/ops/spmm.h"
#include "cpu/gemm/store-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr int kChains = 8;

HWY_INLINE float multiply_add(float x, float y, float sum) {
#if HWY_NATIVE_FMA
  return __builtin_fmaf(x, y, sum);
#else
  return x * y + sum;
#endif
}

// Row i of a times b, whose elements are neighbours.
HWY_INLINE float product_of_row(const SpmmArgs& args, std::int64_t i, const float* HWY_RESTRICT b) {
  const float* HWY_RESTRICT values = args.values;
  const std::int32_t* HWY_RESTRICT columns = args.columns;
  const std::int64_t end = args.row_offsets[i + 1];
  std::int64_t p = args.row_offsets[i];
  float sum[kChains] = {};
  for (; p + kChains <= end; p += kChains)
#pragma GCC unroll 8
    for (int u = 0; u < kChains; ++u) sum[u] = multiply_add(values[p + u], b[columns[p + u]], sum[u]);
  for (; p < end; ++p) sum[0] = multiply_add(values[p], b[columns[p]], sum[0]);
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// Sums that wait to be stored: a multiple of the lanes, since whole vectors are read.
constexpr std::int64_t kSums = 64;

// Stores part of row i of d's c, from column j on.
HWY_INLINE void put(const MatmulArgs& d, const float* sums, std::int64_t i, std::int64_t j, std::int64_t count) {
  StoreArgs store;
  store.tile = sums;
  store.tile_row = kSums;
  store.rows = 1;
  store.columns = count;
  store.i = i;
  store.j = j;
  store.c = static_cast<float*>(d.c.data) + i * d.c.row + j * d.c.col;
  store.args = &d;
  f32_store(store);
}

// Rows [first, last) of the product; columns of b are `b_col` apart. c is stored in parts of its rows, or of its
// columns, which are the rows of a turned c.
void multiply_rows(const SpmmArgs& args, const float* b, std::int64_t b_col, bool by_rows, std::int64_t first,
                   std::int64_t last) {
  HWY_ALIGN float sums[kSums] = {};
  const std::int64_t n = args.dense.n;
  if (by_rows) {
    for (std::int64_t i = first; i < last; ++i)
      for (std::int64_t j = 0; j < n; j += kSums) {
        const std::int64_t count = std::min(kSums, n - j);
        for (std::int64_t s = 0; s < count; ++s) sums[s] = product_of_row(args, i, b + (j + s) * b_col);
        put(args.dense, sums, i, j, count);
      }
    return;
  }
  MatmulArgs turned = args.dense;
  std::swap(turned.c.row, turned.c.col);
  std::swap(turned.bias.row, turned.bias.col);
  for (std::int64_t i = first; i < last; i += kSums) {
    const std::int64_t rows = std::min(kSums, last - i);
    for (std::int64_t j = 0; j < n; ++j) {
      for (std::int64_t r = 0; r < rows; ++r) sums[r] = product_of_row(args, i + r, b + j * b_col);
      put(turned, sums, j, i, rows);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/ops/spmm.h"
#include "cpu/loops/walk.h"
#include "cpu/sparse/rows.h"

namespace tandem::cpu::spmm_csr_vector {
namespace {

HWY_EXPORT(multiply_rows);

// A store begins in some 60 cycles: short rows of c are stored as parts of its columns.
bool stores_rows(std::int64_t n, Layout c) { return n > 8 && c != Layout::column; }

Refusal supports(const SpmmProblem& p, const Machine&) {
  return p.n <= 1 || p.b == Layout::column ? nullptr : "needs a b in columns, or of one";
}

std::size_t workspace(const SpmmProblem& p, const Machine&) {
  return p.n > 1 ? 0 : static_cast<std::size_t>(p.k) * sizeof(float);
}

// 0.27 ns a stored element and 1 ns a row, where one thread reaches 280 GFLOP/s.
double cost(const SpmmProblem& p, const Machine& machine) {
  constexpr double kCall = 20e-9;
  const double unit = 75 / assumed(machine.ceilings).cpu_flops;
  const auto blocks = [](std::int64_t size) { return static_cast<double>((size + 63) / 64); };
  const auto m = static_cast<double>(p.m), n = static_cast<double>(p.n);
  const double stores = stores_rows(p.n, p.c) ? m * blocks(p.n) : blocks(p.m) * n;
  const double work = (static_cast<double>(p.stored) + 4 * m) * n + 50 * stores;
  const int threads = threads_worth(flops_worth(p.stored, p.m, p.n), machine.cpu.threads);
  return kCall + std::max(cpu_seconds(machine, Spmm::flops(p), Spmm::bytes(p), 0.9, threads),
                          fork_seconds(machine, threads) + work * unit / threads);
}

Code run(const SpmmArgs& args, const Queue& queue, Workspace scratch) {
  const MatmulArgs& d = args.dense;
  if (d.m == 0 || d.n == 0) return Code::ok;
  const auto* b = static_cast<const float*>(d.b.data);
  if (d.b.row != 1 && args.stored > 0) {  // one column
    auto* copy = static_cast<float*>(scratch.data);
    gather(b, copy, d.b.row, d.k);
    b = copy;
  }
  const auto rows = TANDEM_SIMD_CALL(queue.machine->cpu.isa, multiply_rows);
  const bool by_rows = stores_rows(d.n, layout_of(d.c));
  for_each_share_of_rows(args, queue,
                         [&](std::int64_t first, std::int64_t last) { rows(args, b, d.b.col, by_rows, first, last); });
  return Code::ok;
}

}  // namespace

extern const Kernel<Spmm> kKernel;
const Kernel<Spmm> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu::spmm_csr_vector

#endif  // HWY_ONCE
