#include "common/profile/stats.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
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

double median_absolute_deviation(std::span<const double> values) {
  std::vector<double> x(values.begin(), values.end());
  std::sort(x.begin(), x.end());
  const double median = quantile(x, 0.5);
  for (double& value : x) value = std::abs(value - median);
  std::sort(x.begin(), x.end());
  return quantile(x, 0.5);
}

std::vector<double> ranks_of(std::span<const double> values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (std::size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t i = begin; i < end; ++i) ranks[order[i]] = static_cast<double>(begin + 1 + end) / 2;
  }
  return ranks;
}

double spearman(std::span<const double> x, std::span<const double> y) {
  const std::size_t n = std::min(x.size(), y.size());
  const std::vector<double> a = ranks_of(x.first(n)), b = ranks_of(y.first(n));
  const double mean = (static_cast<double>(n) + 1) / 2;
  double both = 0, one = 0, other = 0;
  for (std::size_t i = 0; i < n; ++i) {
    both += (a[i] - mean) * (b[i] - mean);
    one += (a[i] - mean) * (a[i] - mean);
    other += (b[i] - mean) * (b[i] - mean);
  }
  return one > 0 && other > 0 ? both / std::sqrt(one * other) : kNaN;
}

double drift_of(std::span<const double> samples) {
  std::vector<double> order(samples.size());
  std::iota(order.begin(), order.end(), 0.0);
  return spearman(order, samples);
}

bool drifts(double rho, std::size_t samples) { return samples >= 16 && std::abs(rho) > 0.5; }

Factors aggregate(std::span<const double> factors) {
  Factors all;
  double logs = 0;
  for (const double factor : factors) {
    if (!(factor > 0) || !std::isfinite(factor)) continue;
    logs += std::log(factor);
    all.least = all.count == 0 ? factor : std::min(all.least, factor);
    all.largest = all.count == 0 ? factor : std::max(all.largest, factor);
    ++all.count;
  }
  if (all.count > 0) all.mean = std::exp(logs / static_cast<double>(all.count));
  return all;
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
  s.mad = median_absolute_deviation(sorted);
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
