// What comparisons measured, as entries of a tuning table: what was measured feeds the selection.
#pragma once

#include <span>
#include <vector>

#include <tandem/profile.h>

#include "common/tuning/table.h"

namespace tandem::tuning {

/// Adds the rows that are right and timed; not those of the public call (auto), nor of operands that were given from
/// files: how fast kernels are on those need not hold for others of the same problem.
void record(std::vector<Measurement>& measured, std::span<const profile::Row> rows);
void record(std::vector<Measurement>& measured, const profile::Comparison& comparison);

}  // namespace tandem::tuning
