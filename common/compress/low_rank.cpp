#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/low_rank.h>

#include "common/compress/elements.h"
#include "common/core/host_api.h"

namespace tandem {

std::int64_t low_rank_of(double ratio, std::int64_t k, std::int64_t n) {
  if (!(ratio > 0 && ratio <= 1))
    throw Error(Code::invalid_argument, fmt::format("low_rank_of: ratio {} is not in (0, 1]", ratio));
  if (k < 0 || n < 0) throw Error(Code::invalid_argument, fmt::format("low_rank_of: a matrix of {}x{}", k, n));
  const std::int64_t most = std::min(k, n);
  return std::min(most, std::max<std::int64_t>(1, static_cast<std::int64_t>(ratio * static_cast<double>(most))));
}

LowRank low_rank_approximate(ConstView weights, std::int64_t rank) {
  if (weights.rank() != 2)
    throw Error(Code::invalid_argument,
                fmt::format("low_rank_approximate: weights of shape {} are no matrix", to_string(weights.shape())));
  const std::vector<float> values = compress::finite_values("low_rank_approximate", "the tensor of weights", weights);
  const std::int64_t k = weights.shape()[0], n = weights.shape()[1];
  if (rank < 1 || rank > std::min(k, n))
    throw Error(Code::invalid_argument,
                fmt::format("low_rank_approximate: rank {} of a matrix of {}x{} is not in [1, {}]", rank, k, n,
                            std::min(k, n)));
  const cpu::Svd svd = cpu::thin_svd(values.data(), k, n);
  LowRank out;
  out.rank = rank;
  out.left = Tensor::empty(Shape{k, rank});
  out.right = Tensor::empty(Shape{rank, n});
  const std::int64_t most = std::min(k, n);
  double all = 0, kept = 0;
  for (std::int64_t r = 0; r < most; ++r) {
    const double s = svd.values[static_cast<std::size_t>(r)];
    all += s * s;
    if (r >= rank) continue;
    kept += s * s;
    const double root = std::sqrt(s);
    for (std::int64_t i = 0; i < k; ++i)
      out.left.data<float>()[i * rank + r] =
          static_cast<float>(root * svd.left[static_cast<std::size_t>(i * most + r)]);
    for (std::int64_t j = 0; j < n; ++j)
      out.right.data<float>()[r * n + j] = static_cast<float>(root * svd.right[static_cast<std::size_t>(j * most + r)]);
  }
  if (all > 0) {
    out.norm_kept = std::sqrt(kept / all);
    out.relative_error = std::sqrt((all - kept) / all);
  }
  out.compression_ratio =
      static_cast<double>(k) * static_cast<double>(n) / (static_cast<double>(rank) * static_cast<double>(k + n));
  return out;
}

}  // namespace tandem
