// Idea:    the formulas as Eigen array expressions, compiled for the baseline instruction set.
// Limits:  one thread; operands that are not contiguous are gathered in pieces.
// Expect:  no fraction of a ceiling: it is the reference that the other kernels are compared with.
#include <Eigen/Core>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::binary_f32_eigen {
namespace {

using Array = Eigen::ArrayXf;
using Piece = Eigen::Array<float, Eigen::Dynamic, 1, 0, kPiece, 1>;

// out may be a or b.
template <class A, class B, class Out>
void apply(BinaryFn fn, const A& a, const B& b, Out& out) {
  switch (fn) {
    case BinaryFn::add:
      out = a + b;
      break;
    case BinaryFn::sub:
      out = a - b;
      break;
    case BinaryFn::mul:
      out = a * b;
      break;
    case BinaryFn::div:
      out = a / b;
      break;
    case BinaryFn::squared_difference:
      out = (a - b).square();
      break;
  }
}

Refusal supports(const BinaryProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const BinaryProblem& p, const Machine& machine) {
  return cpu_seconds(machine, 100 * Binary::flops(p), Binary::bytes(p), 1, 1);
}

Code run(const BinaryArgs& args, const Queue&, Workspace) {
  const auto *a = static_cast<const float*>(args.a), *b = static_cast<const float*>(args.b);
  auto* out = static_cast<float*>(args.out);
  const std::int64_t elements = args.loops.elements;
  if (args.loops.contiguous()) {
    const Eigen::Map<const Array> left(a, elements), right(b, elements);
    Eigen::Map<Array> result(out, elements);
    apply(args.fn, left, right, result);
    return Code::ok;
  }
  Piece left, right;
  Walker<3> in(args.loops, 0), to(args.loops, 0);
  for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
    const std::int64_t count = std::min(kPiece, elements - begin);
    left.resize(count);
    right.resize(count);
    for (std::int64_t i = 0; i < count; ++i, in.next()) {
      left[i] = a[in.offset(0)];
      right[i] = b[in.offset(1)];
    }
    apply(args.fn, left, right, left);
    for (std::int64_t i = 0; i < count; ++i, to.next()) out[to.offset(2)] = left[i];
  }
  return Code::ok;
}

}  // namespace

extern const Kernel<Binary> kKernel;
const Kernel<Binary> kKernel = {.needs = {},
                                .traits = {.reference = true},
                                .supports = supports,
                                .cost = cost,
                                .workspace = no_workspace<Binary>,
                                .run = run};

}  // namespace tandem::cpu::binary_f32_eigen
