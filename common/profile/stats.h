// Order statistics of timings. No random numbers: the same samples give the same figures.
#pragma once

#include <cstddef>
#include <span>

namespace tandem::profile {

/// The q-quantile (0 <= q <= 1) of sorted values, linear between neighbours: NumPy's default, R's type 7. NaN when
/// there are none.
double quantile(std::span<const double> sorted, double q);

struct Interval {
  double low = 0;
  double high = 0;
};

/// An interval that holds the median of the distribution with probability >= `confidence`, from order statistics
/// (binomial, no assumption about the distribution), of sorted values. Below 6 values no such interval exists at 95 %:
/// the extremes are returned then.
Interval median_interval(std::span<const double> sorted, double confidence = 0.95);

/// Samples of one quantity, in its unit. All fields are NaN when there is no sample.
struct Summary {
  std::size_t samples = 0;
  double min = 0, p25 = 0, median = 0, p75 = 0, p95 = 0, p99 = 0, max = 0;
  double mean = 0;
  double cv = 0;       ///< standard deviation (n - 1) / mean; 0 for one sample
  Interval median_95;  ///< median_interval of the samples
  /// (p75 - p25) / median.
  double relative_iqr() const { return (p75 - p25) / median; }
};

/// Sorts a copy.
Summary summarize(std::span<const double> samples);

}  // namespace tandem::profile
