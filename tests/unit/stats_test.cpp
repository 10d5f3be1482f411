// Order statistics and the rules of measuring, with made-up clocks: nothing here depends on how fast the machine is.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/profile/format.h"
#include "common/profile/measure.h"
#include "common/profile/stats.h"
#include "common/profile/timer.h"

namespace tandem::profile::stats_test {
namespace {

TEST(Stats, QuantilesAreLinearBetweenNeighbours) {
  const std::vector<double> values = {1, 2, 4, 8};  // positions 0, 1, 2, 3
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 0.1), 1.3);    // position 0.3
  EXPECT_DOUBLE_EQ(quantile(values, 0.25), 1.75);  // 0.75
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3);      // 1.5
  EXPECT_DOUBLE_EQ(quantile(values, 0.75), 5);     // 2.25
  EXPECT_DOUBLE_EQ(quantile(values, 1), 8);
  EXPECT_TRUE(std::isnan(quantile({}, 0.5)));
}

// Python: statistics.quantiles(x, n=100, method='inclusive'), mean and stdev / mean.
TEST(Stats, SummaryAgreesWithPythonsStatistics) {
  const std::vector<double> x = {3.1, 1.2, 5.5, 4.4, 2.0, 9.9, 7.25, 6.0, 8.1, 0.5, 2.2};
  const Summary s = summarize(x);
  EXPECT_EQ(s.samples, 11u);
  EXPECT_DOUBLE_EQ(s.min, 0.5);
  EXPECT_DOUBLE_EQ(s.p25, 2.1);
  EXPECT_DOUBLE_EQ(s.median, 4.4);
  EXPECT_DOUBLE_EQ(s.p75, 6.625);
  EXPECT_DOUBLE_EQ(s.p95, 9.0);
  EXPECT_DOUBLE_EQ(s.p99, 9.72);
  EXPECT_DOUBLE_EQ(s.max, 9.9);
  EXPECT_DOUBLE_EQ(s.mean, 4.5590909090909095);
  EXPECT_NEAR(s.cv, 0.6699599112538986, 1e-15);
  EXPECT_DOUBLE_EQ(s.relative_iqr(), (6.625 - 2.1) / 4.4);
  EXPECT_DOUBLE_EQ(s.median_95.low, 1.2);   // the 2nd of 11 ...
  EXPECT_DOUBLE_EQ(s.median_95.high, 8.1);  // ... and the 10th
}

TEST(Stats, OneSampleIsItsOwnSummaryAndNoneIsAbsent) {
  const std::vector<double> one = {2.5};
  const Summary s = summarize(one);
  for (const double value : {s.min, s.p25, s.median, s.p75, s.p99, s.max, s.mean, s.median_95.low, s.median_95.high})
    EXPECT_DOUBLE_EQ(value, 2.5);
  EXPECT_DOUBLE_EQ(s.cv, 0);
  const Summary none = summarize({});
  EXPECT_EQ(none.samples, 0u);
  EXPECT_TRUE(std::isnan(none.median) && std::isnan(none.mean) && std::isnan(none.median_95.low));
}

// Ranks of the sign-test interval: the largest r with 2 sum_{i<r} C(n,i) / 2^n <= 0.05, computed with whole numbers.
TEST(Stats, MedianIntervalHasTheRanksOfTheBinomialDistribution) {
  const struct {
    std::size_t n, low, high;
  } kRanks[] = {{6, 1, 6}, {10, 2, 9}, {11, 2, 10}, {20, 6, 15}, {50, 18, 33}, {100, 40, 61}, {1000, 469, 532}};
  for (const auto& rank : kRanks) {
    std::vector<double> values(rank.n);
    std::iota(values.begin(), values.end(), 1.0);  // value = rank
    const Interval interval = median_interval(values);
    EXPECT_EQ(interval.low, static_cast<double>(rank.low)) << rank.n;
    EXPECT_EQ(interval.high, static_cast<double>(rank.high)) << rank.n;
  }
  const std::vector<double> few = {1, 2, 3, 4, 5};  // too few for 95 %: all of them
  EXPECT_EQ(median_interval(few).low, 1);
  EXPECT_EQ(median_interval(few).high, 5);
}

TEST(Timer, KnowsItsTick) {
  EXPECT_GT(timer_facts().tick_seconds, 0);
  EXPECT_LT(timer_facts().tick_seconds, 1e-3);
  EXPECT_GE(shortest_sample(), 20e-6);
  EXPECT_GT(timer_facts().call_seconds, 0);
  EXPECT_LT(timer_facts().call_seconds, 1e-5);
  EXPECT_GE(shortest_sample(), 1000 * timer_facts().tick_seconds);
}

/// A candidate whose calls take what `seconds` says, without taking any time, and that notes its name when sampled.
struct Made {
  std::vector<std::string>* order;
  std::vector<int> batches;
  Timed timed(const std::string& name, double seconds) {
    return {name, [this, name, seconds](int calls) {
              batches.push_back(calls);
              if (order) order->push_back(name);
              return seconds * calls;
            }};
  }
};

TEST(Measure, BatchesAreLongEnoughAndSamplesAreOfOneCall) {
  Made made{nullptr, {}};
  const std::vector<Timed> candidates = {made.timed("fast", 1e-8)};
  MeasureOptions options;
  options.min_seconds = 0.1;
  const std::vector<Samples> results = measure(candidates, options);
  ASSERT_EQ(results.size(), 1u);
  EXPECT_EQ(results[0].stop, Stop::enough);
  EXPECT_GE(results[0].calls * 1e-8, shortest_sample());
  EXPECT_GE(results[0].calls * 1e-8, options.min_seconds / options.samples_wanted / 10);
  EXPECT_GE(static_cast<int>(results[0].seconds.size()), options.min_samples);
  double spent = 0;
  for (const double s : results[0].seconds) {
    EXPECT_NEAR(s, 1e-8, 1e-20);
    spent += s * results[0].calls;
  }
  EXPECT_GE(spent, options.min_seconds);
  EXPECT_LT(spent, 2 * options.min_seconds);
}

TEST(Measure, RoundsTakeOneSampleOfEachInShuffledOrder) {
  std::vector<std::string> order;
  Made made{&order, {}};
  const std::vector<Timed> candidates = {made.timed("a", 0.02), made.timed("b", 0.02), made.timed("c", 0.02)};
  MeasureOptions options;
  options.min_seconds = 0.6;  // 30 samples of one call
  options.samples_wanted = 40;
  const std::vector<Samples> results = measure(candidates, options);
  ASSERT_EQ(results[0].seconds.size(), 30u);
  std::vector<std::string> rounds(order.end() - 90, order.end());
  std::vector<std::string> firsts;
  for (std::size_t r = 0; r < 30; ++r) {
    std::vector<std::string> round(rounds.begin() + static_cast<std::ptrdiff_t>(3 * r),
                                   rounds.begin() + static_cast<std::ptrdiff_t>(3 * r + 3));
    firsts.push_back(round[0]);
    std::sort(round.begin(), round.end());
    EXPECT_EQ(round, (std::vector<std::string>{"a", "b", "c"})) << "round " << r;
    for (std::size_t i = 0; i < 3; ++i) {  // the order is in the samples too
      const auto place = static_cast<std::size_t>(results[i].places[r]);
      EXPECT_EQ(rounds[3 * r + place], candidates[i].name) << "round " << r;
    }
  }
  for (const char* name : {"a", "b", "c"}) EXPECT_GT(std::count(firsts.begin(), firsts.end(), name), 0) << name;
  // The same seed gives the same order, another one does not.
  const std::vector<std::string> before = order;
  order.clear();
  measure(candidates, options);
  EXPECT_EQ(order, before);
  order.clear();
  options.seed = 2;
  measure(candidates, options);
  EXPECT_NE(order, before);
}

TEST(Measure, ScatterEndsAtTheTimeLimitAndLongCallsAfterThree) {
  int call = 0;
  const Timed scattered{"scattered", [&](int calls) { return calls * (++call % 2 == 0 ? 0.01 : 0.03); }};
  const Timed slow{"slow", [](int calls) { return 5.0 * calls; }};
  MeasureOptions options;
  options.max_seconds = 0.5;
  const std::vector<Samples> results = measure(std::vector<Timed>{scattered, slow}, options);
  EXPECT_EQ(results[0].stop, Stop::max_time);
  EXPECT_EQ(results[1].stop, Stop::max_time);
  EXPECT_EQ(results[1].seconds, (std::vector<double>{5, 5, 5}));
}

TEST(Measure, AnInterruptionDoesNotMakeBatchesShort) {
  // The system takes a millisecond from the first calls, or from those that would have been long enough.
  for (const int interrupted : {1, 3}) {
    int run = 0;
    const Timed call{"call", [&](int calls) { return calls * 1e-7 + (++run == interrupted ? 1e-3 : 0.0); }};
    MeasureOptions options;
    options.min_seconds = 1e-3;
    options.tick_seconds = 1e-7;
    const std::vector<Samples> results = measure(std::vector<Timed>{call}, options);
    EXPECT_NE(results[0].stop, Stop::too_short);
    EXPECT_GE(results[0].calls * 1e-7, shortest_sample() / 2) << "interrupted in run " << interrupted;
    EXPECT_LT(results[0].calls * 1e-7, 1e-2);
  }
}

TEST(Measure, WhatTheClockCannotResolveHasNoSamples) {
  // A clock of a microsecond, and calls that it never sees: batches grow to the largest there is and stay at one tick.
  const Timed nothing{"nothing", [](int calls) { return calls > 1 << 20 ? 1e-6 : 0.0; }};
  const Timed short_call{"short", [](int calls) { return 2e-6 * calls; }};
  MeasureOptions options;
  options.min_seconds = 1e-3;
  options.max_seconds = 2e-3;
  options.tick_seconds = 1e-6;
  const std::vector<Samples> results = measure(std::vector<Timed>{nothing, short_call}, options);
  EXPECT_EQ(results[0].stop, Stop::too_short);
  EXPECT_TRUE(results[0].seconds.empty() && results[0].places.empty());
  EXPECT_GE(results[1].calls * 2e-6, 10e-6);
  EXPECT_FALSE(results[1].seconds.empty());
}

TEST(Measure, PreparedSamplesAreSingleCalls) {
  int prepared = 0, ran = 0;
  Timed cold{"cold",
             [&](int calls) {
               EXPECT_EQ(calls, 1);
               EXPECT_EQ(++ran, prepared);
               return 1e-4;
             },
             [&] { ++prepared; }};
  MeasureOptions options;
  options.min_seconds = 1e-6;
  const std::vector<Samples> results = measure(std::vector<Timed>{cold}, options);
  EXPECT_EQ(results[0].calls, 1);
  EXPECT_GE(static_cast<int>(results[0].seconds.size()), options.min_samples);
  EXPECT_EQ(prepared, static_cast<int>(results[0].seconds.size()));
}

TEST(Measure, CancellingKeepsWhatWasMeasured) {
  std::atomic<bool> cancel{false};
  int samples = 0;
  const Timed one{"one", [&](int calls) {
                    if (++samples == 5) cancel = true;
                    return 0.06 * calls;
                  }};
  const Timed other{"other", [](int calls) { return 0.06 * calls; }};
  MeasureOptions options;
  options.min_seconds = 100;
  options.max_seconds = 1000;
  options.samples_wanted = 5000;
  options.cancel = &cancel;
  const std::vector<Samples> results = measure(std::vector<Timed>{one, other}, options);
  EXPECT_EQ(results[0].stop, Stop::interrupted);
  EXPECT_EQ(results[0].seconds.size(), 4u);  // one call sized the batch
  EXPECT_GE(results[1].seconds.size(), 3u);

  const std::vector<Samples> none = measure(std::vector<Timed>{one, other}, options);
  EXPECT_EQ(none[0].stop, Stop::not_started);
  EXPECT_TRUE(none[0].seconds.empty());
}

TEST(Measure, ObserverSeesNamesMediansAndAFractionUpToOne) {
  std::vector<Progress> seen;
  double fraction = 0;
  MeasureOptions options;
  options.observe = [&](const Progress& p) {
    EXPECT_EQ(p.candidate, "a");
    EXPECT_DOUBLE_EQ(p.median_seconds, 0.02);
    EXPECT_GE(p.fraction, fraction);
    EXPECT_LE(p.fraction, 1);
    fraction = p.fraction;
    seen.push_back(p);
  };
  Made made{nullptr, {}};
  measure(std::vector<Timed>{made.timed("a", 0.02)}, options);
  EXPECT_GE(seen.size(), 1u);
}

TEST(Format, NumbersForPeople) {
  EXPECT_EQ(duration(1.302e-4), "130.2 us");
  EXPECT_EQ(duration(9.8e-9), "9.800 ns");
  EXPECT_EQ(duration(12.5), "12.50 s");
  EXPECT_EQ(duration(std::nan("")), "n/a");
  EXPECT_EQ(significant(12345.6), "12346");
  EXPECT_EQ(significant(0.01234), "0.01234");
  EXPECT_EQ(with_prefix(2147483648.0), "2.15 G");
  EXPECT_EQ(percent(0.9354), "93.5 %");
  EXPECT_EQ(bar(0.5, 4, true), "██  ");
  EXPECT_EQ(bar(0.53, 4, true), "██▏ ");
  EXPECT_EQ(bar(2, 4, false), "####");
  EXPECT_EQ(display_width(bar(0.53, 4, true)), 4u);
}

}  // namespace
}  // namespace tandem::profile::stats_test
