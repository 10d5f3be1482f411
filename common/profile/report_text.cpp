// CSV and Markdown.
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report.h"
#include "common/profile/report_parts.h"
#include "common/profile/roof.h"

namespace tandem::profile {
namespace {

std::string markdown_row(const Row& row) {
  const std::string kernel =
      row.kernel == kAuto ? "auto: " + row.ran : row.kernel + (row.reference ? " (reference)" : "");
  if (row.status != Status::ok || !row.time.measured())
    return fmt::format("| {} | {} | | | | | | | | | | | {} |\n", markdown_cell(kernel),
                       row.status == Status::wrong ? "**WRONG**" : name(row.status), markdown_cell(row.reason));
  const std::string_view above = above_mark(row.ceiling_fraction);
  return fmt::format("| {} | {} | {} | {} | {} {} | {}{} | {} | {} | {} | {}B | {} | {} | {:.2g} |\n",
                     markdown_cell(kernel), duration(row.time.summary.median), spread_cell(row.time),
                     row.end_to_end.measured() ? duration(row.end_to_end.summary.median) : "", significant(row.rate),
                     row.rate_unit, percent(row.ceiling_fraction), above.empty() ? "" : fmt::format(", {}", above),
                     factor(speedup_of(row)), verdict_cell(row.vs_reference), verdict_cell(row.vs_best),
                     with_prefix(row.work.bytes), saturated_cell(row), dense_cell(row), row.bound_ratio);
}

std::string effect_cells(const Effect& effect) {
  return fmt::format("{},{},{},{},{},{},{}", effect.verdict == Verdict::none ? "" : name(effect.verdict),
                     csv_number(effect.ratio), csv_number(effect.ratio_95.low), csv_number(effect.ratio_95.high),
                     csv_number(effect.p_value), csv_number(effect.smallest_effect),
                     effect.samples > 0 ? std::to_string(effect.samples) : "");
}

std::string effect_columns(const std::string& which) {
  return fmt::format(
      "verdict_vs_{0},ratio_vs_{0},ratio_vs_{0}_low,ratio_vs_{0}_high,p_vs_{0},smallest_effect_vs_{0},"
      "samples_vs_{0}",
      which);
}

/// The columns of a row and its cells, from one list.
struct Cells {
  std::string names, values;
  void add(const std::string& name, const std::string& value) {
    names += (names.empty() ? "" : ",") + name;
    values += (names == name ? "" : ",") + value;
  }
  void add(const std::string& name, double value) { add(name, csv_number(value)); }
};

Cells cells_of(const Row& row) {
  Cells cells;
  cells.add("op", row.op);
  cells.add("problem", csv_text(row.problem));
  cells.add("label", csv_text(row.label));
  cells.add("kernel", row.kernel);
  cells.add("ran", row.ran);
  cells.add("backend", row.backend);
  cells.add("status", std::string(name(row.status)));
  cells.add("reason", csv_text(row.reason));
  cells.add("threads", std::to_string(row.threads));
  cells.add(timing_columns(""), timing_cells(row.time));
  cells.add(timing_columns("end_to_end_"), timing_cells(row.end_to_end));
  cells.add("rate", row.rate);
  cells.add("rate_unit", row.rate_unit);
  cells.add("ceiling_by", row.ceiling.by);
  cells.add("ceiling", row.ceiling.value > 0 ? row.ceiling.value / 1e9 : kAbsent);
  cells.add("ceiling_unit", row.ceiling.value > 0 ? (row.ceiling.flops ? arithmetic_unit(row.work) : "GB/s") : "");
  cells.add("ceiling_fraction", row.ceiling_fraction);
  cells.add("bound_ratio", row.bound_ratio);
  cells.add("max_abs_error", row.max_abs_error);
  cells.add("compared", std::to_string(row.compared));
  cells.add("saturated", row.can_saturate ? std::to_string(row.saturated) : "");
  cells.add("flops", row.work.flops);
  cells.add("dense_flops", row.work.dense_flops > 0 ? row.work.dense_flops : kAbsent);
  cells.add("bytes", row.work.bytes);
  cells.add("written_bytes", row.work.written_bytes);
  cells.add("speedup_vs_reference", row.speedup_vs_reference);
  cells.add("end_to_end_speedup_vs_reference", row.end_to_end_speedup_vs_reference);
  cells.add("theoretical_speedup_vs_dense", row.theoretical_speedup);
  cells.add("speedup_vs_dense", row.speedup_vs_dense);
  cells.add("chosen_by_dispatch", row.chosen ? "true" : "false");
  cells.add("predicted_s", row.predicted_seconds);
  cells.add("predicted_end_to_end_s", row.predicted_end_to_end_seconds);
  cells.add("regret", row.regret);
  cells.add(effect_columns("reference"), effect_cells(row.vs_reference));
  cells.add(effect_columns("best"), effect_cells(row.vs_best));
  cells.add("drift", row.drift);
  cells.add(timing_columns("cold_"), timing_cells(row.cold));
  cells.add("reproduce", csv_text(row.reproduce));
  return cells;
}

}  // namespace

std::string to_csv(const Comparison& c) {
  std::string text = cells_of(Row{}).names + "\n";
  for (const Row& row : c.rows) text += cells_of(row).values + "\n";
  return text;
}

std::string to_markdown(const Comparison& c) {
  std::string text = "# Comparison of kernels\n\n" + markdown_header(c);
  for (const std::span<const Row> rows : by_problem(c.rows)) {
    const Row& first = rows.front();
    text += fmt::format("\n## {} {}\n\n", first.op, first.problem);
    if (!first.label.empty()) text += fmt::format("{}. ", first.label);
    text += fmt::format("Operands: {}.\n\n", first.operands);
    text +=
        "| kernel | median | p25 .. p75 | end to end | rate | of the ceiling | speed-up | verdict | against the "
        "fastest | bytes | saturated | dense, "
        "in theory "
        "| error / bound |\n";
    text += "|---|---|---|---|---|---|---|---|---|---|---|---|---|\n";
    for (const Row* row : in_order(rows)) text += markdown_row(*row);
  }
  if (const std::string above = above_ceilings(c.rows); !above.empty()) text += "\n" + above + ".\n";
  if (!c.statements.empty()) text += "\n## Results\n\n";
  for (const Statement& s : c.statements) text += fmt::format("- {}: {}\n", s.name, s.text);
  return text;
}

}  // namespace tandem::profile
