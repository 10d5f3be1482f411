#include "common/compress/report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/ops.h>

#include "common/compress/elements.h"
#include "common/ops/operand.h"

namespace tandem {
namespace compress {

Counts& Counts::operator+=(const Counts& other) {
  elements += other.elements;
  kept += other.kept;
  zeros += other.zeros;
  square += other.square;
  square_kept += other.square_kept;
  return *this;
}

PruneReport report_of(double requested, const Counts& counts) {
  PruneReport report;
  report.requested = requested;
  if (counts.elements == 0) return report;
  const auto elements = static_cast<double>(counts.elements), kept = static_cast<double>(counts.kept);
  report.achieved = (elements - kept) / elements;
  report.zeros = static_cast<double>(counts.zeros) / elements;
  report.compression_ratio = elements / kept;
  if (counts.square > 0) report.norm_kept = std::sqrt(counts.square_kept / counts.square);
  return report;
}

}  // namespace compress

double sparsity(ConstView weights) {
  require_dtype("sparsity", "the tensor of weights", weights, DType::f32);
  compress::require_host("sparsity", "the tensor of weights", weights);
  if (weights.elements() == 0) return 0;
  const float* base = static_cast<const float*>(weights.data());
  std::int64_t zeros = 0;
  compress::for_each_element(weights,
                             [&](std::int64_t, std::int64_t offset) { zeros += base[offset] == 0.0f ? 1 : 0; });
  return static_cast<double>(zeros) / static_cast<double>(weights.elements());
}

OutputError output_error(Context& ctx, ConstView x, ConstView weights, ConstView pruned) {
  constexpr std::string_view kOp = "output_error";
  for (const auto& [what, view] : {std::pair("x", x), std::pair("the tensor of weights", weights),
                                   std::pair("the tensor of pruned weights", pruned)})
    compress::require_finite(kOp, what, view);
  if (x.rank() < 1 || weights.rank() != 2 || !(weights.shape() == pruned.shape()) ||
      x.shape().back() != weights.size(0))
    compress::refuse(kOp, fmt::format("x is {}, the weights {} and the pruned ones {}; [..., k], [k, n] and [k, n] are "
                                      "needed",
                                      to_string(x.shape()), to_string(weights.shape()), to_string(pruned.shape())));
  const Tensor before = matmul(ctx, x, weights).to(ctx, Device::cpu());
  const Tensor after = matmul(ctx, x, pruned).to(ctx, Device::cpu());
  OutputError error;
  double sum = 0, square = 0, difference = 0;
  const float *a = before.data<float>(), *b = after.data<float>();
  for (std::int64_t i = 0; i < before.elements(); ++i) {
    const double exact = static_cast<double>(a[i]), d = static_cast<double>(b[i]) - exact;
    error.max_abs = std::max(error.max_abs, std::abs(d));
    sum += std::abs(d);
    square += exact * exact;
    difference += d * d;
  }
  if (!std::isfinite(sum)) error.max_abs = sum;  // an overflow, and std::max passes a NaN by
  if (before.elements() > 0) error.mean_abs = sum / static_cast<double>(before.elements());
  if (difference != 0) error.relative = std::sqrt(difference / square);
  return error;
}

}  // namespace tandem
