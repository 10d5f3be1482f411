#include "common/profile/timing.h"

#include <utility>

#include <fmt/format.h>

#include "common/profile/stats.h"
#include "common/profile/timer.h"

namespace tandem::profile {

std::string_view name(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::wrong:
      return "wrong";
    case Status::skipped:
      return "skipped";
  }
  return "unknown";
}

Timing timing_of(Samples samples) {
  Timing timing;
  timing.summary = summarize(samples.seconds);
  timing.calls_per_sample = samples.calls;
  timing.stop = samples.stop;
  timing.samples = std::move(samples.seconds);
  timing.places = std::move(samples.places);
  return timing;
}

std::string why_not_measured(const Timing& timing) {
  if (timing.stop != Stop::too_short) return "interrupted";
  const std::string what = timing.calls_per_sample == 1
                               ? "a single call lasts"
                               : fmt::format("{} calls in a row last", timing.calls_per_sample);
  return fmt::format("{} less than ten ticks of the clock, which are {:.0f} ns", what,
                     1e10 * timer_facts().tick_seconds);
}

}  // namespace tandem::profile
