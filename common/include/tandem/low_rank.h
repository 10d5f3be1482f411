// Two thin matrices in place of one: x @ weights as (x @ left) @ right.
#pragma once

#include <cstdint>

#include <tandem/tensor.h>

namespace tandem {

/// left [k, rank] and right [rank, n], f32, on the host. With the singular values s of the weights, left is U sqrt(s)
/// and right sqrt(s) V^T, so that neither is much larger than the other.
struct LowRank {
  Tensor left;
  Tensor right;
  std::int64_t rank = 0;
  double norm_kept = 1;          ///< Frobenius norm of left @ right / that of the weights; 1 when that is 0
  double relative_error = 0;     ///< Frobenius norm of the difference / that of the weights: sqrt(1 - norm_kept^2)
  double compression_ratio = 1;  ///< k n / (rank (k + n)); below 1 the two matrices are larger than the one
};

/// ratio * min(k, n), rounded down, but at least 1 (0 for a matrix without elements). 0 < ratio <= 1.
std::int64_t low_rank_of(double ratio, std::int64_t k, std::int64_t n);

/// The best approximation of that rank (Eckart-Young): the singular value decomposition, in double, cut off. The
/// time grows as k n min(k, n), on one thread. Throws Error(invalid_argument) for weights that are no f32 matrix on the
/// host, or hold a NaN or an infinity, and for a rank that is not in [1, min(k, n)].
LowRank low_rank_approximate(ConstView weights, std::int64_t rank);

}  // namespace tandem
