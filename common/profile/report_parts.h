// Pieces that the reports of all programs are made of.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <fmt/format.h>
#include <tandem/report.h>

namespace tandem::profile {

struct Paint {
  bool on;
  std::string operator()(const char* code, std::string_view text) const {
    return on ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
  }
  std::string bold(std::string_view t) const { return (*this)("1", t); }
  std::string dim(std::string_view t) const { return (*this)("2", t); }
  std::string red(std::string_view t) const { return (*this)("1;31", t); }
  std::string green(std::string_view t) const { return (*this)("32", t); }
};

/// "1.52x"; empty for NaN.
std::string factor(double x);
/// "12.1 .. 12.9": the quartiles in the unit of the median.
std::string spread_cell(const Timing& timing);

/// "12.3 s", and how much of the processors the hypervisor took meanwhile where that matters.
std::string run_time(const RunFacts& facts);
/// The machine and its ceilings, as a paragraph and a table.
std::string markdown_header(const RunFacts& facts);
/// Without what would end a cell.
std::string markdown_cell(const std::string& text);

/// "above the ceiling" for a fraction of it that is more than its measurement scatters; else empty.
std::string_view above_mark(double ceiling_fraction);
/// How many rows have that mark, and what it means, in a sentence; empty where none has it.
std::string above_ceilings(std::span<const Row> rows);

/// A field of RFC 4180, quoted where it must be.
std::string csv_text(const std::string& text);
/// Empty for what is not finite.
std::string csv_number(double value);
/// What there is to say about a timing, as timing_columns() names it; empty fields where nothing was measured.
std::string timing_cells(const Timing& timing);
/// The names of those cells, each with a prefix.
std::string timing_columns(const std::string& prefix);

}  // namespace tandem::profile
