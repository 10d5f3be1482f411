// Results that no machine measured, with every kind of row that there is.
#pragma once

#include <string>

#include <tandem/profile.h>

namespace tandem::test {

/// A timing of these samples.
profile::Timing made_up_timing(std::vector<double> samples);

/// Rows that are right, wrong, skipped and interrupted, on both backends, with and without each optional figure;
/// hostile names and texts; a GPU; statements.
profile::Comparison made_up_comparison();

}  // namespace tandem::test
