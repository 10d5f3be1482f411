#include "common/profile/rank_tests.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "common/profile/stats.h"

namespace tandem::profile {
namespace {

/// Values that are equal to others: sum of t^3 - t over groups of t equal ones.
double tie_term(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  double term = 0;
  for (std::size_t begin = 0, end = 0; begin < sorted.size(); begin = end) {
    while (end < sorted.size() && sorted[end] == sorted[begin]) ++end;
    const auto t = static_cast<double>(end - begin);
    term += t * t * t - t;
  }
  return term;
}

/// P(|Z| >= z) of the standard normal distribution.
double two_sided(double z) { return std::min(1.0, std::erfc(std::max(z, 0.0) / std::sqrt(2.0))); }

/// Of a distribution that is symmetric: twice the part at and beyond `at`, which is not below the middle.
double twice_upper_tail(const std::vector<double>& counts, double at) {
  double tail = 0, all = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    all += counts[i];
    if (static_cast<double>(i) >= at) tail += counts[i];
  }
  return std::min(1.0, 2 * tail / all);
}

/// In how many of the C(n + m, n) orders of n and m values u is 0, 1, ..., n m: the coefficients of the Gaussian
/// binomial, product over i of (1 - q^(m + i)) / (1 - q^i). All are whole numbers below 2^53 for n m <= 400.
std::vector<double> orders_by_u(std::size_t n, std::size_t m) {
  std::vector<double> counts(n * m + 1, 0.0);
  counts[0] = 1;
  for (std::size_t i = 1; i <= n; ++i) {
    for (std::size_t u = counts.size(); u-- > m + i;) counts[u] -= counts[u - m - i];
    for (std::size_t u = i; u < counts.size(); ++u) counts[u] += counts[u - i];
  }
  return counts;
}

/// In how many of the 2^n choices of signs the ranks with a plus add up to 0, 1, ..., n (n + 1) / 2.
std::vector<double> signs_by_sum(std::size_t n) {
  std::vector<double> counts(n * (n + 1) / 2 + 1, 0.0);
  counts[0] = 1;
  for (std::size_t rank = 1; rank <= n; ++rank)
    for (std::size_t sum = counts.size(); sum-- > rank;) counts[sum] += counts[sum - rank];
  return counts;
}

/// With the correction for continuity.
double approximate(double statistic, double mean, double variance) {
  return variance > 0 ? two_sided((std::abs(statistic - mean) - 0.5) / std::sqrt(variance)) : 1;
}

}  // namespace

RankTest mann_whitney(std::span<const double> a, std::span<const double> b) {
  if (a.empty() || b.empty()) return {};
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  const std::vector<double> ranks = ranks_of(all);
  const auto n = static_cast<double>(a.size()), m = static_cast<double>(b.size());
  const double sum = std::accumulate(ranks.begin(), ranks.begin() + static_cast<std::ptrdiff_t>(a.size()), 0.0);
  const double u = sum - n * (n + 1) / 2, ties = tie_term(all);
  if (ties == 0 && n * m <= 400) return {u, twice_upper_tail(orders_by_u(a.size(), b.size()), std::max(u, n * m - u))};
  const double variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)));
  return {u, approximate(u, n * m / 2, variance)};
}

RankTest signed_rank(std::span<const double> differences) {
  std::vector<double> sizes, signs;
  for (const double d : differences) {
    if (d == 0) continue;
    sizes.push_back(std::abs(d));
    signs.push_back(d);
  }
  if (sizes.empty()) return {};
  const std::vector<double> ranks = ranks_of(sizes);
  double plus = 0;
  for (std::size_t i = 0; i < ranks.size(); ++i) plus += signs[i] > 0 ? ranks[i] : 0;
  const auto n = static_cast<double>(sizes.size());
  const double ties = tie_term(sizes), all = n * (n + 1) / 2;
  if (ties == 0 && sizes.size() == differences.size() && sizes.size() <= 50)
    return {plus, twice_upper_tail(signs_by_sum(sizes.size()), std::max(plus, all - plus))};
  return {plus, approximate(plus, all / 2, all * (2 * n + 1) / 12 - ties / 48)};
}

std::vector<double> holm(std::span<const double> p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (!std::isnan(p[i])) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return p[a] < p[b]; });
  std::vector<double> adjusted(p.begin(), p.end());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, static_cast<double>(order.size() - i) * p[order[i]]));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

}  // namespace tandem::profile
