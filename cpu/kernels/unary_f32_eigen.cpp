// Idea:    the formulas as Eigen array expressions, compiled for the baseline instruction set.
// Limits:  one thread; exp, tanh, sigmoid and the functions of it in double, since Eigen's f32 exp has no denormal
//          results, its f32 sigmoid loses its leading digits near -9, its f32 tanh is off by more than 6 ulp near 5.8.
// Expect:  no fraction of a ceiling: it is the reference that the other kernels are compared with.
#include <Eigen/Core>
#include <unsupported/Eigen/SpecialFunctions>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::unary_f32_eigen {
namespace {

using Array = Eigen::ArrayXf;
using Piece = Eigen::Array<float, Eigen::Dynamic, 1, 0, kPiece, 1>;

// y may be x.
template <class X, class Y>
void apply(UnaryFn fn, const X& x, Y& y) {
  const auto keep_nan = [&](const auto& expression) { y = x.isNaN().select(x, expression); };
  // -1e4 stands for everything below it, which keeps -inf * 0 away.
  const auto bounded = x.max(-1e4f);
  const auto wide = bounded.template cast<double>();
  const auto times_sigmoid = [&](const auto& s) { keep_nan((wide / (1.0 + (-s).exp())).template cast<float>()); };
  switch (fn) {
    case UnaryFn::relu:
      return keep_nan((x > 0.0f).select(x, 0.0f));
    case UnaryFn::exp:
      return keep_nan(x.template cast<double>().exp().template cast<float>());
    case UnaryFn::sigmoid:
      return keep_nan((1.0 / (1.0 + (-x.template cast<double>()).exp())).template cast<float>());
    case UnaryFn::tanh:
      return keep_nan(x.template cast<double>().tanh().template cast<float>());
    case UnaryFn::silu:
      return times_sigmoid(wide);
    case UnaryFn::gelu_sigmoid:
      return times_sigmoid(1.702 * wide);
    case UnaryFn::gelu_erf:
      return keep_nan(0.5f * bounded * (1.0f + (x * 0.70710678f).erf()));
    case UnaryFn::gelu_tanh:
      return keep_nan(0.5f * bounded * (1.0f + (0.79788456f * (x + 0.044715f * x.cube())).tanh()));
  }
}

Refusal supports(const UnaryProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const UnaryProblem& p, const Machine& machine) {
  return cpu_seconds(machine, 200 * Unary::flops(p), Unary::bytes(p), 1, 1);
}

Code run(const UnaryArgs& args, const Queue&, Workspace) {
  const auto* x = static_cast<const float*>(args.x);
  auto* y = static_cast<float*>(args.y);
  const std::int64_t elements = args.loops.elements;
  if (args.loops.contiguous()) {
    const Eigen::Map<const Array> from(x, elements);
    Eigen::Map<Array> to(y, elements);
    apply(args.fn, from, to);
    return Code::ok;
  }
  Piece piece;
  Walker<2> in(args.loops, 0), out(args.loops, 0);
  for (std::int64_t begin = 0; begin < elements; begin += kPiece) {
    const std::int64_t count = std::min(kPiece, elements - begin);
    piece.resize(count);
    for (std::int64_t i = 0; i < count; ++i, in.next()) piece[i] = x[in.offset(0)];
    apply(args.fn, piece, piece);
    for (std::int64_t i = 0; i < count; ++i, out.next()) y[out.offset(1)] = piece[i];
  }
  return Code::ok;
}

}  // namespace

extern const Kernel<Unary> kKernel;
const Kernel<Unary> kKernel = {.needs = {},
                               .traits = {.reference = true},
                               .supports = supports,
                               .cost = cost,
                               .workspace = no_workspace<Unary>,
                               .run = run};

}  // namespace tandem::cpu::unary_f32_eigen
