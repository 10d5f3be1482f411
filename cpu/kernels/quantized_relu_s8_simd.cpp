// Idea:    one comparison for a vector of bytes, s8 and u8; results that no cache would hold are stored past the
//          caches.
// Limits:  element by element where zero points differ along a run, or elements are strided.
// Expect:  the same bits as the reference; its speed was not measured.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/quantized_relu_s8_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/loops/integers-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

void quantized_relu_run(DType dtype, const void* q, const ScaleRun& run, void* y, size_t n, bool stream) {
  if (dtype == DType::u8)
    relu_typed(static_cast<const std::uint8_t*>(q), run, static_cast<std::uint8_t*>(y), n, stream);
  else
    relu_typed(static_cast<const std::int8_t*>(q), run, static_cast<std::int8_t*>(y), n, stream);
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/requantize.h"
#include "cpu/loops/scaled_runs.h"

namespace tandem::cpu::quantized_relu_s8_simd {
namespace {

HWY_EXPORT(quantized_relu_run);

double cost(const QuantizedReluProblem& p, const Machine& machine) {
  const double weight = p.contiguous && p.place == ScalePlace::run ? 0.5 : 40;
  return cpu_seconds(machine, weight * static_cast<double>(p.elements), QuantizedRelu::bytes(p), 1,
                     threads_worth(p.elements, 4 * kElementsPerThread, machine.cpu.threads));
}

template <class T>
void one_by_one(const QuantizedReluArgs& args, std::int64_t begin, std::int64_t end) {
  Walker<3> at(args.loops, begin);
  for (; begin < end; ++begin, at.next()) {
    const T zero = static_cast<T>(args.zero_points ? args.zero_points[at.offset(1)] : 0);
    static_cast<T*>(args.y)[at.offset(2)] = std::max(static_cast<const T*>(args.q)[at.offset(0)], zero);
  }
}

Code run(const QuantizedReluArgs& args, const Queue& queue, Workspace) {
  if (args.loops.elements == 0) return Code::ok;
  const auto relu = TANDEM_SIMD_CALL(queue.machine->cpu.isa, quantized_relu_run);
  const Loops<3>& loops = args.loops;
  const int last = loops.rank - 1;
  const bool runs = loops.rank > 0 && loops.strides[0][last] == 1 && loops.strides[2][last] == 1 &&
                    loops.strides[1][last] == 0 && loops.shape[last] >= kShortRun;
  const bool stream =
      runs && args.q != args.y && loops.shape[last] >= 4096 && bypass_caches(*queue.machine, 2 * loops.elements);
  for_shares(queue, loops.elements, 64, 4 * kElementsPerThread, [&](std::int64_t begin, std::int64_t end) {
    if (!runs && args.dtype == DType::u8) return one_by_one<std::uint8_t>(args, begin, end);
    if (!runs) return one_by_one<std::int8_t>(args, begin, end);
    for_rows(loops, begin, end, [&](const std::int64_t(&at)[3], std::int64_t count) {
      ScaleRun run;
      run.zero_points = args.zero_points ? args.zero_points + at[1] : nullptr;
      relu(args.dtype, static_cast<const std::uint8_t*>(args.q) + at[0], run,
           static_cast<std::uint8_t*>(args.y) + at[2], static_cast<std::size_t>(count), stream);
    });
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<QuantizedRelu> kKernel;
const Kernel<QuantizedRelu> kKernel = {.needs = {},
                                       .traits = {},
                                       .supports = supports_all<QuantizedRelu>,
                                       .cost = cost,
                                       .workspace = no_workspace<QuantizedRelu>,
                                       .run = run};

}  // namespace tandem::cpu::quantized_relu_s8_simd

#endif  // HWY_ONCE
