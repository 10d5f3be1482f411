// Idea:    for each vector a product, a fused multiply-add and a conversion, which give the bits of the division
//          (cpu/loops/integers.h); four of them packed to one vector of bytes, which also shows where one was NaN or
//          far out and has to be done with care; results that no cache would hold are stored past the caches; strided
//          elements are gathered in pieces.
// Limits:  scales beyond 2^+-64, a scale for every element, and instruction sets without fused multiply-add divide.
// Expect:  one thread of Zen 5, before far values were looked for afterwards (on a Xeon, where nothing but the units
//          for arithmetic counts, that made it 1.17 times as fast): 1e5 elements 199 GB/s (183 to a range that is not
//          the whole of the type) where relu reaches 226 to 255 (0.76 of reading L2); 1e6 0.97 of reading L3; 3e7 0.98
//          of reading memory
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/quantize_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/loops/integers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

void quantize_run(DType dtype, const float* x, const ScaleRun& run, void* q, size_t n, bool stream) {
  if (dtype == DType::u8)
    quantize_typed(x, run, static_cast<std::uint8_t*>(q), n, stream);
  else
    quantize_typed(x, run, static_cast<std::int8_t*>(q), n, stream);
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

namespace tandem::cpu::quantize_f32_simd {
namespace {

HWY_EXPORT(quantize_run);

double cost(const QuantizeProblem& p, const Machine& machine) {
  const double weight = (p.contiguous ? 1 : 40) * (p.place == ScalePlace::run ? 6 : 12);
  return cpu_seconds(machine, weight * static_cast<double>(p.elements), Quantize::bytes(p), 1,
                     threads_worth(p.elements, kElementsPerThread, machine.cpu.threads));
}

Code run(const QuantizeArgs& args, const Queue& queue, Workspace) {
  const auto quantize = TANDEM_SIMD_CALL(queue.machine->cpu.isa, quantize_run);
  for_scaled_runs<float, std::uint8_t>(
      args, queue, [&](const float* x, const ScaleRun& scales, std::uint8_t* q, std::int64_t n, bool stream) {
        quantize(args.dtype, x, scales, q, static_cast<std::size_t>(n), stream);
      });
  return Code::ok;
}

}  // namespace

extern const Kernel<Quantize> kKernel;
const Kernel<Quantize> kKernel = {.needs = {},
                                  .traits = {},
                                  .supports = supports_all<Quantize>,
                                  .cost = cost,
                                  .workspace = no_workspace<Quantize>,
                                  .run = run};

}  // namespace tandem::cpu::quantize_f32_simd

#endif  // HWY_ONCE
