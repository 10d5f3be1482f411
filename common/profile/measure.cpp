#include "common/profile/measure.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "common/profile/stats.h"
#include "common/profile/timer.h"

namespace tandem::profile {
namespace {

constexpr double kShortCall = 1e-3;     // seconds below which a call is repeated untimed before each sample
constexpr double kLongBatch = 0.25e-3;  // seconds above which batches are not made longer to hold fewer
constexpr double kTimedTwice = 0.05;    // seconds of a trial batch from which it is long
constexpr int kFewest = 3;              // samples of a candidate that passes max_seconds at once
constexpr double kObserveEvery = 0.05;
constexpr double kFewestTicks = 10;  // of the clock in a batch: a tick more or less is then within ten per cent

bool cancelled(const MeasureOptions& options) {
  return options.cancel && options.cancel->load(std::memory_order_relaxed);
}

struct Batch {
  int calls;
  double call_seconds;  // about
};

/// How long a batch should last.
double batch_seconds(const MeasureOptions& options) {
  const double longest = options.min_seconds / options.samples_wanted;
  return std::max({shortest_sample(), longest / 10, std::min(longest, kLongBatch)});
}

/// A batch that lasts about `seconds`. What ends the search is timed twice unless it is long: calls that the system
/// interrupted once would look so long that the clock cannot resolve the batch.
Batch batch_for(double seconds, const Timed& candidate) {
  for (int calls = 1;;) {
    double took = candidate.run(calls);
    if (took >= seconds / 8 && took < kTimedTwice) took = std::min(took, candidate.run(calls));
    const double grow = took > 0 ? seconds / took * 1.05 : 16;
    if (took >= seconds || calls >= 1 << 26) return {calls, took / calls};
    if (took >= seconds / 8) return {static_cast<int>(std::ceil(calls * grow)), took / calls};
    calls = static_cast<int>(std::ceil(calls * std::clamp(grow, 2.0, 16.0)));
  }
}

/// Half the width of the median's interval, relative to it.
double uncertainty(const std::vector<double>& samples) {
  const Summary s = summarize(samples);
  return (s.median_95.high - s.median_95.low) / 2 / s.median;
}

class Run {
 public:
  Run(const Timed& candidate, const MeasureOptions& options) : candidate_(candidate), options_(options) {
    if (candidate.prepare) {
      samples_.calls = 1;
      return;
    }
    const Batch batch = batch_for(batch_seconds(options), candidate);
    samples_.calls = batch.calls;
    warm_first_ = batch.call_seconds < kShortCall;
  }

  bool done() const { return done_; }
  double fraction() const { return done_ ? 1 : std::min(1.0, spent_ / options_.min_seconds); }
  std::string_view name() const { return candidate_.name; }
  double median() const { return summarize(samples_.seconds).median; }
  Samples take() { return std::move(samples_); }
  /// The last word: what was interrupted says so, and what the clock cannot resolve is thrown away.
  void close() {
    if (!done_) samples_.stop = samples_.seconds.empty() ? Stop::not_started : Stop::interrupted;
    const double tick = options_.tick_seconds > 0 ? options_.tick_seconds : timer_facts().tick_seconds;
    if (samples_.seconds.empty() || median() * samples_.calls >= kFewestTicks * tick) return;
    samples_.seconds.clear();
    samples_.places.clear();
    samples_.stop = Stop::too_short;
  }

  void sample(int place) {
    const double begin = now();
    if (candidate_.prepare) candidate_.prepare();
    if (warm_first_) candidate_.run(1);
    const double took = candidate_.run(samples_.calls);
    samples_.seconds.push_back(took / samples_.calls);
    samples_.places.push_back(place);
    spent_ += candidate_.prepare ? now() - begin : took;
    const auto count = static_cast<int>(samples_.seconds.size());
    if (spent_ >= options_.max_seconds && count >= kFewest)
      finish(Stop::max_time);
    else if (spent_ >= options_.min_seconds && count >= options_.min_samples && settled())
      finish(Stop::enough);
  }

 private:
  // Looking at the samples costs a sort: not after each one.
  bool settled() {
    if (samples_.seconds.size() < next_look_) return false;
    next_look_ = samples_.seconds.size() + samples_.seconds.size() / 8 + 1;
    return uncertainty(samples_.seconds) <= options_.precision;
  }
  void finish(Stop stop) {
    if (stop == Stop::max_time && uncertainty(samples_.seconds) <= options_.precision &&
        static_cast<int>(samples_.seconds.size()) >= options_.min_samples)
      stop = Stop::enough;
    samples_.stop = stop;
    done_ = true;
  }

  const Timed& candidate_;
  const MeasureOptions& options_;
  Samples samples_;
  bool warm_first_ = false;
  double spent_ = 0;
  std::size_t next_look_ = 0;
  bool done_ = false;
};

}  // namespace

double time_calls(int calls, const std::function<void()>& call) {
  const double begin = now();
  for (int i = 0; i < calls; ++i) call();
  return now() - begin;
}

std::string_view name(Stop stop) {
  switch (stop) {
    case Stop::not_started:
      return "not started";
    case Stop::enough:
      return "precise enough";
    case Stop::max_time:
      return "time limit";
    case Stop::interrupted:
      return "interrupted";
    case Stop::too_short:
      return "too short";
    case Stop::one_figure:
      return "one figure";
  }
  return "unknown";
}

std::vector<Samples> measure(std::span<const Timed> candidates, const MeasureOptions& options) {
  std::vector<Run> runs;
  runs.reserve(candidates.size());
  for (const Timed& candidate : candidates) {
    if (cancelled(options)) break;
    runs.emplace_back(candidate, options);
  }
  std::vector<Samples> results(candidates.size());
  std::vector<std::size_t> open(runs.size());
  std::iota(open.begin(), open.end(), std::size_t{0});
  std::mt19937_64 random(options.seed);
  double observed = 0;
  while (!open.empty() && !cancelled(options)) {
    for (std::size_t i = open.size(); i > 1; --i) std::swap(open[i - 1], open[random() % i]);
    int place = 0;
    for (const std::size_t i : open) {
      if (cancelled(options)) break;
      runs[i].sample(place++);
      if (!options.observe || now() - observed < kObserveEvery) continue;
      observed = now();
      double fraction = 0;
      for (const Run& run : runs) fraction += run.fraction() / static_cast<double>(runs.size());
      options.observe({runs[i].name(), runs[i].median(), fraction});
    }
    std::erase_if(open, [&](std::size_t i) { return runs[i].done(); });
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].close();
    results[i] = runs[i].take();
  }
  return results;
}

}  // namespace tandem::profile
