// What became of something that was to be measured, and the seconds that it took.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "common/profile/measure.h"
#include "common/profile/stats.h"

namespace tandem::profile {

inline constexpr double kAbsent = std::numeric_limits<double>::quiet_NaN();

enum class Status : std::uint8_t {
  ok,
  wrong,    ///< the result was out of its bound, or what was measured failed: `reason` says how, and nothing was timed
  skipped,  ///< not run: `reason` says why
};
std::string_view name(Status status);

/// Seconds of one call.
struct Timing {
  Summary summary;
  std::vector<double> samples;  ///< in the order taken
  int calls_per_sample = 0;
  Stop stop = Stop::not_started;
  bool measured() const { return !samples.empty(); }
};
Timing timing_of(Samples samples);

}  // namespace tandem::profile
