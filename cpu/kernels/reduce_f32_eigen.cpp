// Idea:    the formulas as Eigen reductions in double, compiled for the baseline instruction set.
// Limits:  one thread; elements that are not contiguous are gathered in pieces.
// Expect:  no fraction of a ceiling: it is the reference that the other kernels are compared with.
#include <Eigen/Core>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/reduce.h"
#include "cpu/loops/partial.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::reduce_f32_eigen {
namespace {

using Array = Eigen::Map<const Eigen::ArrayXf>;

Partial reduced(ReduceFn fn, const Array& a, const Array& b) {
  const auto x = a.cast<double>(), y = b.cast<double>();
  switch (fn) {
    case ReduceFn::sum:
      return {{x.sum()}};
    case ReduceFn::max:
      return {{a.isNaN().any() ? std::numeric_limits<double>::quiet_NaN() : x.maxCoeff()}};
    case ReduceFn::dot:
      return {{(x * y).sum()}};
    case ReduceFn::euclidean_distance:
      return {{(x - y).square().sum()}};
    case ReduceFn::cosine_similarity:
      return {{(x * y).sum(), x.square().sum(), y.square().sum()}};
  }
  return {};
}

Refusal supports(const ReduceProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const ReduceProblem& p, const Machine& machine) {
  return cpu_seconds(machine, 20 * Reduce::flops(p), Reduce::bytes(p), 1, 1);
}

// One output's elements.
Partial total(ReduceFn fn, const float* a, const float* b, const Loops<2>& loops) {
  Partial sum = empty_partial(fn);
  if (loops.elements == 0) return sum;
  if (loops.contiguous()) return reduced(fn, Array(a, loops.elements), Array(b, loops.elements));
  alignas(64) float x[kPiece], y[kPiece];
  Walker<2> walker(loops, 0);
  for (std::int64_t begin = 0; begin < loops.elements; begin += kPiece) {
    const std::int64_t count = std::min(kPiece, loops.elements - begin);
    for (std::int64_t i = 0; i < count; ++i, walker.next()) {
      x[i] = a[walker.offset(0)];
      y[i] = b[walker.offset(1)];
    }
    combine(fn, sum, reduced(fn, Array(x, count), Array(y, count)));
  }
  return sum;
}

Code run(const ReduceArgs& args, const Queue&, Workspace) {
  const auto *a = static_cast<const float*>(args.a), *b = static_cast<const float*>(args.b ? args.b : args.a);
  for (std::int64_t output = 0; output < args.outer.elements; ++output) {
    std::int64_t at[3];
    args.outer.offsets(output, args.outer.rank, at);
    static_cast<float*>(args.out)[at[2]] = result(args.fn, total(args.fn, a + at[0], b + at[1], args.inner));
  }
  return Code::ok;
}

}  // namespace

extern const Kernel<Reduce> kKernel;
const Kernel<Reduce> kKernel = {.needs = {},
                                .traits = {.reference = true},
                                .supports = supports,
                                .cost = cost,
                                .workspace = no_workspace<Reduce>,
                                .run = run};

}  // namespace tandem::cpu::reduce_f32_eigen
