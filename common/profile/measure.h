// Timing several candidates side by side: batches long enough for the clock, shuffled rounds in which each candidate
// takes one sample, and rules that say when a candidate has been measured enough.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <tandem/measurement.h>

namespace tandem::profile {

/// Something to time. run(calls) makes that many calls in a row, waits for them, and returns the seconds they took, by
/// whatever clock suits it. It has been run once before (caches, pages and memory pools are warm).
struct Timed {
  std::string name;
  std::function<double(int calls)> run;
  /// Where there is one, a sample is one call with this before it, untimed; its time counts as spent.
  std::function<void()> prepare = {};
};

/// The calls of a batch timed by the host clock.
double time_calls(int calls, const std::function<void()>& call);

struct MeasureOptions {
  double min_seconds = 0.1;  ///< spent in the samples of each candidate
  double max_seconds = 1.0;  ///< the limit for a candidate whose samples scatter
  double precision = 0.02;   ///< wanted half width of the median's 95 % interval, as a fraction of the median
  int min_samples = 7;       ///< fewer only when a single call is so long that max_seconds is passed
  /// Batches are made so long that min_seconds holds about this many; more where they could be longer than 0.25
  /// ms, up to ten times as many. Short batches let many rounds pass without a disturbance.
  int samples_wanted = 100;
  double tick_seconds = 0;  ///< resolution of the candidates' clock; 0: of the host's
  std::uint64_t seed = 1;   ///< of the order within the rounds
  const std::atomic<bool>* cancel = nullptr;
  std::function<void(const Progress&)> observe;
};

/// What options with these fields ask for: candidates that scatter get three times as long.
template <class Options>
MeasureOptions measure_options(const Options& options) {
  MeasureOptions how;
  how.min_seconds = options.min_seconds;
  how.max_seconds = 3 * options.min_seconds;
  how.seed = options.seed;
  how.cancel = options.cancel;
  how.observe = options.observe;
  return how;
}

/// The samples of one candidate.
struct Samples {
  std::vector<double> seconds;  ///< of one call (a batch's time over its calls), in the order taken
  int calls = 0;                ///< in a batch
  Stop stop = Stop::not_started;
  std::vector<int> places = {};  ///< of each sample: how many candidates took theirs before it in the round
};

/// One result a candidate, in their order. Sample i of each was taken in round i: a candidate that is finished leaves
/// the rounds and does not come back, so that samples of two candidates with the same index stood beside each other in
/// time. A candidate whose batches last less than ten ticks of the clock, however many calls they hold, has no samples
/// (Stop::too_short). Each sample is preceded by one untimed call when calls are short, so that what another candidate
/// left in the caches is not counted: figures are those of warm caches.
std::vector<Samples> measure(std::span<const Timed> candidates, const MeasureOptions& options);

}  // namespace tandem::profile
