// Order statistics of timings. No random numbers: the same samples give the same figures.
#pragma once

#include <span>

#include <tandem/measurement.h>

namespace tandem::profile {

/// The q-quantile (0 <= q <= 1) of sorted values, linear between neighbours: NumPy's default, R's type 7. NaN when
/// there are none.
double quantile(std::span<const double> sorted, double q);

/// An interval that holds the median of the distribution with probability >= `confidence`, from order statistics
/// (binomial, no assumption about the distribution), of sorted values. Below 6 values no such interval exists at 95 %:
/// the extremes are returned then.
Interval median_interval(std::span<const double> sorted, double confidence = 0.95);

/// Sorts a copy.
Summary summarize(std::span<const double> samples);

}  // namespace tandem::profile
