// Two runs held against each other: which kernels became slower or faster since.
#pragma once

#include <string>
#include <vector>

#include <tandem/profile.h>

#include "common/profile/report_parts.h"
#include "common/profile/verdict.h"

namespace tandem::profile {

/// A row that both runs measured: the same operation, problem, operands, kernel and threads. Of several such rows the
/// first belongs to the first, and so on.
struct Changed {
  const Row* before = nullptr;
  const Row* after = nullptr;
  Effect effect;  ///< of `after`: faster than before, or slower; by `time`, unpaired
};

struct RunChange {
  std::string obstacle;            ///< why the runs cannot be compared at all; empty when they can
  std::vector<Changed> rows;       ///< in the order of the later run
  std::vector<const Row*> gone;    ///< measured before, and neither measured nor wrong now
  std::vector<const Row*> broken;  ///< measured before, wrong now
  std::size_t fresh = 0;           ///< measured now only
  bool regressed() const;
};

/// Rows of two runs; pointers are into them. An obstacle is another processor, instruction set or GPU, or no common
/// row. All rows are judged as one set of questions.
RunChange compare_runs(const Comparison& before, const Comparison& after, const VerdictOptions& options);

/// A table of what changed, or why nothing can be said, and a line of counts.
std::string change_block(const RunChange& change, double threshold, const Style& style);

}  // namespace tandem::profile
