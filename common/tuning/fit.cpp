#include "common/tuning/fit.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace tandem::tuning {
namespace {

constexpr std::size_t kTrials = 32;  // divisions tried
constexpr std::size_t kTerms = 3;    // fixed, per flop, per byte
constexpr double kLeastSeconds = 1e-12;

using Coefficients = std::array<double, kTerms>;

/// Solves the normal equations over the terms in `used`, by elimination with pivoting. False: singular.
bool solve(std::array<Coefficients, kTerms> a, Coefficients b, unsigned used, Coefficients& x) {
  std::vector<std::size_t> terms;
  for (std::size_t t = 0; t < kTerms; ++t)
    if (used >> t & 1) terms.push_back(t);
  for (std::size_t p = 0; p < terms.size(); ++p) {
    std::size_t best = p;
    for (std::size_t i = p + 1; i < terms.size(); ++i)
      if (std::abs(a[terms[i]][terms[p]]) > std::abs(a[terms[best]][terms[p]])) best = i;
    std::swap(a[terms[p]], a[terms[best]]);
    std::swap(b[terms[p]], b[terms[best]]);
    if (!(std::abs(a[terms[p]][terms[p]]) > 1e-9)) return false;
    for (std::size_t i = p + 1; i < terms.size(); ++i) {
      const double factor = a[terms[i]][terms[p]] / a[terms[p]][terms[p]];
      for (std::size_t j = p; j < terms.size(); ++j) a[terms[i]][terms[j]] -= factor * a[terms[p]][terms[j]];
      b[terms[i]] -= factor * b[terms[p]];
    }
  }
  x = {};
  for (std::size_t p = terms.size(); p-- > 0;) {
    double rest = b[terms[p]];
    for (std::size_t j = p + 1; j < terms.size(); ++j) rest -= a[terms[p]][terms[j]] * x[terms[j]];
    x[terms[p]] = rest / a[terms[p]][terms[p]];
    if (x[terms[p]] < 0) return false;
  }
  return true;
}

double residual_of(const Fit& fit, std::span<const Work> measured) {
  double sum = 0;
  for (const Work& w : measured) {
    const double log = std::log(w.seconds / std::max(fit.at(w.flops, w.bytes), kLeastSeconds));
    sum += log * log;
  }
  return std::sqrt(sum / static_cast<double>(measured.size()));
}

}  // namespace

double Fit::at(double flops, double bytes) const { return fixed + std::max(flops * per_flop, bytes * per_byte); }

Fit fit(std::span<const Work> measured) {
  std::vector<Work> sorted(measured.begin(), measured.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Work& a, const Work& b) { return a.flops * b.bytes < b.flops * a.bytes; });
  // Each term in the unit of what is usual, so that the equations are well scaled.
  Coefficients unit{kLeastSeconds, 1, 1};
  for (const Work& w : sorted) {
    unit[0] = std::max(unit[0], w.seconds);
    unit[1] = std::max(unit[1], w.flops / w.seconds);
    unit[2] = std::max(unit[2], w.bytes / w.seconds);
  }
  const std::size_t count = sorted.size(), step = std::max<std::size_t>(1, count / kTrials);
  Fit best;
  best.residual = std::numeric_limits<double>::infinity();
  for (std::size_t split = 0; split <= count; split += step) {
    std::array<Coefficients, kTerms> a{};
    Coefficients b{};
    for (std::size_t i = 0; i < count; ++i) {
      const Work& w = sorted[i];
      const Coefficients row{unit[0] / w.seconds, i < split ? 0 : w.flops / w.seconds / unit[1],
                             i < split ? w.bytes / w.seconds / unit[2] : 0};
      for (std::size_t s = 0; s < kTerms; ++s) {
        for (std::size_t t = 0; t < kTerms; ++t) a[s][t] += row[s] * row[t];
        b[s] += row[s];
      }
    }
    for (unsigned used = 1; used < 1u << kTerms; ++used) {
      Coefficients x;
      if (!solve(a, b, used, x)) continue;
      Fit trial{x[0] * unit[0], x[1] / unit[1], x[2] / unit[2], 0};
      trial.residual = residual_of(trial, measured);
      if (trial.residual < best.residual) best = trial;
    }
  }
  return best;
}

Multiple multiple_of(std::span<const double> logs) {
  Multiple multiple{0, std::numeric_limits<double>::infinity()};
  if (logs.size() < 2) return multiple;
  const auto count = static_cast<double>(logs.size());
  for (const double log : logs) multiple.log += log / count;
  double squares = 0;
  for (const double log : logs) squares += (log - multiple.log) * (log - multiple.log);
  multiple.residual = std::sqrt(squares / (count - 1));
  return multiple;
}

}  // namespace tandem::tuning
