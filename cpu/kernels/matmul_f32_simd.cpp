// Idea:    register tiles (14 x 32 with AVX-512, 6 x 16 with AVX2) that read panels of a and b from L2, packed only
//          where the operands' own strides would hurt; the next panel is fetched by the tiles of the present one; the
//          store is fused, a bias and relu in the tiles. Few rows against a large b are streamed; few rows against the
//          columns of a transposed b, and few columns against rows, are dot products; up to six columns are copied for
//          that where they lie in rows. With a short k a large c is written row by row. Threads share c as a grid and
//          wait for nothing.
// Limits:  takes everything; k is never split, so a small m x n with a long k uses few threads; a transposed b of more
//          rows is packed in every call; without a unit stride c is stored element by element (6x301x1291 on a Xeon:
//          49 us so, 43 with c by rows).
// Expect:  of the multiply-add ceiling on Zen 5 (AVX-512, two 512-bit units), tandem-gemm-bench: 0.90 to 0.95 at 128 to
//          2048 cubed, odd sizes included, on one thread; 0.87 to 0.92 at 256 to 2048 cubed on two; 0.86 at
//          16x1024x1024, 0.82 at 64x4096x64; 0.85 of the read bandwidth at 1x4096x4096. 8x8x8 takes 66 to 92 ns. On a
//          Zen 3 core (AVX2) 1x4096x4096 with a transposed b takes a third of the time that packing it took. On a Xeon
//          0.72 to 0.82 from 256 to 2048 cubed, as OpenBLAS; 2.4 times OpenBLAS at 16x1024x1024, 1.6 at 64x4096x4096.
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

double cost(const MatmulProblem& p, const Machine& machine) {
  constexpr double kEfficiency = 0.9, kCall = 40e-9;
  const GemmSet& set = set_for(machine);
  const ProductSize size{p.m, p.n, p.k, p.batch, p.a, p.b, Matmul::bytes(p), p.packed};
  if (is_dots(set, size)) return dots_seconds(set, size, machine);
  // The last vector of a row costs as much as a whole one.
  const double flops = 2.0 * static_cast<double>(p.m * p.batch) * static_cast<double>(round_up(p.n, set.lanes)) *
                       static_cast<double>(p.k);
  // Packing a transposed b takes some 1.2 cycles an element, in which this many flops could be done.
  const std::int64_t items = p.shared_b ? 1 : p.batch;
  const double packed = p.b == Layout::column ? static_cast<double>(items * p.n * p.k) : 0;
  const int threads = threads_worth(Matmul::flops(p), machine.cpu.threads);
  // Short sums: a tile costs some 60 cycles beyond its multiply-adds, a row of a partial vector without masks some 20.
  const std::int64_t tiles = p.batch * ceil_div(p.m, set.mr) * ceil_div(p.n, set.nr());
  const std::int64_t partial = set.masks || p.n % set.lanes == 0 ? 0 : p.batch * p.m;
  // Cycles a vector of c: a bias and relu are added in registers, the rest takes another pass.
  const bool finished = p.activation == Activation::none || p.activation == Activation::relu;
  const double extra = p.reads_c || !finished ? 5 : p.bias || p.activation == Activation::relu ? 2 : 0;
  const std::int64_t stores = p.batch * p.m * ceil_div(p.n, set.lanes);
  const double cycle = 4.0 * set.lanes / assumed(machine.ceilings).cpu_flops;
  return kCall +
         (static_cast<double>(60 * tiles + 20 * partial) + extra * static_cast<double>(stores)) * cycle / threads +
         cpu_seconds(machine, flops + packed * 1.2 * 4 * set.lanes, Matmul::bytes(p), kEfficiency, threads);
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
