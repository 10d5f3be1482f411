// Idea:    y = x.transpose() with Eigen's maps of strided matrices.
// Limits:  one thread; no blocking, so wide matrices miss the caches.
// Expect:  measured on a Zen 5 server core against a copy: 0.1 to 0.2, and 0.02 where the rows are a multiple of 4 KiB
//          apart.
#include <Eigen/Core>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/transpose.h"

namespace tandem::cpu::transpose_f32_eigen {
namespace {

double cost(const TransposeProblem& p, const Machine& machine) {
  return cpu_seconds(machine, 20 * Transpose::bytes(p), Transpose::bytes(p), 1, 1);
}

template <class T>
void run_of(const TransposeArgs& args) {
  using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic>;  // column-major: the outer stride is the column's
  using Stride = Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>;
  for (std::int64_t i = 0; i < args.batch.elements; ++i) {
    std::int64_t at[2];
    args.batch.offsets(i, args.batch.rank, at);
    const Eigen::Map<const Matrix, 0, Stride> x(static_cast<const T*>(args.x) + at[0], args.rows, args.cols,
                                                Stride(args.x_col, args.x_row));
    Eigen::Map<Matrix, 0, Stride> y(static_cast<T*>(args.y) + at[1], args.cols, args.rows,
                                    Stride(args.y_col, args.y_row));
    y = x.transpose();
  }
}

Code run(const TransposeArgs& args, const Queue&, Workspace) {
  switch (args.element_bytes) {
    case 1:
      run_of<std::uint8_t>(args);
      break;
    case 2:
      run_of<std::uint16_t>(args);
      break;
    default:
      run_of<std::uint32_t>(args);
  }
  return Code::ok;
}

}  // namespace

extern const Kernel<Transpose> kKernel;
const Kernel<Transpose> kKernel = {.needs = {},
                                   .traits = {.reference = true},
                                   .supports = supports_all<Transpose>,
                                   .cost = cost,
                                   .workspace = no_workspace<Transpose>,
                                   .run = run};

}  // namespace tandem::cpu::transpose_f32_eigen
