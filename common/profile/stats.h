// Describing samples: order statistics, spread, drift, means of factors. No random numbers: the same samples give the
// same figures.
#pragma once

#include <span>
#include <vector>

#include <tandem/measurement.h>

namespace tandem::profile {

/// The q-quantile (0 <= q <= 1) of sorted values, linear between neighbours: NumPy's default, R's type 7. NaN when
/// there are none.
double quantile(std::span<const double> sorted, double q);

/// An interval that holds the median of the distribution with probability >= `confidence`, from order statistics
/// (binomial, no assumption about the distribution), of sorted values. Below 6 values no such interval exists at 95 %:
/// the extremes are returned then.
Interval median_interval(std::span<const double> sorted, double confidence = 0.95);

/// Median of |x - median|, of values in any order; not scaled to a standard deviation. NaN when there are none.
double median_absolute_deviation(std::span<const double> values);

/// Ranks from 1; equal values share the mean of theirs.
std::vector<double> ranks_of(std::span<const double> values);

/// Spearman's rank correlation. NaN below two pairs, or where a side is constant. The shorter side says how many pairs.
double spearman(std::span<const double> x, std::span<const double> y);

/// Spearman's correlation of samples with the order they were taken in: 1 when each was longer than the one before.
double drift_of(std::span<const double> samples);
/// Whether samples that drift so much are marked as not stationary: |rho| > 0.5, from 16 samples on, where chance alone
/// does that in less than 5 of 100 cases.
bool drifts(double rho, std::size_t samples);

/// Factors, such as speed-ups, aggregate as their geometric mean, with the least and the largest. NaN when there are
/// none; values that are not positive and finite are left out.
struct Factors {
  std::size_t count = 0;
  double mean = kAbsent, least = kAbsent, largest = kAbsent;
};
Factors aggregate(std::span<const double> factors);

/// Sorts a copy.
Summary summarize(std::span<const double> samples);

}  // namespace tandem::profile
