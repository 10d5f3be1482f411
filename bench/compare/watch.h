// What the exit code says beyond right and wrong: regressions, reference kernels, a self-test that failed.
#pragma once

#include <span>
#include <string>

#include <tandem/profile.h>

#include "bench/compare/options.h"

namespace tandem::compare {

/// Results of a file. Throws Error(io_error), one sentence.
profile::Comparison load_comparison(const std::string& path);

/// tandem-compare compare OLD NEW: prints what changed. 0; 1 for a regression that the options watch for; 2 where the
/// runs cannot be compared.
int compare_files(const Options& options);

/// Holds a comparison against what the options watch for, and says on standard error what was found; what changed
/// against the baseline is printed when `table`. 0, 1 or 2, as compare_files.
int watch(const Options& options, const profile::Comparison& comparison, const profile::Comparison* baseline,
          bool table);

/// For a sweep over threads: medians and speed-ups over the fewest threads, a line a kernel and problem; else empty.
std::string scaling_block(std::span<const profile::Row> rows);

/// A line on standard error for each wrong row, for those who see no table.
void report_wrong_rows(const profile::Comparison& comparison);

}  // namespace tandem::compare
