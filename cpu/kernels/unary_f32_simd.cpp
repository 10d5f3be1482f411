// Idea:    two to six vectors in step through the functions of cpu/simd/math-inl.h; results that no cache would hold
//          are stored past the caches; strided operands are gathered in pieces.
// Limits:  strided elements cost several times what contiguous ones do.
// Expect:  measured on a Zen 5 server core, one thread: relu 0.93 to 0.99 of a copy in L2, and above the last-level
//          cache 0.92 to 1.0 of a copy with non-temporal stores; over Eigen with -march=native on 1e5 elements exp 1.5,
//          sigmoid 1.4, tanh 1.2, gelu_erf 1.5, gelu_tanh 1.6, silu 1.2 times (tandem-simd-math-bench).
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/unary_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tandem/ops.h>

#include "cpu/loops/map-inl.h"
#include "cpu/simd/math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

// y[0 .. n) = fn(x[0 .. n)); y may be x.
void unary_run(UnaryFn fn, const float* x, float* y, size_t n, bool stream) {
  const F32 d;
  const FromArray in{x};
  switch (fn) {
#define TANDEM_CASE(name, batch)                                                       \
  case UnaryFn::name:                                                                  \
    map_run<batch>(                                                                    \
        n, y, stream, [d](const auto& v) TANDEM_LAMBDA { return v##name(d, v); }, in); \
    break;
    TANDEM_CASE(relu, kSmallBatch)
    TANDEM_CASE(gelu_erf, kPairBatch)
    TANDEM_CASE(gelu_tanh, kSmallBatch)
    TANDEM_CASE(gelu_sigmoid, kSmallBatch)
    TANDEM_CASE(sigmoid, kLargeBatch)
    TANDEM_CASE(tanh, kSmallBatch)
    TANDEM_CASE(silu, kSmallBatch)
    TANDEM_CASE(exp, kSmallBatch)
#undef TANDEM_CASE
  }
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::unary_f32_simd {
namespace {

HWY_EXPORT(unary_run);

// Half of the elements from which two threads were measured to be faster than one, the pool being awake.
std::int64_t per_thread(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::relu:
      return 16384;
    case UnaryFn::exp:
    case UnaryFn::sigmoid:
    case UnaryFn::tanh:
      return 12288;
    default:
      return 10240;
  }
}

Refusal supports(const UnaryProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

// Multiply-adds that would take as long as one element of the function at the arithmetic ceiling.
double weight(UnaryFn fn) {
  switch (fn) {
    case UnaryFn::relu:
      return 1;
    case UnaryFn::exp:
      return 10;
    case UnaryFn::sigmoid:
      return 11;
    case UnaryFn::tanh:
      return 12;
    default:
      return 16;
  }
}

double cost(const UnaryProblem& p, const Machine& machine) {
  const int threads = threads_worth(p.elements, per_thread(p.fn), machine.cpu.threads);
  const double spread = p.contiguous ? 1 : 20;
  return cpu_seconds(machine, 2 * weight(p.fn) * spread * Unary::flops(p), Unary::bytes(p), 1, threads);
}

Code run(const UnaryArgs& args, const Queue& queue, Workspace) {
  const auto unary = TANDEM_SIMD_CALL(queue.machine->cpu.isa, unary_run);
  const auto* x = static_cast<const float*>(args.x);
  auto* y = static_cast<float*>(args.y);
  const std::int64_t elements = args.loops.elements;
  const bool contiguous = args.loops.contiguous();
  const bool stream = contiguous && x != y && bypass_caches(*queue.machine, elements * 2 * 4);
  for_shares(queue, elements, 64, per_thread(args.fn), [&](std::int64_t begin, std::int64_t end) {
    if (contiguous) return unary(args.fn, x + begin, y + begin, static_cast<std::size_t>(end - begin), stream);
    for_unit_runs(args.loops, x, y, begin, end, [&](const float* from, float* to, std::int64_t count) {
      unary(args.fn, from, to, static_cast<std::size_t>(count), false);
    });
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Unary> kKernel;
const Kernel<Unary> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = no_workspace<Unary>, .run = run};

}  // namespace tandem::cpu::unary_f32_simd

#endif  // HWY_ONCE
