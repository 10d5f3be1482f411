// Where results go: the table on standard output, files written whole or not at all.
#pragma once

#include <string>

#include "bench/compare/options.h"
#include "common/profile/comparison.h"
#include "common/profile/report.h"

namespace tandem::compare {

/// Colours on a terminal unless NO_COLOR is set, block characters in a UTF-8 locale.
profile::Style style_of_terminal();

/// True when a file format goes to standard output, which then holds nothing else.
bool stdout_is_taken(const Options& options);

/// Throws Error(io_error) when a result file could not be written, before anything is measured. Leaves no trace.
void check_files(const Options& options);

/// Writes what the options ask for. Throws Error(io_error).
void write_files(const Options& options, const profile::Comparison& comparison);

}  // namespace tandem::compare
