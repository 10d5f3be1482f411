// What the reports of comparisons share.
#pragma once

#include <span>
#include <string>

#include <tandem/report.h>

#include "common/profile/report_parts.h"

namespace tandem::profile {

/// The rows of each problem, in order: of the same operation, text, operands and threads. Labels are for readers. A
/// problem that was measured twice is two.
std::vector<std::span<const Row>> by_problem(std::span<const Row> rows);
/// Of one problem: those timed, fastest first, kAuto last among equals; then wrong ones, then skipped ones.
std::vector<const Row*> in_order(std::span<const Row> rows);

/// "noisy, drifts": what makes the figures of a row doubtful; for kAuto what was predicted. Mostly empty.
std::string remarks_cell(const Row& row);
/// The part of the compared results that was clamped; empty where the result is no 8-bit integer.
std::string saturated_cell(const Row& row);
/// Over the reference kernel: what the verdict's interval is of, where there is a verdict.
double speedup_of(const Row& row);
/// "faster +-0.4 %": the verdict, and half the width of the speed-up's interval; "faster n/a" where there are too few
/// samples for an interval. Empty where there is no verdict.
std::string verdict_cell(const Effect& effect);
/// "6.07x of 20.00x": the speed-up over the dense product, and what the fewer operations promise. Empty where no
/// operand is compressed or no dense row was timed.
std::string dense_cell(const Row& row);

}  // namespace tandem::profile
