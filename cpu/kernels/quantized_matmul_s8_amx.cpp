// Idea:    AMX-INT8: tiles of 16 x 16 sums over 64 values of k an instruction, 32 x 32 sums at a time; 32 rows of a
//          sweep over a block of b in the panels of the vector kernel, and its fused store takes a tile while the next
//          is computed. s8 and u8 are multiplied as they are, so that nothing has to be taken back.
// Limits:  needs AMX-INT8; fewer rows than 16, columns than 32 or values than 64 of k cost what whole tiles cost; k is
//          one block; b is packed in every call unless it comes prepared.
// Expect:  of 6.8 TOP/s that the instruction reaches on one thread of a Xeon with AMX at 3.7 GHz, prepared b, f32
//          results, tandem-dot-bench: 0.20 at 255 cubed (2.4 times the vector kernel), 0.44 at 512 (4), 0.22 to 0.30 at
//          1000, 0.36 to 0.42 at 1024, 0.29 at 2048 (3), where c and a come from the last-level cache.
#include "common/dispatch/kernel.h"
#include "common/ops/quantized_matmul.h"
#include "cpu/gemm/amx.h"
#include "cpu/gemm/int_gemm.h"
#include "cpu/gemm/sets.h"

namespace tandem::cpu::quantized_matmul_s8_amx {
namespace {

GemmSet set_for(const CpuInfo& cpu, bool is_unsigned) {
  return amx_set(s8_set(cpu, is_unsigned), is_unsigned ? u8_amx : s8_amx);
}

Refusal supports(const QuantizedMatmulProblem&, const Machine& machine) {
  // Sweeps take panels as wide as those of AVX-512 VNNI, which every CPU with AMX has.
  return machine.cpu.has_amx_int8() && machine.cpu.avx512_vnni ? nullptr : "needs AMX-INT8";
}

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return amx_seconds(
      {p.m, p.n, p.k, 1, p.a_layout, p.b_layout, QuantizedMatmul::bytes(p), p.packed, p.b_zero_points, p.a_zero_points},
      machine, 4, p.b_zero_points, &Ceilings::cpu_s8_ops);
}

std::size_t workspace(const QuantizedMatmulProblem& p, const Machine& machine) {
  return gemm_workspace(set_for(machine.cpu, p.a == DType::u8), p.m, p.n, p.k, machine);
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace workspace) {
  int_gemm(set_for(queue.machine->cpu, args.a_type == DType::u8), 0, args, queue, workspace);
  return Code::ok;
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {.needs = {.isa = IsaLevel::avx512, .amx_int8 = true},
                                         .traits = {},
                                         .supports = supports,
                                         .cost = cost,
                                         .workspace = workspace,
                                         .run = run};

}  // namespace tandem::cpu::quantized_matmul_s8_amx
