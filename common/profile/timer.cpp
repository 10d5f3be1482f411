#include "common/profile/timer.h"

#include <algorithm>
#include <array>

namespace tandem::profile {
namespace {

TimerFacts measure_timer() {
  using Clock = std::chrono::steady_clock;
  std::array<Clock::time_point, 2001> readings;
  for (Clock::time_point& reading : readings) reading = Clock::now();
  std::array<double, readings.size() - 1> steps;
  double tick = 1;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    steps[i] = std::chrono::duration<double>(readings[i + 1] - readings[i]).count();
    if (steps[i] > 0) tick = std::min(tick, steps[i]);
  }
  std::sort(steps.begin(), steps.end());
  return {tick, steps[steps.size() / 2]};
}

}  // namespace

const TimerFacts& timer_facts() {
  static const TimerFacts facts = measure_timer();
  return facts;
}

double shortest_sample() { return std::max(1000 * timer_facts().tick_seconds, 20e-6); }

}  // namespace tandem::profile
