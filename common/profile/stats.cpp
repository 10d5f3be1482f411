#include "common/profile/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace tandem::profile {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double log_binomial(double n, double k) { return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1); }

}  // namespace

double quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return kNaN;
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  const double part = at - static_cast<double>(below);
  return sorted[below] + part * (sorted[below + 1] - sorted[below]);
}

Interval median_interval(std::span<const double> sorted, double confidence) {
  if (sorted.empty()) return {kNaN, kNaN};
  // The number of samples below the true median is binomial(n, 1/2): the r-th smallest and r-th largest enclose it
  // unless fewer than r samples lie on one side. The largest r whose two tails together stay below 1 - confidence.
  const auto n = static_cast<double>(sorted.size());
  double tail = 0;
  std::size_t r = 0;
  while (2 * (r + 1) <= sorted.size()) {
    tail += std::exp(log_binomial(n, static_cast<double>(r)) - n * std::log(2.0));
    if (2 * tail > 1 - confidence) break;
    ++r;
  }
  r = std::max<std::size_t>(r, 1);
  return {sorted[r - 1], sorted[sorted.size() - r]};
}

Summary summarize(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  std::sort(sorted.begin(), sorted.end());
  Summary s;
  s.samples = sorted.size();
  s.min = quantile(sorted, 0);
  s.p25 = quantile(sorted, 0.25);
  s.median = quantile(sorted, 0.5);
  s.p75 = quantile(sorted, 0.75);
  s.p95 = quantile(sorted, 0.95);
  s.p99 = quantile(sorted, 0.99);
  s.max = quantile(sorted, 1);
  s.median_95 = median_interval(sorted);
  s.mean = s.cv = kNaN;
  if (sorted.empty()) return s;
  double sum = 0, square = 0;
  for (const double x : sorted) sum += x;
  s.mean = sum / static_cast<double>(sorted.size());
  for (const double x : sorted) square += (x - s.mean) * (x - s.mean);
  s.cv = sorted.size() < 2 ? 0 : std::sqrt(square / static_cast<double>(sorted.size() - 1)) / s.mean;
  return s;
}

}  // namespace tandem::profile
