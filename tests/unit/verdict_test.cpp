// The statistics behind verdicts, held against SciPy 1.17 (the expression stands at each value) and hand counts.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "common/profile/rank_tests.h"
#include "common/profile/stats.h"
#include "common/profile/verdict.h"

namespace tandem::profile::verdict_test {
namespace {

using Values = std::vector<double>;

Values whole_numbers(int count) {
  Values values(static_cast<std::size_t>(count));
  std::iota(values.begin(), values.end(), 0.0);
  return values;
}

TEST(Stats, SpreadRanksAndCorrelationAgreeWithScipy) {
  // stats.median_abs_deviation(x)
  EXPECT_DOUBLE_EQ(median_absolute_deviation(Values{3.1, 1.2, 5.5, 4.4, 2.0, 9.9, 7.25, 6.0, 8.1, 0.5, 2.2}), 2.4);
  // stats.rankdata(x)
  EXPECT_EQ(ranks_of(Values{3, 1, 4, 1, 5, 9, 2, 6, 5, 3}), (Values{4.5, 1.5, 6, 1.5, 7.5, 10, 3, 9, 7.5, 4.5}));
  // stats.spearmanr(x, y).statistic, with and without ties
  EXPECT_NEAR(spearman(Values{1, 2, 3, 4, 5}, Values{5, 6, 7, 8, 7}), 0.8207826816681233, 1e-15);
  EXPECT_NEAR(
      spearman(Values{106, 100, 86, 101, 99, 103, 97, 113, 112, 110}, Values{7, 27, 2, 50, 28, 29, 20, 12, 6, 17}),
      -0.17575757575757575, 1e-15);
  EXPECT_TRUE(std::isnan(spearman(Values{1, 1, 1}, Values{1, 2, 3})));
  EXPECT_TRUE(std::isnan(spearman({}, {})));
}

TEST(Stats, DriftIsAskedForFromSixteenSamplesOn) {
  EXPECT_DOUBLE_EQ(drift_of(whole_numbers(20)), 1);
  EXPECT_TRUE(drifts(0.51, 16) && drifts(-0.51, 16));
  EXPECT_FALSE(drifts(0.99, 15) || drifts(0.5, 100) || drifts(kAbsent, 100));
}

TEST(Stats, FactorsAggregateAsGeometricMean) {
  const Factors all = aggregate(Values{0.5, 2, 8, 1.5});
  EXPECT_NEAR(all.mean, 1.861209718204199, 1e-15);  // stats.gmean(x)
  EXPECT_EQ(all.least, 0.5);
  EXPECT_EQ(all.largest, 8);
  EXPECT_EQ(aggregate(Values{kAbsent, 2, 0}).count, 1u);
  EXPECT_TRUE(std::isnan(aggregate({}).mean));
}

TEST(RankTests, MannWhitneyAgreesWithScipy) {
  // stats.mannwhitneyu(a, b, method='exact'); the example of SciPy's documentation
  RankTest test = mann_whitney(Values{19, 22, 16, 29, 24}, Values{20, 11, 17, 12});
  EXPECT_EQ(test.statistic, 17);
  EXPECT_NEAR(test.p, 0.1111111111111111, 1e-15);
  EXPECT_NEAR(mann_whitney(Values{20, 11, 17, 12}, Values{19, 22, 16, 29, 24}).p, 0.1111111111111111, 1e-15);
  // mannwhitneyu([101, 102, 103], range(40), method='exact'): 2 of C(43, 3)
  EXPECT_NEAR(mann_whitney(Values{101, 102, 103}, whole_numbers(40)).p, 0.00016206142127866461, 1e-18);
  // mannwhitneyu(a, b, method='asymptotic'), with one tie
  test = mann_whitney(Values{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30},
                      Values{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29});
  EXPECT_EQ(test.statistic, 58);
  EXPECT_NEAR(test.p, 0.13291945818531892, 1e-14);
  // x = [7 i mod 31 for i < 31], y = [11 i mod 37 + 2.5 for i < 37]: mannwhitneyu(x, y, method='asymptotic')
  Values x, y;
  for (int i = 0; i < 31; ++i) x.push_back(7 * i % 31);
  for (int i = 0; i < 37; ++i) y.push_back(11 * i % 37 + 2.5);
  test = mann_whitney(x, y);
  EXPECT_EQ(test.statistic, 406);
  EXPECT_NEAR(test.p, 0.039747057034000936, 1e-14);
  EXPECT_EQ(mann_whitney({}, y).p, 1);
  EXPECT_EQ(mann_whitney(Values(30, 1.0), Values(30, 1.0)).p, 1);
}

// Table of critical values (two-sided, 5 %): U <= 2 for 5 and 5, U <= 5 for 6 and 6, U <= 23 for 10 and 10.
TEST(RankTests, MannWhitneyHasThePublishedCriticalValues) {
  const struct { int n, critical; } kTable[] = {{5, 2}, {6, 5}, {7, 8}, {8, 13}, {9, 17}, {10, 23}};
  for (const auto& row : kTable)
    for (const int u : {row.critical, row.critical + 1}) {
      // n values of b at 0, 1, ..., n - 1; u pairs with a above b: as many values of a as fit above all of b.
      Values a, b = whole_numbers(row.n);
      int left = u;
      for (int i = 0; i < row.n; ++i) {
        const int above = std::min(left, row.n);
        a.push_back(above - 0.5 + 0.001 * i);
        left -= above;
      }
      const RankTest test = mann_whitney(a, b);
      EXPECT_EQ(test.statistic, u);
      EXPECT_EQ(test.p <= 0.05, u == row.critical) << row.n << " " << u << " " << test.p;
    }
}

TEST(RankTests, SignedRankAgreesWithScipy) {
  // stats.wilcoxon(d, method='exact'); the example of SciPy's documentation
  RankTest test = signed_rank(Values{6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75});
  EXPECT_EQ(test.statistic, 120 - 24);
  EXPECT_NEAR(test.p, 0.041259765625, 1e-15);
  // wilcoxon(d, zero_method='wilcox', correction=True, method='approx'), ties and a zero
  EXPECT_NEAR(signed_rank(Values{1, -1, 2, 2, -3, 4, 0, 5, 5, -2, 6, 7}).p, 0.06111155867536276, 1e-14);
  // d = [i if i % 3 else -i for i in 1..60]: wilcoxon(d, correction=True, method='approx')
  Values d;
  for (int i = 1; i <= 60; ++i) d.push_back(i % 3 ? i : -i);
  EXPECT_NEAR(signed_rank(d).p, 0.03622649417878663, 1e-14);
  EXPECT_EQ(signed_rank(Values{0, 0}).p, 1);
}

// Holm (1979): the smallest p times their number, the next times one less, never falling.
TEST(RankTests, HolmAdjustsInOrder) {
  EXPECT_EQ(holm(Values{0.01, 0.04, 0.03, 0.005}), (Values{0.03, 0.06, 0.06, 0.02}));
  EXPECT_EQ(holm(Values{0.7, 0.9}), (Values{1, 1}));
  const Values with_absent = holm(Values{0.01, kAbsent, 0.02});
  EXPECT_EQ(with_absent[0], 0.02);
  EXPECT_TRUE(std::isnan(with_absent[1]));
}

/// Normal scatter round 1, in a way that is the same on every standard library.
Values scattered(std::size_t count, double spread, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  Values values(count);
  for (double& value : values) {
    double sum = -6;  // of twelve uniform numbers: mean 0, variance 1
    for (int i = 0; i < 12; ++i) sum += static_cast<double>(random() >> 11) * 0x1p-53;
    value = 1 + spread * sum;
  }
  return values;
}

Values times(Values values, double factor) {
  for (double& value : values) value *= factor;
  return values;
}

TEST(Bootstrap, MediansAgreeWithScipy) {
  // x, y = [1 + (7 i mod 60) / 600 for i < 60], [1.1 + (11 i mod 50) / 500 for i < 50]; percentile method, 20000
  // resamples: bootstrap((x,), median) and bootstrap((y, x), ratio of medians)
  Values x, y;
  for (int i = 0; i < 60; ++i) x.push_back(1 + 7 * i % 60 / 600.0);
  for (int i = 0; i < 50; ++i) y.push_back(1.1 + 11 * i % 50 / 500.0);
  const Interval median = bootstrap_median(x, 0.95, 1);
  EXPECT_NEAR(median.low, 1.03667, 0.002);
  EXPECT_NEAR(median.high, 1.06167, 0.002);
  const Interval ratio = bootstrap_ratio(y, x, 0.95, 1);
  EXPECT_NEAR(ratio.low, 1.07697, 0.002);
  EXPECT_NEAR(ratio.high, 1.11339, 0.002);
  EXPECT_EQ(bootstrap_ratio(y, x, 0.95, 1).low, ratio.low);  // the same seed, the same interval
  const Interval few = bootstrap_ratio(Values{2, 4}, Values{1, 2}, 0.95, 1);
  EXPECT_EQ(few.low, 1);
  EXPECT_EQ(few.high, 4);
}

Effect judged(const Values& other, const Values& self, bool in_rounds, const VerdictOptions& options = {}) {
  Effect effect = effect_of(other, self, in_rounds, options);
  Effect* one[] = {&effect};
  judge(one, options);
  return effect;
}

TEST(Verdict, SaysWhatTheIntervalSays) {
  for (const bool in_rounds : {true, false}) {
    const Values a = scattered(100, 0.01, 1), b = scattered(100, 0.01, 2);
    const Effect same = judged(a, b, in_rounds), faster = judged(times(a, 1.05), b, in_rounds),
                 slower = judged(a, times(b, 1.05), in_rounds);
    EXPECT_EQ(same.verdict, Verdict::same) << in_rounds;
    EXPECT_EQ(faster.verdict, Verdict::faster) << in_rounds;
    EXPECT_EQ(slower.verdict, Verdict::slower) << in_rounds;
    EXPECT_NEAR(faster.ratio, 1.05, 0.005);
    EXPECT_LT(faster.ratio_95.low, faster.ratio);
    EXPECT_LT(faster.ratio, faster.ratio_95.high);
    // Surely different, and not by more than the threshold: neither faster nor slower.
    EXPECT_EQ(judged(times(a, 1.01), b, in_rounds).verdict, Verdict::same) << in_rounds;
    EXPECT_EQ(judged(times(a, 1.02), b, in_rounds).verdict, Verdict::inconclusive) << in_rounds;
    EXPECT_EQ(judged(times(a, 1.05), b, in_rounds, {.threshold = 0.10}).verdict, Verdict::same) << in_rounds;
    EXPECT_EQ(judged(scattered(100, 0.3, 1), scattered(100, 0.3, 2), in_rounds).verdict, Verdict::inconclusive);
  }
  EXPECT_EQ(judged({}, {1, 2, 3}, true).verdict, Verdict::none);
}

TEST(Verdict, RoundsTakeACommonDisturbanceOut) {
  // Every other stretch of ten rounds all kernels run at half speed.
  Values a = scattered(100, 0.002, 1), b = scattered(100, 0.002, 2);
  for (std::size_t i = 0; i < 100; ++i)
    if (i / 10 % 2) a[i] *= 2, b[i] *= 2;
  EXPECT_EQ(judged(a, b, true).verdict, Verdict::same);
  EXPECT_EQ(judged(a, times(b, 1.05), true).verdict, Verdict::slower);
  EXPECT_EQ(judged(a, b, false).verdict, Verdict::inconclusive);
}

TEST(Verdict, FewSamplesAreJudgedByTheirExtremes) {
  // Three samples of a long call against many: 2 of C(43, 3) orders are as extreme.
  EXPECT_EQ(judged({9, 10, 11}, times(scattered(40, 0.01, 1), 1.0), true).verdict, Verdict::faster);
  EXPECT_EQ(judged({9, 10, 11}, {1, 1.1, 0.9}, true).verdict, Verdict::inconclusive);  // p is 0.1 at best
  // One that is as long as another says nothing of how both scatter.
  const Effect one = judged({1}, {1}, true), six = judged({1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}, true);
  EXPECT_EQ(one.verdict, Verdict::inconclusive);
  EXPECT_EQ(one.samples, 1);
  EXPECT_FALSE(one.has_interval());
  EXPECT_EQ(six.verdict, Verdict::same);
  EXPECT_TRUE(six.has_interval());
}

TEST(Verdict, ManyQuestionsAreAskedTogether) {
  // p = 2 / C(9, 3) = 0.024 for each: below 0.05 alone, not among three.
  const auto different = [] { return effect_of(Values{9, 10, 11}, Values{1.0, 1.1, 1.2, 0.9, 0.8, 0.7}, true); };
  Effect alone = different(), one = different(), two = different(), three = different();
  Effect *first[] = {&alone}, *all[] = {&one, &two, &three};
  judge(first);
  judge(all);
  EXPECT_EQ(alone.verdict, Verdict::faster);
  EXPECT_EQ(one.verdict, Verdict::inconclusive);
  EXPECT_NEAR(one.p_value, 3 * alone.p_value, 1e-15);
}

TEST(Verdict, SmallestEffectIsSeenInFourOfFiveRuns) {
  const Effect seen = judged(scattered(60, 0.05, 1), scattered(60, 0.05, 2), true);
  EXPECT_GT(seen.smallest_effect, 0.02);
  int faster = 0;
  for (std::uint64_t run = 0; run < 200; ++run) {
    const Values a = times(scattered(60, 0.05, 100 + run), 1 + seen.smallest_effect),
                 b = scattered(60, 0.05, 900 + run);
    faster += judged(a, b, true).verdict == Verdict::faster ? 1 : 0;
  }
  EXPECT_GT(faster, 200 * 0.6);
  EXPECT_LT(faster, 200 * 0.95);
}

// The whole chain on made-up samples: one in twenty at most may be called different where nothing is, and none in the
// wrong direction.
TEST(Verdict, EqualKernelsAreSeldomCalledDifferent) {
  int different = 0, wrong_way = 0;
  for (std::uint64_t run = 0; run < 400; ++run) {
    const Values a = scattered(40, 0.03, 2 * run), b = scattered(40, 0.03, 2 * run + 1);
    const Verdict equal = judged(a, b, true).verdict;
    different += equal == Verdict::faster || equal == Verdict::slower ? 1 : 0;
    wrong_way += judged(times(a, 1.01), b, true).verdict == Verdict::slower ? 1 : 0;
  }
  EXPECT_LE(different, 4);
  EXPECT_EQ(wrong_way, 0);
}

TEST(Verdict, RowsAreHeldAgainstTheReferenceAndTheFastest) {
  const auto row_of = [](const char* kernel, double seconds, std::uint64_t seed) {
    Row row;
    row.kernel = kernel;
    row.status = Status::ok;
    row.time.samples = times(scattered(40, 0.01, seed), seconds);
    row.time.summary = summarize(row.time.samples);
    return row;
  };
  std::vector<Row> rows = {row_of("reference", 3, 1), row_of("fast", 1, 2), row_of(kAuto, 0.9, 3),
                           row_of("wrong", 0.1, 4)};
  rows[0].reference = true;
  rows[3].status = Status::wrong;
  derive_effects(rows);
  EXPECT_EQ(rows[0].vs_reference.verdict, Verdict::none);
  EXPECT_EQ(rows[0].vs_best.verdict, Verdict::slower);
  EXPECT_EQ(rows[1].vs_reference.verdict, Verdict::faster);
  EXPECT_NEAR(rows[1].vs_reference.ratio, 3, 0.05);
  EXPECT_EQ(rows[1].vs_best.verdict, Verdict::none) << "the fastest kernel is not held against itself, or against auto";
  EXPECT_EQ(rows[2].vs_best.verdict, Verdict::faster);
  EXPECT_EQ(rows[3].vs_best.verdict, Verdict::none);
  EXPECT_TRUE(std::isnan(rows[3].drift));
  EXPECT_LT(std::abs(rows[0].drift), 0.5);
}

}  // namespace
}  // namespace tandem::profile::verdict_test
