// Idea:    AMX-BF16: tiles of 16 x 16 sums over 32 values of k an instruction, 32 x 32 sums at a time, on the loops, the
//          panels of b and the fused store of the vector kernel.
// Limits:  needs AMX-BF16; fewer rows than 16, columns than 32 or values than 32 of k cost what whole tiles cost; k is one
//          block. Denormals are flushed.
// Expect:  of 2.9 TFLOP/s that the instruction reaches on one thread of a Xeon with AMX at 2.8 GHz, prepared b, f32
//          results, tandem-dot-bench: 0.10 at 255 cubed (3.6 times vdpbf16ps), 0.25 at 512 (8), 0.17 at 1000 (5.8), 0.23
//          at 1024 (7.8).
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
