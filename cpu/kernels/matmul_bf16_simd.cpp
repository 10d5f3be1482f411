// Idea:    sums of products of pairs (vdpbf16ps) in tiles of 14 x 32 where the CPU has AVX512_BF16; elsewhere bf16
//          becomes f32 while it is packed, for the micro-kernels of the f32 product. The fused store rounds once. Of up
//          to four rows, pairs are made of rows of b as they are read. Up to eight rows against a transposed b, and
//          rows of a against up to eight columns, are dot products along k in f32, with nothing packed.
// Limits:  takes everything; k is one block, so very long sums leave the caches; a and b are packed in every call, b
//          unless it comes prepared (which has a meaning for pairs only) or rows are few. Pairs flush denormals.
// Expect:  of the vdpbf16ps ceiling on Zen 5, f32 results, prepared b, one thread, tandem-dot-bench: 0.88 at 255 cubed,
//          0.93 at 512 and 1024 (2.0 times the f32 product); 0.83 to 0.90 unprepared. 1x4096x4096 on a
//          Xeon with AMX: b at 26 GB/s alone in tandem-compare, at 14 among others in tandem-dot-bench. Dot
//          products there: 1x4096x4096,tb and 4096x1x4096 at 28 GB/s, the rate of L3, 2.0 and 5.8 times as fast as
//          packed; 1024x8x1024 2.7 times.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/matmul_bf16_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/dot/choose.h"
#include "cpu/gemm/dots-inl.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/pack-inl.h"
#include "cpu/gemm/pack_lines-inl.h"
#include "cpu/gemm/store-inl.h"
#include "cpu/gemm/tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

// `dot` is null where there is no instruction for pairs.
GemmSet bf16_gemm_set(const DotTiles* dot) {
  GemmSet set;
  set.element = 2;
  set.store = bf16_store;
#if HWY_TARGET != HWY_SCALAR  // a vector holds a pair
  set.dots = dots_kernels<DotsOfBf16>();
#endif
  if (dot != nullptr) {
    set.mr = dot->mr;
    set.vectors = dot->vectors;
    set.lanes = dot->lanes;
    set.group = 2;
    set.tiles = dot->tiles;
    set.skinny = dot->skinny;
    set.skinny_rows = dot->skinny_rows;
    set.pack_a = set.pack_b = pack_panel<AsTheyAre<std::uint16_t>>;
    set.pack_lines = pack_lines<std::uint16_t>;
  } else {
    set.mr = kMr;
    set.vectors = kVectors;
    set.lanes = static_cast<int>(hn::Lanes(F32()));
    set.masks = kMasks;
    set.finishes = true;
    set.tiles = f32_tiles<Rows::side_by_side>();
    set.tiles_along_k = f32_tiles<Rows::along_k>();
    set.pack_a = set.pack_b = pack_panel<WidenedBf16>;
  }
  return set;
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "cpu/gemm/packed_cost.h"
#include "cpu/gemm/sets.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {
namespace {

HWY_EXPORT(bf16_gemm_set);

}  // namespace

GemmSet bf16_set(const CpuInfo& cpu) { return TANDEM_SIMD_CALL(cpu.isa, bf16_gemm_set)(bf16_dot_tiles(cpu)); }

}  // namespace tandem::cpu

namespace tandem::cpu::matmul_bf16_simd {
namespace {

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::bf16 ? nullptr : "needs bf16 operands";
}

double cost(const MatmulProblem& p, const Machine& machine) {
  const bool pairs = machine.cpu.has_bf16_dot();
  return packed_seconds(bf16_set(machine.cpu), {p.m, p.n, p.k, p.batch, p.a, p.b, Matmul::bytes(p), p.packed && pairs},
                        machine, 0.88 / bf16_ceiling_ratio(machine.cpu),
                        pairs ? &Ceilings::cpu_bf16_flops : &Ceilings::cpu_flops);
}

std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  return gemm_workspace(bf16_set(machine.cpu), p.m, p.n, p.k, machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  run_matmul(bf16_set(queue.machine->cpu), args, queue, workspace);
  return Code::ok;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu::matmul_bf16_simd

#endif  // HWY_ONCE
