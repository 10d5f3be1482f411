// Idea:    widen bytes to 32 bits, subtract, convert, multiply; results that no cache would hold are stored past the
//          caches; strided elements are gathered in pieces. s8 and u8.
// Limits:  strided elements cost several times what contiguous ones do.
// Expect:  one thread, AVX-512: 1e5 elements 0.80 of copying in L2, 1e6 0.79 of copying in L3; 3e7 0.60 of copying in
//          memory, four bytes being written for each one read
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/dequantize_s8_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/loops/integers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

void dequantize_run(DType dtype, const void* q, const ScaleRun& run, float* x, size_t n, bool stream) {
  if (dtype == DType::u8)
    dequantize_typed(static_cast<const std::uint8_t*>(q), run, x, n, stream);
  else
    dequantize_typed(static_cast<const std::int8_t*>(q), run, x, n, stream);
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/quantize.h"
#include "cpu/loops/scaled_runs.h"

namespace tandem::cpu::dequantize_s8_simd {
namespace {

HWY_EXPORT(dequantize_run);

double cost(const QuantizeProblem& p, const Machine& machine) {
  const double weight = (p.contiguous ? 1 : 40) * 5;
  return cpu_seconds(machine, weight * static_cast<double>(p.elements), Dequantize::bytes(p), 1,
                     threads_worth(p.elements, kElementsPerThread, machine.cpu.threads));
}

Code run(const QuantizeArgs& args, const Queue& queue, Workspace) {
  const auto dequantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, dequantize_run);
  for_scaled_runs<std::uint8_t, float>(
      args, queue, [&](const std::uint8_t* q, const ScaleRun& scales, float* x, std::int64_t n, bool stream) {
        dequantize(args.dtype, q, scales, x, static_cast<std::size_t>(n), stream);
      });
  return Code::ok;
}

}  // namespace

extern const Kernel<Dequantize> kKernel;
const Kernel<Dequantize> kKernel = {.needs = {},
                                    .traits = {},
                                    .supports = supports_all<Dequantize>,
                                    .cost = cost,
                                    .workspace = no_workspace<Dequantize>,
                                    .run = run};

}  // namespace tandem::cpu::dequantize_s8_simd

#endif  // HWY_ONCE
