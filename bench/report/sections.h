// The sections of a report on one comparison, as HTML. Each is empty where there is nothing to show.
#pragma once

#include <string>

#include <tandem/profile.h>

namespace tandem::report {

using profile::Comparison;
using profile::Row;
using profile::RunFacts;

/// Tiles with the figures of the whole run, what was wrong, statements, and a table: who won where.
std::string summary_section(const Comparison& comparison);
/// Speed-up by size, one picture a ladder of sizes.
std::string sizes_section(const Comparison& comparison);
/// What kernels reach under the measured ceilings, and predicted against measured time.
std::string ceilings_section(const Comparison& comparison);
/// The latter alone.
std::string prediction_picture(const Comparison& comparison);
/// Kernels on compressed operands: smaller types, sparse matrices.
std::string compression_section(const Comparison& comparison);
/// All rows.
std::string table_section(const Comparison& comparison, std::size_t run);
/// The machine, its ceilings, what might have disturbed the run.
std::string machine_section(const RunFacts& facts);
/// A command for each row that was measured.
std::string commands_section(const Comparison& comparison);

}  // namespace tandem::report
