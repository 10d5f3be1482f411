// A kernel's time from the work alone: fixed + max(flops / F, bytes / B), by least relative squares.
#pragma once

#include <cstddef>
#include <span>

namespace tandem::tuning {

struct Work {
  double flops = 0, bytes = 0, seconds = 0;
};

struct Fit {
  double fixed = 0;     // seconds
  double per_flop = 0;  // 1 / F
  double per_byte = 0;  // 1 / B
  double residual = 0;  // root of the mean square of log(measured / fitted)
  double at(double flops, double bytes) const;
};

inline constexpr std::size_t kFewestToFit = 4;

/// kFewestToFit measurements or more, all with seconds > 0. No coefficient is negative. Which term is larger depends
/// on flops / bytes alone, so that each division of the measurements by it is tried, and the best one kept.
Fit fit(std::span<const Work> measured);

/// A multiple of the prior: the mean of log(measured / prior), and the root of the mean square of the deviations from
/// it (n - 1), infinite for fewer than two.
struct Multiple {
  double log = 0;
  double residual = 0;
};
Multiple multiple_of(std::span<const double> logs);

}  // namespace tandem::tuning
