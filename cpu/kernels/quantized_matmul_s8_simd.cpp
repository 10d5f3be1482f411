// Idea:    dot products of four bytes at a time (vpdpbusd: AVX-512 VNNI in tiles of 14 x 32, AVX-VNNI in tiles of 6 x
//          16) on the loops of the f32 product; s8 becomes u8 while it is packed, and the fused store takes 128 times
//          the sums of b's columns back, with the zero points, scales, bias, activation or requantisation. Up to four
//          rows (one without AVX-512) read b in place. With a short k a large c is written row by row. Up to eight rows
//          against a transposed b, and rows of a against up to eight columns, are dot products along k: nothing is
//          packed, s8 becomes u8 as it is read.
// Limits:  needs one of these instruction sets; k is one block, so very long sums leave the caches; b is packed in
//          every call unless it comes prepared or rows or columns are few.
// Expect:  of the vpdpbusd ceiling on Zen 5 (AVX-512, f32 results, prepared b), one thread, tandem-dot-bench: 0.90 at
//          2048 cubed, 0.88 at 1024 (3.8 times the f32 product), 0.87 at 512, 0.86 at 1000, 0.80 at 255; b at 0.9
//          of the read bandwidth of L3 at 1x4096x4096. Without preparation 0.02 to 0.06 less, and b at 0.3 of
//          that bandwidth. On a Xeon with AMX 0.74 at 2048, 0.66 at 1024, 0.54 to 0.60 at 1000, 0.73 at 512, 0.63 at
//          255, and 1x4096x4096 without preparation at 0.8 of the rate with it.
//          Since these figures the rest of a row of a is read with masks: on a Cascade Lake 1.035 times as fast at 255.
//          Dot products on that Xeon: 1712x1x448 7.3 us, a tenth of the packed product, 4096x1x4096 and 1x4096x4096,tb
//          at 28 GB/s, the rate of L3; 1024x8x1024 half of the packed product's time, three times that of `amx`.
#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "cpu/dot/choose.h"
#include "cpu/gemm/int_gemm.h"
#include "cpu/gemm/packed_cost.h"
#include "cpu/gemm/sets.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu::quantized_matmul_s8_simd {
namespace {

constexpr std::int32_t kShift = 128;  // what makes u8 of s8

Refusal supports(const QuantizedMatmulProblem&, const Machine& machine) {
  return machine.cpu.has_s8_dot() ? nullptr : "needs AVX-512 VNNI or AVX-VNNI";
}

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return packed_seconds(s8_set(machine.cpu, p.a == DType::u8),
                        {p.m, p.n, p.k, 1, p.a_layout, p.b_layout, QuantizedMatmul::bytes(p), p.packed, p.b_zero_points,
                         p.a_zero_points || p.a == DType::s8},
                        machine, 0.8 / s8_ceiling_ratio(machine.cpu), &Ceilings::cpu_s8_ops);
}

std::size_t workspace(const QuantizedMatmulProblem& p, const Machine& machine) {
  return int_gemm_workspace(s8_set(machine.cpu, p.a == DType::u8), p.m, p.n, p.k, machine);
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace workspace) {
  const bool is_unsigned = args.a_type == DType::u8;
  int_gemm(s8_set(queue.machine->cpu, is_unsigned), is_unsigned ? 0 : kShift, args, queue, workspace);
  return Code::ok;
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {.needs = {.isa = IsaLevel::avx2, .s8_dot = true},
                                         .traits = {},
                                         .supports = supports,
                                         .cost = cost,
                                         .workspace = workspace,
                                         .run = run};

}  // namespace tandem::cpu::quantized_matmul_s8_simd
