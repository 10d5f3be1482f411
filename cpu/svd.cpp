// The singular value decomposition, by Eigen.
#include <Eigen/SVD>

#include "common/core/host_api.h"

namespace tandem::cpu {

Svd thin_svd(const float* matrix, std::int64_t rows, std::int64_t cols) {
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  using Floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const Eigen::BDCSVD<Eigen::MatrixXd> svd(Eigen::Map<const Floats>(matrix, rows, cols).cast<double>(),
                                           Eigen::ComputeThinU | Eigen::ComputeThinV);
  const RowMajor u = svd.matrixU(), v = svd.matrixV();
  return {{u.data(), u.data() + u.size()},
          {svd.singularValues().data(), svd.singularValues().data() + svd.singularValues().size()},
          {v.data(), v.data() + v.size()}};
}

}  // namespace tandem::cpu
