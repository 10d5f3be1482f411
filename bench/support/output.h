// Where results go: the table on standard output, files written whole or not at all.
#pragma once

#include <functional>
#include <string>

#include "bench/support/run_options.h"
#include "common/profile/report_parts.h"

namespace tandem::bench {

/// Colours on a terminal unless NO_COLOR is set, block characters in a UTF-8 locale.
profile::Style style_of_terminal();

/// True when a file format goes to standard output, which then holds nothing else.
bool stdout_is_taken(const RunOptions& options);

/// Throws Error(io_error) when a result file could not be written, before anything is measured. Leaves no trace.
void check_files(const RunOptions& options);

/// The same of one file; nothing for "" and "-".
void check_file(const std::string& path);

/// Text to standard output, at once.
void print(const std::string& text);

/// Writes render() to a file or, for "-", to standard output; does nothing for an empty path. Throws Error(io_error).
void write_file(const std::string& path, const std::function<std::string()>& render);

}  // namespace tandem::bench
