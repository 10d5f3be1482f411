#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/magnitudes.h>

#include "common/compress/elements.h"

namespace tandem {

Magnitudes magnitudes(ConstView weights, std::span<const double> percentiles, std::span<const double> thresholds) {
  for (const double p : percentiles)
    if (!(p >= 0 && p <= 100))
      throw Error(Code::invalid_argument, fmt::format("magnitudes: percentile {} is not in [0, 100]", p));
  std::vector<float> sorted = compress::finite_values("magnitudes", "the tensor of weights", weights);
  for (float& value : sorted) value = std::abs(value);
  std::sort(sorted.begin(), sorted.end());
  Magnitudes out;
  out.elements = weights.elements();
  out.percentiles.assign(percentiles.size(), 0);
  out.below.assign(thresholds.size(), 0);
  if (sorted.empty()) return out;
  const auto count = static_cast<double>(sorted.size());
  out.min = sorted.front();
  out.max = sorted.back();
  double sum = 0, squares = 0, spread = 0;
  for (const double value : sorted) {
    sum += value;
    squares += value * value;
  }
  out.mean = sum / count;
  out.norm = std::sqrt(squares);
  for (const double value : sorted) spread += (value - out.mean) * (value - out.mean);
  out.deviation = std::sqrt(spread / count);
  for (std::size_t i = 0; i < percentiles.size(); ++i) {
    const double at = percentiles[i] / 100 * (count - 1);
    const auto lower = static_cast<std::size_t>(at);
    const double low = sorted[lower], high = sorted[std::min(lower + 1, sorted.size() - 1)];
    out.percentiles[i] = low + (at - std::floor(at)) * (high - low);
  }
  for (std::size_t i = 0; i < thresholds.size(); ++i)
    out.below[i] =
        static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), thresholds[i]) - sorted.begin()) / count;
  return out;
}

}  // namespace tandem
