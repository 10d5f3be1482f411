// Axes: one problem on the command line that stands for many, such as matmul f32:{m}x{m}x64 with -a m=[pow2]6:13.
#pragma once

#include <string>
#include <vector>

#include "bench/support/run_options.h"

namespace tandem::compare {

using bench::UsageError;

struct Axis {
  std::string name;
  std::vector<std::string> values;
};

/// "m=64,128,bf16" (a list of words), "m=1:4" (1, 2, 3, 4), "m=0:100:25" (with a step), "m=[pow2]6:13" (2^6 to 2^13,
/// with a step of the exponent where one is given), any of them joined by commas. Throws UsageError.
Axis parse_axis(const std::string& text);

/// The template with every {name} replaced, once for each combination of values, the last axis fastest; the text itself
/// where it names none. Throws UsageError for a name that is no axis, and beyond 10000 problems.
std::vector<std::string> expand(const std::string& text, const std::vector<Axis>& axes);

/// Whether {name} stands in the text.
bool names_axis(const std::string& text, const std::string& name);

/// "1,2,4" or, for "all", every count from 1 to `most`. Throws UsageError with the option's name.
std::vector<int> parse_counts(const std::string& option, const std::string& text, int most);

/// A problem with BATCH of the grammar set: "f32:8x8x8,ta" -> "f32:8x8x8*4,ta". Throws UsageError where it has one.
std::string with_batch(const std::string& problem, int batch);

}  // namespace tandem::compare
