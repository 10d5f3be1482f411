// Two kernels held against each other: by how much they differ, how sure that is, and the word for it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/profile.h>

namespace tandem::profile {

struct VerdictOptions {
  double threshold = 0.02;  ///< differences up to this factor - 1 do not matter
  double confidence = 0.95;
  double significance = 0.05;  ///< of the adjusted p-value, for faster and slower
  std::uint64_t seed = 1;      ///< of the bootstrap
};

/// From so many common rounds on kernels are compared round by round.
inline constexpr std::size_t kPairedRounds = 20;

/// Interval of the median of samples, by a seeded bootstrap (percentiles of 2000 medians of samples drawn again). The
/// extremes below 6 samples, as median_interval.
Interval bootstrap_median(std::span<const double> samples, double confidence, std::uint64_t seed);
/// Of median(other) / median(self), both drawn again on their own. Below 6 samples on a side: that side's extremes.
Interval bootstrap_ratio(std::span<const double> other, std::span<const double> self, double confidence,
                         std::uint64_t seed);

/// How many times as fast `self` is as `other`: ratio other / self with its interval, and p for "they do not differ".
/// The verdict is still none: judge() gives it.
///
/// Sample i of both was taken in round i, when `in_rounds`: with kPairedRounds rounds in common the ratio is the median
/// of the rounds' ratios, the interval that of order statistics, p that of signed_rank. A disturbance that lasts longer
/// than a round then falls on both alike. Else: ratio of medians, bootstrap_ratio and mann_whitney.
Effect effect_of(std::span<const double> other, std::span<const double> self, bool in_rounds,
                 const VerdictOptions& options = {});

/// Gives the verdicts of questions that were asked at once: p is adjusted by Holm's method first.
///   faster        the whole interval is above 1 + threshold, and p is below the significance
///   slower        the whole interval is below 1 / (1 + threshold), and p likewise
///   same          the whole interval lies between those two, and there are 6 samples on each side
///   inconclusive  anything else
/// smallest_effect becomes the speed-up - 1 that would have been called faster in 4 of 5 runs with an interval as wide:
/// (1 + threshold) * exp(h * (1 + 0.84 / 1.96)) - 1, h half the width of the interval of log(ratio).
void judge(std::span<Effect* const> effects, const VerdictOptions& options = {});

/// vs_reference, vs_best and drift of one problem's rows. Each of the two columns is judged as one set of questions.
void derive_effects(std::vector<Row>& rows, const VerdictOptions& options = {});

}  // namespace tandem::profile
