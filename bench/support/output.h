// Where results go: the table on standard output, files written whole or not at all.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/support/run_options.h"
#include "common/profile/report_parts.h"

namespace tandem::bench {

/// Colours on a terminal unless NO_COLOR is set, and its width; block characters in a UTF-8 locale.
profile::Style style_of_terminal();

/// True when a file format goes to standard output, which then holds nothing else.
bool stdout_is_taken(const RunOptions& options);

/// Before anything is measured: throws UsageError where an output is written twice or over an input (whatever their
/// paths are spelled like), and Error(io_error) where one cannot be written. Leaves no trace. From then on a reader of
/// standard output that goes away no longer ends the program.
void check_outputs(const std::vector<NamedFile>& outputs, const std::vector<NamedFile>& inputs = {});

/// Text to standard output, at once. What cannot be written is remembered where check_outputs() saw a file, which is
/// still to be filled, and ends the program at once elsewhere: see finish_output().
void print(const std::string& text);

/// What is to be written and where; nothing for an empty path, standard output for "-".
struct Output {
  std::string path;
  std::function<std::string()> render;
};

/// Writes them all, whatever becomes of the others, and then throws Error(io_error) that names those which failed.
void write_files(const std::vector<Output>& outputs);

/// Throws Error(io_error) when something could not be written to standard output; not where its reader went away, as
/// with `| head`, while there were files to write. A program that has none ends by SIGPIPE then, as others do.
void finish_output();

}  // namespace tandem::bench
