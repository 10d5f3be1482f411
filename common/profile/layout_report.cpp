// What the layout analysis found, in figures and words.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/layout.h"
#include "common/profile/read_json.h"
#include "common/profile/report_parts.h"
#include "common/profile/result_fields.h"

namespace tandem::profile {
namespace {

constexpr double kWorth = 1.1;  // times slower, from which on a difference is worth a word

/// What to do about a group whose ways differ; the ways and figures are put around it.
const char* remedy(const std::string& group) {
  if (group == "order")
    return "let the innermost loop follow the memory, or stay within blocks or padded rows where they are as fast";
  if (group == "stride")
    return "where the same column of many rows is read, choose a distance of rows that is as fast as the best one";
  if (group == "alignment") return "begin operands at a multiple of 64 bytes";
  if (group == "pages")
    return "what this library allocates lies on huge pages from 2 MiB on; ask for them for memory of your own too "
           "(madvise with MADV_HUGEPAGE)";
  if (group == "first touch") return "let the threads that use memory write it first";
  return "give operands of calls on a GPU memory of the kind that is fastest in their direction";
}

std::string figure(const LayoutRow& row) {
  return fmt::format("{} ({} GB/s)", row.access, significant(row.rate / 1e9));
}

std::string join(const std::vector<const LayoutRow*>& rows) {
  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i)
    text += (i == 0 ? "" : i + 1 == rows.size() ? " and " : ", ") + figure(*rows[i]);
  return text;
}

std::string advice_of(const std::string& group, std::vector<const LayoutRow*> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const auto* a, const auto* b) { return a->rate > b->rate; });
  const LayoutRow &best = *rows.front(), &worst = *rows.back();
  if (worst.slowdown < kWorth)
    return fmt::format("{}: nothing to gain here; {} is the slowest, {:.2f} times slower than {}.", group,
                       figure(worst), worst.slowdown, figure(best));
  std::vector<const LayoutRow*> good;
  for (const LayoutRow* row : rows)
    if (row != &best && row->slowdown < kWorth) good.push_back(row);
  return fmt::format("{}: {} is {:.1f} times slower than {}{}: {}.", group, figure(worst), worst.slowdown, figure(best),
                     good.empty() ? "" : "; as good as that: " + join(good), remedy(group));
}

std::string rate_cell(const LayoutRow& row) { return significant(row.rate / 1e9); }
std::string slowdown_cell(const LayoutRow& row) { return row.reason.empty() ? factor(row.slowdown) : row.reason; }

}  // namespace

void derive_layout_figures(LayoutReport& report) {
  std::vector<std::string> groups;
  for (LayoutRow& row : report.rows) {
    if (std::find(groups.begin(), groups.end(), row.group) == groups.end()) groups.push_back(row.group);
    if (row.time.measured()) row.rate = row.bytes / row.time.summary.median;
  }
  report.advice.clear();
  for (const std::string& group : groups) {
    double best = kAbsent;
    for (const LayoutRow& row : report.rows)
      if (row.group == group) best = std::fmax(best, row.rate);
    std::vector<const LayoutRow*> measured;
    for (LayoutRow& row : report.rows) {
      if (row.group != group || std::isnan(row.rate)) continue;
      row.slowdown = best / row.rate;
      measured.push_back(&row);
    }
    if (measured.size() > 1) report.advice.push_back(advice_of(group, measured));
  }
}

std::string layout_table(const LayoutReport& report) {
  std::string text =
      fmt::format("layouts, {} x {} floats, one thread\n  {} {} {} {}\n", report.matrix_rows, report.matrix_columns,
                  left("group", 12), left("access", 40), right("GB/s", 8), "slower than the best");
  for (const LayoutRow& row : report.rows)
    text += fmt::format("  {} {} {} {}\n", left(row.group, 12), left(row.access, 40), right(rate_cell(row), 8),
                        slowdown_cell(row));
  text += "\n";
  for (const std::string& sentence : report.advice) text += sentence + "\n";
  return text + "(" + (report.interrupted ? "interrupted: " : "") + run_time(report) + ")\n";
}

std::string layout_markdown(const LayoutReport& report) {
  std::string text =
      "# Layouts\n\n" + markdown_header(report) + "\n| group | access | GB/s | slower |\n|---|---|---|---|\n";
  for (const LayoutRow& row : report.rows)
    text += fmt::format("| {} | {} | {} | {} |\n", row.group, markdown_cell(row.access), rate_cell(row),
                        markdown_cell(slowdown_cell(row)));
  text += "\n";
  for (const std::string& sentence : report.advice) text += "- " + sentence + "\n";
  return text;
}

std::string layout_csv(const LayoutReport& report) {
  std::string text = "group,access,bytes," + timing_columns("") + ",bytes_s,slowdown,reason\n";
  for (const LayoutRow& row : report.rows)
    text += fmt::format("{},{},{},{},{},{},{}\n", row.group, csv_text(row.access), csv_number(row.bytes),
                        timing_cells(row.time), csv_number(row.rate), csv_number(row.slowdown), csv_text(row.reason));
  return text;
}

std::string layout_json(const LayoutReport& report) {
  Json json;
  json["schema"] = "tandem-layout/1";
  JsonWriter io(json);
  describe_run(io, report);
  io("matrix_rows", report.matrix_rows);
  io("matrix_columns", report.matrix_columns);
  io.list("rows", report.rows, [](auto& row_io, const LayoutRow& row) {
    row_io("group", row.group);
    row_io("access", row.access);
    row_io("bytes", row.bytes);
    describe_timing(row_io, "", row.time);
    row_io("bytes_s", row.rate);
    row_io("slowdown", row.slowdown);
    row_io("reason", row.reason);
  });
  io("advice", report.advice);
  return text_of(json);
}

}  // namespace tandem::profile
