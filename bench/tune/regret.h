// How good the automatic choice is: against the best kernel measured, over random problems of every operation.
#pragma once

#include <string>
#include <vector>

#include "bench/tune/session.h"

namespace tandem::tune {

struct Tried {
  tuning::Problem problem;
  std::string chosen, without_table, best;
  // Of calls from and to host memory, copies included.
  double best_seconds = 0;
  double regret = 0;                // seconds of the chosen kernel over the best, minus 1
  double regret_without_table = 0;  // the same of what would be chosen without measurements
  double predicted_error = 0;       // |predicted / measured - 1| of the chosen kernel
  double reference_speedup =
      profile::kAbsent;  // of the best over the fastest reference kernel; references are never chosen
  std::string rung;
};

struct Regret {
  std::vector<Tried> tried;
  std::vector<double> kernel_errors;  // |predicted / measured - 1| of every kernel that was timed
  std::vector<std::string> wrong;
};

/// `count` problems, none of them measured before: an operation at random, one of its templates at random, sizes at
/// random. A regret above 2 % is measured again, five times as long, before it counts.
Regret try_choices(Context& ctx, std::size_t count, const SessionOptions& options);

std::string text_of(const Regret& regret);
std::string json_of(const Regret& regret, const std::string& model, std::uint64_t seed);

}  // namespace tandem::tune
