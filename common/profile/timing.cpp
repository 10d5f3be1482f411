#include "common/profile/timing.h"

#include "common/profile/stats.h"

#include <utility>

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

}  // namespace tandem::profile
