// Measuring problems into a tuning file: what is measured, for how long, and what is kept of it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <tandem/context.h>
#include <tandem/profile.h>

#include "common/tuning/file.h"
#include "common/tuning/suite.h"

namespace tandem::tune {

struct SessionOptions {
  double seconds = 55;      // for the even sequence; a list of problems is measured to its end
  double min_time = 0.004;  // in the samples of each kernel
  std::uint64_t seed = 1;
  const std::atomic<bool>* interrupted = nullptr;
  /// Called before each problem: how many were measured, seconds left (NaN: unknown), and which is next.
  std::function<void(std::size_t done, double left, const tuning::Problem& next)> progress;
  bool cancelled() const { return interrupted && interrupted->load(std::memory_order_relaxed); }
};

struct Session {
  std::vector<tuning::Measurement> measured;
  std::size_t problems = 0;
  std::vector<std::string> wrong;    // "kernel on op problem: reason"
  std::vector<std::string> skipped;  // "op problem: reason"
};

/// Measures each problem on every kernel that is no reference.
Session measure_list(Context& ctx, const std::vector<tuning::Problem>& problems, const SessionOptions& options);

/// Rounds over the templates until the time is spent: three with one problem of each; then with those problems, at most
/// one of each and half of them, whose choice may cost most. What was measured in a round tells the next which kernels
/// are so slow that they need no measuring.
Session measure_even(Context& ctx, const std::vector<tuning::Template>& templates, const SessionOptions& options);

/// The problems of the first round, in their order.
std::vector<tuning::Problem> first_round(const std::vector<tuning::Template>& templates, std::uint64_t seed);

}  // namespace tandem::tune
