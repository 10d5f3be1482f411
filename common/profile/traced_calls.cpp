#include "common/profile/traced_calls.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "common/core/context_impl.h"
#include "common/profile/measure.h"
#include "common/profile/stage_shares.h"
#include "common/profile/stats.h"
#include "common/profile/timer.h"
#include "common/profile/timing.h"

namespace tandem::profile {
namespace {

constexpr int kMostCalls = 100;  // of a batch: their marks on a stream are told at its end
constexpr int kFewestSamples = 7;

/// A context with a recorder of stages that is switched on and off; the recorder that it had comes back at the end.
class Recording {
 public:
  explicit Recording(Context& ctx) : tracer_(ctx.impl().tracer), before_(std::move(tracer_)) {
    trace::RecorderOptions options;
    options.stages = true;
    recorder_ = trace::Recorder(options);
    trace::attach(ctx, recorder_);
    off();
  }
  ~Recording() { tracer_ = std::move(before_); }
  Recording(const Recording&) = delete;
  Recording& operator=(const Recording&) = delete;

  void on() { tracer_ = std::move(mine_); }
  void off() { mine_ = std::move(tracer_); }
  trace::Recorder& recorder() { return recorder_; }

 private:
  std::unique_ptr<Tracer>& tracer_;
  std::unique_ptr<Tracer> before_, mine_;
  trace::Recorder recorder_;
};

/// Mean over the calls of a batch; the spans of the last one stay in `last`.
Shares mean_shares(const std::vector<trace::Span>& spans, std::vector<trace::Span>& last) {
  Shares mean;
  int calls = 0;
  for (std::size_t begin = 0; begin < spans.size();) {
    std::size_t end = begin + 1;
    while (end < spans.size() && spans[end].parent != 0) ++end;
    const Shares shares = shares_of(spans[begin], std::span(spans).subspan(begin + 1, end - begin - 1));
    mean.wall += shares.wall;
    for (std::size_t p = 0; p < kParts; ++p) {
      mean.seconds[p] += shares.seconds[p];
      mean.on_device[p] += shares.on_device[p];
    }
    ++calls;
    if (end == spans.size()) last.assign(spans.begin() + static_cast<std::ptrdiff_t>(begin), spans.end());
    begin = end;
  }
  mean.wall /= calls;
  for (std::size_t p = 0; p < kParts; ++p) {
    mean.seconds[p] /= calls;
    mean.on_device[p] /= calls;
  }
  return mean;
}

/// Indices of the samples whose wall time lies between its quartiles.
std::vector<std::size_t> middle_of(const std::vector<Shares>& samples, const Summary& wall) {
  std::vector<std::size_t> middle;
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (samples[i].wall >= wall.p25 && samples[i].wall <= wall.p75) middle.push_back(i);
  return middle;
}

template <class Value>
double mean_of(const std::vector<std::size_t>& indices, Value value) {
  double sum = 0;
  for (const std::size_t i : indices) sum += value(i);
  return sum / static_cast<double>(indices.size());
}

void fill_stages(const std::vector<Shares>& samples, Profile& out) {
  const std::vector<std::size_t> middle = middle_of(samples, out.traced.summary);
  const double least = 10 * timer_facts().tick_seconds;
  const std::string how =
      fmt::format("mean of the {} of {} samples between the quartiles of the wall time", middle.size(), samples.size());
  out.wall = {mean_of(middle, [&](std::size_t i) { return samples[i].wall; }), "s", Source::measured, how};
  double other = 0, named = 0;
  for (std::size_t p = 0; p < kParts; ++p) {
    const auto part = static_cast<Part>(p);
    const double seconds = mean_of(middle, [&](std::size_t i) { return samples[i].seconds[p]; });
    const double on_device = mean_of(middle, [&](std::size_t i) { return samples[i].on_device[p]; });
    StageTime stage{std::string(name(part)), {}, {}, {}};
    for (const Shares& sample : samples) stage.samples.push_back(sample.seconds[p]);
    if (on_device > 0)
      stage.on_device = {on_device, "s", Source::measured, "events on the stream before and after, " + how};
    else
      stage.on_device = {kAbsent, "s", Source::absent, "nothing of it happens on a device"};
    if (part == Part::other) {
      stage.seconds = {seconds + other, "s", Source::derived, "wall time less the stages with a name and a number"};
    } else if (seconds == 0) {
      continue;  // not a part of such calls
    } else if (seconds < least) {
      other += seconds;
      stage.seconds = {kAbsent, "s", Source::absent,
                       fmt::format("below ten steps of the clock ({:.0f} ns); counted in other", least * 1e9)};
    } else {
      named += seconds;
      const bool regions = part == Part::fork_join;
      stage.seconds = {seconds, "s", Source::measured,
                       regions ? "regions of threads less the share of their slowest thread, " + how : how};
    }
    out.stages.push_back(std::move(stage));
  }
  out.accounted = {named / out.wall.value, "1", Source::derived, "sum of the stages with a name / wall"};
}

}  // namespace

void time_calls_with_stages(Context& ctx, const std::function<void()>& call, const ProfileOptions& options,
                            Profile& out) {
  const auto cancelled = [&] { return options.cancel && options.cancel->load(std::memory_order_relaxed); };
  Recording recording(ctx);
  call();
  const double once = std::min(time_calls(1, call), time_calls(1, call));
  const double wanted = std::max(shortest_sample(), options.min_seconds / 40);
  const int calls = static_cast<int>(std::clamp(std::ceil(wanted / std::max(once, 1e-9)), 1.0, double{kMostCalls}));
  Samples plain, traced;
  std::vector<Shares> samples;
  plain.calls = traced.calls = calls;
  const double begin = now();
  // Half of the time for calls as they are, half for those with their stages, and not longer than thrice that.
  while (!cancelled() && (now() - begin < 2 * options.min_seconds || samples.size() < kFewestSamples)) {
    if (now() - begin > 6 * options.min_seconds && samples.size() >= 3) break;
    plain.seconds.push_back(time_calls(calls, call) / calls);
    recording.on();
    for (int i = 0; i < calls; ++i) {
      const trace::Scope scope(ctx, "call");
      call();
    }
    recording.off();
    samples.push_back(mean_shares(recording.recorder().spans(), out.spans));
    recording.recorder().clear();
    traced.seconds.push_back(samples.back().wall);
    if (options.observe) options.observe({"stages", plain.seconds.back(), 0.5});
  }
  const Stop stop = samples.empty()                   ? Stop::not_started
                    : cancelled()                     ? Stop::interrupted
                    : samples.size() < kFewestSamples ? Stop::max_time
                                                      : Stop::enough;
  plain.stop = traced.stop = stop;
  out.call = timing_of(std::move(plain));
  out.traced = timing_of(std::move(traced));
  if (!samples.empty()) fill_stages(samples, out);
}

}  // namespace tandem::profile
