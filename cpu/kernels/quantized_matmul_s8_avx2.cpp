// Idea:    for CPUs without dot products of bytes: these become 16 bits while they are packed, and pairs of them are
//          multiplied and summed exactly (vpmaddwd; vpmaddubsw would saturate), in tiles of 6 x 16 on the loops of the
//          f32 product; the store is fused. Few rows against a transposed b, and few columns, are dot products along
//          k, widened as they are read.
// Limits:  panels take two bytes a value; b is packed in every call, unless rows or columns are few.
// Expect:  of the vpmaddwd ceiling on Zen 5, f32 results, one thread, tandem-dot-bench: 0.83 at 255 cubed, 0.88 at 512,
//          0.91 at 1024; few rows are bound by packing b (2.3 GB/s at 1x4096x4096). Dot products on a Xeon: 1712x1x448
//          19 us, an eighth of the packed product, 4096x1x4096 at 28 GB/s, the rate of L3.
#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "cpu/dot/choose.h"
#include "cpu/gemm/int_gemm.h"
#include "cpu/gemm/packed_cost.h"
#include "cpu/gemm/sets.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu::quantized_matmul_s8_avx2 {
namespace {

Refusal supports(const QuantizedMatmulProblem&, const Machine&) {
  return s16_avx2.tiles != nullptr ? nullptr : "this library was compiled without AVX2";
}

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  // The ceiling is that of these instructions only where there are no better ones, which do four times as much a
  // vector.
  const CpuInfo& cpu = machine.cpu;
  const double efficiency = 0.88 / (cpu.avx512_vnni ? 4.5 : cpu.avx_vnni ? 2.25 : 1) / s8_ceiling_ratio(cpu);
  return packed_seconds(
      s16_set(p.a == DType::u8),
      {p.m, p.n, p.k, 1, p.a_layout, p.b_layout, QuantizedMatmul::bytes(p), false, p.b_zero_points, p.a_zero_points},
      machine, efficiency, &Ceilings::cpu_s8_ops);
}

std::size_t workspace(const QuantizedMatmulProblem& p, const Machine& machine) {
  return int_gemm_workspace(s16_set(p.a == DType::u8), p.m, p.n, p.k, machine);
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace workspace) {
  int_gemm(s16_set(args.a_type == DType::u8), 0, args, queue, workspace);
  return Code::ok;
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {.needs = {.isa = IsaLevel::avx2},
                                         .traits = {},
                                         .supports = supports,
                                         .cost = cost,
                                         .workspace = workspace,
                                         .run = run};

}  // namespace tandem::cpu::quantized_matmul_s8_avx2
