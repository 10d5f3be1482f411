// What a measurement yields: samples in seconds, their order statistics, and why there are no more of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace tandem::profile {

/// A number that is not there.
inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

struct Interval {
  double low = 0;
  double high = 0;
};

/// Samples of one quantity, in its unit. All fields are NaN when there is no sample.
struct Summary {
  std::size_t samples = 0;
  double min = 0, p25 = 0, median = 0, p75 = 0, p95 = 0, p99 = 0, max = 0;
  double mean = 0;
  double cv = 0;       ///< standard deviation (n - 1) / mean; 0 for one sample
  double mad = 0;      ///< median of |sample - median|
  Interval median_95;  ///< median_interval of the samples
  /// (p75 - p25) / median.
  double relative_iqr() const { return (p75 - p25) / median; }
};

enum class Stop : std::uint8_t {
  not_started,  ///< interrupted before the first sample
  enough,       ///< the wanted time was spent and the median is known to the wanted precision
  max_time,     ///< it is not, but the time limit is reached
  interrupted,
  too_short,   ///< a batch of calls is too short for the clock: the samples were thrown away
  one_figure,  ///< there is one figure, measured elsewhere: it says nothing of how it scatters
};

std::string_view name(Stop stop);

/// Seconds of one call.
struct Timing {
  Summary summary;
  std::vector<double> samples;  ///< in the order taken: sample i in round i of its measurement
  std::vector<int> places;      ///< of each sample: how many candidates took theirs before it in that round
  int calls_per_sample = 0;
  Stop stop = Stop::not_started;
  bool measured() const { return !samples.empty(); }
};

enum class Status : std::uint8_t {
  ok,
  wrong,    ///< the result was out of its bound, or what was measured failed: `reason` says how, and nothing was timed
  skipped,  ///< not run: `reason` says why
};
std::string_view name(Status status);

/// What the processor's counters said between two moments, user mode alone, all threads of the process together. NaN:
/// not counted.
struct CounterReading {
  double cycles = kAbsent;
  double instructions = kAbsent;
  double cache_references = kAbsent;  ///< of the last level, as the kernel maps it for this processor
  double cache_misses = kAbsent;
  double branch_misses = kAbsent;
  double counted_fraction = kAbsent;  ///< of the time; below 1 the counters took turns and figures are scaled up
  std::string reason;                 ///< "n/a: ...": why counters are absent; empty when all five counted
};

/// What can be said of a kernel against another one.
enum class Verdict : std::uint8_t {
  none,  ///< there is nothing to compare it with
  faster,
  slower,
  same,          ///< any difference is below the practical threshold
  inconclusive,  ///< too few samples, or too much scatter
};
std::string_view name(Verdict verdict);

/// One kernel against another.
struct Effect {
  Verdict verdict = Verdict::none;
  double ratio = kAbsent;  ///< time of the other / time of this one: a speed-up
  Interval ratio_95{kAbsent, kAbsent};
  double p_value = kAbsent;          ///< of the two being equal; adjusted for all the rows that were compared at once
  double smallest_effect = kAbsent;  ///< the speed-up - 1 that would most likely have been seen through the scatter
  int samples = 0;                   ///< of the side that has fewer; 0: results of an older library do not tell
  /// There is a 95 % interval; with fewer samples ratio_95 has the extremes.
  bool has_interval() const { return samples == 0 || samples >= 6; }
};

/// What a running measurement tells its observer, at most every 50 ms and never inside a sample.
struct Progress {
  std::string_view candidate;
  double median_seconds = 0;  ///< of that candidate, so far
  double fraction = 0;        ///< of the whole measurement, estimated
};

}  // namespace tandem::profile
