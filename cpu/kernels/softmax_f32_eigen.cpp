// Idea:    the formula row by row as Eigen array expressions, compiled for the baseline instruction set.
// Limits:  one thread; exponentials in double, since Eigen's f32 exp has no denormal results.
// Expect:  no fraction of a ceiling: it is the reference that the other kernels are compared with.
#include <Eigen/Core>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/softmax.h"

namespace tandem::cpu::softmax_f32_eigen {
namespace {

using Stride = Eigen::InnerStride<Eigen::Dynamic>;

// y may be x. The scale is in double, so that the sum of any number of terms stays exact to f32.
template <class X, class Y>
void softmax(SoftmaxFn fn, const X& x, Y& y) {
  const float max = x.template maxCoeff<Eigen::PropagateNaN>();
  const double sum = (x - max).template cast<double>().exp().sum();
  // Eigen's exp may turn NaN into a number; the row is NaN exactly when x - max is NaN somewhere.
  if (!((x - max) <= 0.0f).all()) {
    y.setConstant(std::numeric_limits<float>::quiet_NaN());
  } else if (fn == SoftmaxFn::log_softmax) {
    y = ((x - max).template cast<double>() - std::log(sum)).template cast<float>();
  } else {
    y = ((x - max).template cast<double>().exp() / sum).template cast<float>();
  }
}

Refusal supports(const SoftmaxProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const SoftmaxProblem& p, const Machine& machine) {
  return cpu_seconds(machine, 100 * Softmax::flops(p), Softmax::bytes(p), 1, 1);
}

Code run(const SoftmaxArgs& args, const Queue&, Workspace) {
  if (args.length == 0) return Code::ok;
  const auto* x = static_cast<const float*>(args.x);
  auto* y = static_cast<float*>(args.y);
  for (std::int64_t row = 0; row < args.rows.elements; ++row) {
    std::int64_t at[2];
    args.rows.offsets(row, args.rows.rank, at);
    if (args.x_stride == 1 && args.y_stride == 1) {
      const Eigen::Map<const Eigen::ArrayXf> from(x + at[0], args.length);
      Eigen::Map<Eigen::ArrayXf> to(y + at[1], args.length);
      softmax(args.fn, from, to);
    } else {
      const Eigen::Map<const Eigen::ArrayXf, 0, Stride> from(x + at[0], args.length, Stride(args.x_stride));
      Eigen::Map<Eigen::ArrayXf, 0, Stride> to(y + at[1], args.length, Stride(args.y_stride));
      softmax(args.fn, from, to);
    }
  }
  return Code::ok;
}

}  // namespace

extern const Kernel<Softmax> kKernel;
const Kernel<Softmax> kKernel = {.needs = {},
                                 .traits = {.reference = true},
                                 .supports = supports,
                                 .cost = cost,
                                 .workspace = no_workspace<Softmax>,
                                 .run = run};

}  // namespace tandem::cpu::softmax_f32_eigen
