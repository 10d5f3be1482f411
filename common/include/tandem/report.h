// Comparisons as text: a table for a terminal, Markdown, CSV and JSON.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <tandem/profile.h>

namespace tandem::profile {

struct Style {
  bool colour = false;   ///< ANSI escape sequences
  bool unicode = false;  ///< block characters for bars
  int width = 0;         ///< characters of a line, which tables of rows leave out columns for; 0: any number
};

/// The machine, its ceilings and what might disturb it: three or four lines and an empty one.
std::string run_header(const RunFacts& facts, const Style& style);
/// The rows of one problem, fastest first; kernels that were skipped for the same reason share a line.
std::string table_block(std::span<const Row> rows, const Style& style);
/// Counts, statements, what the run took, and which columns were left out for want of width.
std::string table_footer(const Comparison& comparison, const Style& style);

/// Schema "tandem-compare/1": docs/profiling.md describes it. Absent numbers are null.
std::string to_json(const Comparison& comparison);
/// The inverse of to_json: to_json(from_json(x, "")) == x for what to_json wrote. Fields that this version does not
/// know are passed over. `source` names the text in messages: "old.json". The text is not trusted: throws
/// Error(io_error), one sentence, for another schema, a field that is missing or of another type, an unknown status,
/// what is no JSON or UTF-8, and above 64 MiB.
Comparison from_json(std::string_view json, const std::string& source);
/// One line a row, a header line, RFC 4180; absent numbers are empty.
std::string to_csv(const Comparison& comparison);
/// The JSON that Google Benchmark writes, for its tools: one entry a sample, then mean, median, standard deviation and
/// coefficient of variation. Times are of one call, in ns. Wrong rows are errors there; skipped ones are left out.
std::string to_google_benchmark_json(const Comparison& comparison);
/// One table a problem.
std::string to_markdown(const Comparison& comparison);

}  // namespace tandem::profile
