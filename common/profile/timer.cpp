#include "common/profile/timer.h"

#include <algorithm>
#include <array>

#include "common/profile/measure.h"

namespace tandem::profile {
namespace {

/// The loop of a batch with a call that does nothing, the least of a few: what is measured is a floor.
double empty_call() {
  constexpr int kCalls = 5000;
  const std::function<void()> nothing = [] {};
  double least = 1;
  for (int i = 0; i < 5; ++i) least = std::min(least, time_calls(kCalls, nothing) / kCalls);
  return least;
}

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
  return {tick, steps[steps.size() / 2], empty_call()};
}

}  // namespace

const TimerFacts& timer_facts() {
  static const TimerFacts facts = measure_timer();
  return facts;
}

double shortest_sample() { return std::max(1000 * timer_facts().tick_seconds, 20e-6); }

}  // namespace tandem::profile
