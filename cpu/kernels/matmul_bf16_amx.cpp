// Idea:    AMX-BF16: tiles of 16 x 16 sums over 32 values of k an instruction, 32 x 32 sums at a time; 32 rows of a
//          sweep over a block of b in the panels of the vector kernel, and its fused store takes a tile while the next
//          is computed.
// Limits:  needs AMX-BF16; fewer rows than 16, columns than 32 or values than 32 of k cost what whole tiles cost; k is
//          one block. Denormals are flushed.
// Expect:  of 3.4 TFLOP/s that the instruction reaches on one thread of a Xeon with AMX at 3.7 GHz, prepared b, f32
//          results, tandem-dot-bench: 0.29 at 255 cubed (9 times vdpbf16ps), 0.42 to 0.48 at 512, 0.29 to 0.33 at 1024
//          and 2048, where c and a come from the last-level cache.
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cpu/gemm/amx.h"
#include "cpu/gemm/sets.h"

namespace tandem::cpu::matmul_bf16_amx {
namespace {

GemmSet set_for(const CpuInfo& cpu) { return amx_set(bf16_set(cpu), bf16_amx); }

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (!machine.cpu.has_amx_bf16() || !machine.cpu.has_bf16_dot()) return "needs AMX-BF16";
  return p.dtype == DType::bf16 ? nullptr : "needs bf16 operands";
}

double cost(const MatmulProblem& p, const Machine& machine) {
  return amx_seconds({p.m, p.n, p.k, p.batch, p.a, p.b, Matmul::bytes(p), p.packed}, machine, 2, false,
                     &Ceilings::cpu_bf16_flops);
}

std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  return gemm_workspace(set_for(machine.cpu), p.m, p.n, p.k, machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace workspace) {
  run_matmul(set_for(queue.machine->cpu), args, queue, workspace);
  return Code::ok;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {.needs = {.isa = IsaLevel::avx512, .amx_bf16 = true},
                                .traits = {},
                                .supports = supports,
                                .cost = cost,
                                .workspace = workspace,
                                .run = run};

}  // namespace tandem::cpu::matmul_bf16_amx
