// Comparisons as text: a table for a terminal, Markdown, CSV and JSON.
#pragma once

#include <span>
#include <string>

#include "common/profile/comparison.h"
#include "common/profile/report_parts.h"

namespace tandem::profile {

/// The rows of one problem, fastest first; kernels that were skipped for the same reason share a line.
std::string table_block(std::span<const Row> rows, const Style& style);
/// Counts, statements and what the run took.
std::string table_footer(const Comparison& comparison, const Style& style);

/// Schema "tandem-compare/1": docs/profiling.md describes it. Absent numbers are null.
std::string to_json(const Comparison& comparison);
/// One line a row, a header line, RFC 4180; absent numbers are empty.
std::string to_csv(const Comparison& comparison);
/// One table a problem.
std::string to_markdown(const Comparison& comparison);

/// The rows of each problem, in order.
std::vector<std::span<const Row>> by_problem(std::span<const Row> rows);
/// Of one problem: those timed, fastest first, kAuto last among equals; then wrong ones, then skipped ones.
std::vector<const Row*> in_order(std::span<const Row> rows);

/// The part of the compared results that was clamped; empty where the result is no 8-bit integer.
std::string saturated_cell(const Row& row);
/// "6.07x of 20.00x": the speed-up over the dense product, and what the fewer operations promise. Empty where no
/// operand is compressed or no dense row was timed.
std::string dense_cell(const Row& row);

}  // namespace tandem::profile
