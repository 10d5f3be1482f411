// Idea:    register tiles (14 x 32 with AVX-512, 6 x 16 with AVX2) that read panels of a and b from L2, packed only
//          where the operands' own strides would hurt or a is larger than L2; the next panel is fetched by the tiles of
//          the present one; the store is fused, a bias and relu in the tiles. Few rows against a large b are streamed;
//          few rows against the columns of a transposed b, and few columns against rows, are dot products; up to six
//          columns are copied for that where they lie in rows. A few columns against an a in columns are the turned
//          product. With a short k a large c is written row by row. Threads share c as a grid and wait for nothing.
// Limits:  takes everything; k is never split, so a small m x n with a long k uses few threads; a transposed b of more
//          rows is packed in every call; without a unit stride c is stored element by element (6x301x1291 on a Xeon:
//          49 us so, 43 with c by rows).
// Expect:  of the multiply-add ceiling on Zen 5 (AVX-512, two 512-bit units), tandem-gemm-bench: 0.90 to 0.95 at 128 to
//          2048 cubed, odd sizes included, on one thread; 0.87 to 0.92 at 256 to 2048 cubed on two; 0.86 at
//          16x1024x1024, 0.82 at 64x4096x64; 0.85 of the read bandwidth at 1x4096x4096. 8x8x8 takes 66 to 92 ns. On a
//          Zen 3 core (AVX2) 1x4096x4096 with a transposed b takes a third of the time that packing it took. On a Xeon
//          0.73 to 0.88 from 256 to 2048 cubed, 1.03 to 1.18 times OpenBLAS; 2.5 times at 16x1024x1024, 1.4 to 1.7 at
//          64x4096x4096.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/matmul_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/gemm/dots-inl.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/pack-inl.h"
#include "cpu/gemm/skinny-inl.h"
#include "cpu/gemm/store-inl.h"
#include "cpu/gemm/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

const GemmSet& f32_gemm_set() {
  static const GemmSet kSet = {.mr = kMr,
                               .vectors = kVectors,
                               .lanes = static_cast<int>(hn::Lanes(F32())),
                               .group = 1,
                               .masks = kMasks,
                               .finishes = true,
                               .tiles = f32_tiles<Rows::side_by_side>(),
                               .tiles_along_k = f32_tiles<Rows::along_k>(),
                               .pack_a = pack_panel<AsTheyAre<float>>,
                               .pack_b = pack_panel<AsTheyAre<float>>,
                               .store = f32_store,
                               .skinny = skinny_kernels(),
                               .skinny_rows = kSkinnyRows,
                               .dots = dots_kernels<DotsOfF32>()};
  return kSet;
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/dots_cost.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/sets.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {
namespace {

HWY_EXPORT(f32_gemm_set);

}  // namespace

const GemmSet& f32_set(const CpuInfo& cpu) { return TANDEM_SIMD_CALL(cpu.isa, f32_gemm_set)(); }

}  // namespace tandem::cpu

namespace tandem::cpu::matmul_f32_simd {
namespace {

const GemmSet& set_for(const Machine& machine) { return f32_set(machine.cpu); }

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

// Beyond the multiply-adds, in cycles, fitted to 600 products on a Xeon (median error 13 % on others): a
// tile, a vector of c, more where something follows the sum; a value of an a in columns or of a transposed b, which are
// packed, and of a b in rows; each step along k of a partial vector, or without masks each row; and all of the latency
// where a tile has too few sums to hide it.
double cost(const MatmulProblem& p, const Machine& machine) {
  constexpr double kEfficiency = 0.85, kCall = 80e-9;
  constexpr double kTile = 50, kStored = 2.1, kInColumns = 1, kInRows = 0.15, kPartialStep = 0.2, kPartialRow = 20;
  constexpr double kLatency = 4, kFinished = 2, kPassed = 5;
  const GemmSet& set = set_for(machine);
  const ProductSize size{p.m, p.n, p.k, p.batch, p.a, p.b, Matmul::bytes(p), p.packed};
  if (is_dots(set, size)) return dots_seconds(set, size, machine);
  const auto count = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
  std::int64_t m = p.m, n = p.n;
  bool a_in_columns = p.a == Layout::column, b_in_columns = p.b == Layout::column;
  if (!p.packed && is_better_turned(set, m, n, p.k, a_in_columns, b_in_columns, machine.cpu)) {
    std::swap(m, n);
    a_in_columns = !std::exchange(b_in_columns, false);  // what was b by rows is now an a in columns
  }
  const std::int64_t vectors = ceil_div(n, set.lanes), tiles = ceil_div(m, set.mr) * ceil_div(n, set.nr());
  double cycles = kTile * static_cast<double>(tiles) + kStored * count(m, vectors);
  if (p.packed || b_in_columns || !is_skinny_size(set, m, n, p.k, machine.cpu)) {
    const std::int64_t rows = std::min<std::int64_t>(m, set.mr), columns = std::min<std::int64_t>(vectors, set.vectors);
    cycles += count(tiles, p.k) * std::max(0.0, kLatency - static_cast<double>(rows * columns) / 2);
  }
  const bool finished = p.activation == Activation::none || p.activation == Activation::relu;
  if (p.reads_c || !finished)
    cycles += kPassed * count(m, vectors);
  else if (p.bias || p.activation == Activation::relu)
    cycles += kFinished * count(m, vectors);
  if (n % set.lanes != 0) cycles += set.masks ? kPartialStep * count(m, p.k) : kPartialRow * static_cast<double>(m);
  if (a_in_columns && count(m, p.k) * kWord > kPackedFrom) cycles += kInColumns * count(m, p.k);
  cycles *= static_cast<double>(p.batch);
  if (!p.packed)
    cycles += (b_in_columns ? kInColumns : kInRows) * count(n, p.k) * static_cast<double>(p.shared_b ? 1 : p.batch);
  const int threads = threads_worth(Matmul::flops(p), machine.cpu.threads);
  const double cycle = 4.0 * set.lanes / assumed(machine.ceilings).cpu_flops;
  const double flops = 2 * static_cast<double>(p.batch) * count(m, round_up(n, set.lanes)) * static_cast<double>(p.k);
  return kCall + cycles * cycle / threads + cpu_seconds(machine, flops, Matmul::bytes(p), kEfficiency, threads);
}

std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  return gemm_workspace(set_for(machine), p.m, p.n, p.k, machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  run_matmul(set_for(*queue.machine), args, queue, workspace);
  return Code::ok;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu::matmul_f32_simd

#endif  // HWY_ONCE
