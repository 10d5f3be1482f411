// Tests of whether two kernels differ that look at ranks alone, so that outliers and the shape of the distribution do
// not matter.
#pragma once

#include <span>
#include <vector>

namespace tandem::profile {

/// Mann and Whitney: do values of `a` tend to be larger or smaller than those of `b`? u counts the pairs with a above b
/// (half for equal ones). p is two-sided: exact where no two values are equal and there are at most 400 pairs, else the
/// normal approximation, corrected for ties and continuity. p is 1 when a side is empty or all values are equal.
struct RankTest {
  double statistic = 0;
  double p = 1;
};
RankTest mann_whitney(std::span<const double> a, std::span<const double> b);

/// Wilcoxon: are differences of pairs distributed symmetrically round 0? The statistic is the sum of the ranks of |d|
/// with d above 0; zeros are left out. p is two-sided: exact up to 50 differences without zeros and ties, else the
/// normal approximation, corrected for ties and continuity.
RankTest signed_rank(std::span<const double> differences);

/// Holm: p-values adjusted for the number of questions asked at once, in their order. NaN stays NaN and is not counted.
std::vector<double> holm(std::span<const double> p);

}  // namespace tandem::profile
