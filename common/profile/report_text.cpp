// CSV and Markdown.
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report.h"
#include "common/profile/report_parts.h"

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
                     factor(row.speedup_vs_reference), verdict_cell(row.vs_reference), verdict_cell(row.vs_best),
                     with_prefix(row.work.bytes), saturated_cell(row), dense_cell(row), row.bound_ratio);
}

std::string effect_cells(const Effect& effect) {
  return fmt::format("{},{},{},{},{},{}", effect.verdict == Verdict::none ? "" : name(effect.verdict),
                     csv_number(effect.ratio), csv_number(effect.ratio_95.low), csv_number(effect.ratio_95.high),
                     csv_number(effect.p_value), csv_number(effect.smallest_effect));
}

}  // namespace

std::string to_csv(const Comparison& c) {
  std::string text =
      "op,problem,label,kernel,ran,backend,status,reason,threads,median_s,p25_s,p75_s,min_s,p95_s,samples,"
      "end_to_end_median_s,end_to_end_p25_s,end_to_end_p75_s,end_to_end_min_s,end_to_end_p95_s,end_to_end_samples,"
      "rate,rate_unit,ceiling_by,ceiling_fraction,bound_ratio,max_abs_error,compared,saturated,bytes,speedup_vs_"
      "reference,"
      "end_to_end_speedup_vs_reference,theoretical_speedup_vs_dense,speedup_vs_dense,chosen_by_dispatch,predicted_s,"
      "regret,verdict_vs_reference,ratio_vs_reference,ratio_vs_reference_low,ratio_vs_reference_high,p_vs_reference,"
      "smallest_effect_vs_reference,verdict_vs_best,ratio_vs_best,ratio_vs_best_low,ratio_vs_best_high,p_vs_best,"
      "smallest_effect_vs_best,drift,cold_median_s,cold_p25_s,cold_p75_s,cold_min_s,cold_p95_s,cold_samples,"
      "reproduce\n";
  for (const Row& row : c.rows)
    text +=
        fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n",
                    row.op, csv_text(row.problem), csv_text(row.label), row.kernel, row.ran, row.backend,
                    name(row.status), csv_text(row.reason), row.threads, timing_cells(row.time),
                    timing_cells(row.end_to_end), csv_number(row.rate), row.rate_unit, row.ceiling.by,
                    csv_number(row.ceiling_fraction), csv_number(row.bound_ratio), csv_number(row.max_abs_error),
                    row.compared, row.can_saturate ? std::to_string(row.saturated) : "", csv_number(row.work.bytes),
                    csv_number(row.speedup_vs_reference), csv_number(row.end_to_end_speedup_vs_reference),
                    csv_number(row.theoretical_speedup), csv_number(row.speedup_vs_dense), row.chosen,
                    csv_number(row.predicted_seconds), csv_number(row.regret), effect_cells(row.vs_reference),
                    effect_cells(row.vs_best), csv_number(row.drift), timing_cells(row.cold), csv_text(row.reproduce));
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
