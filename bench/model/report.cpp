// The table for a terminal and the one in Markdown: the same cells.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/model/result.h"
#include "common/profile/format.h"
#include "common/profile/report_parts.h"

namespace tandem::models {
namespace {

using namespace profile;

struct Column {
  std::string title;
  std::string (*cell)(const Result&, const Row&);
};

std::string share(std::int64_t part, std::int64_t all) {
  return fmt::format("{:.2f} %", 100 * static_cast<double>(part) / static_cast<double>(all));
}

std::string bytes(double value) { return with_prefix(value) + "B"; }

/// The columns that a result has something to say in.
std::vector<Column> columns_of(const Result& result) {
  std::vector<Column> columns = {{"variant", [](const Result&, const Row& r) { return r.variant; }}};
  const auto add = [&](const char* title, std::string (*cell)(const Result&, const Row&)) {
    columns.push_back({title, cell});
  };
  if (!result.machine.gpus.empty()) add("backend", [](const Result&, const Row& r) { return r.backend; });
  if (result.has_labels()) {
    add("accuracy", [](const Result& all, const Row& r) { return share(r.correct, all.rows); });
    add("agrees", [](const Result& all, const Row& r) { return share(r.agreeing, all.rows); });
  }
  add("max error", [](const Result&, const Row& r) { return fmt::format("{:.2g}", r.max_error); });
  add("mean error", [](const Result&, const Row& r) { return fmt::format("{:.2g}", r.mean_error); });
  add("relative", [](const Result&, const Row& r) { return fmt::format("{:.2g}", r.relative_error); });
  add("batch 1", [](const Result&, const Row& r) { return duration(r.one.time.summary.median); });
  add("p25 .. p75", [](const Result&, const Row& r) { return spread_cell(r.one.time); });
  add("speed-up", [](const Result&, const Row& r) { return factor(r.one.speedup); });
  columns.push_back({fmt::format("batch {}", result.rows),
                     [](const Result&, const Row& r) { return duration(r.full.time.summary.median); }});
  add("p25 .. p75", [](const Result&, const Row& r) { return spread_cell(r.full.time); });
  add("speed-up", [](const Result&, const Row& r) { return factor(r.full.speedup); });
  add("rows/s", [](const Result&, const Row& r) { return with_prefix(r.full.rows_per_second); });
  add("disk", [](const Result&, const Row& r) { return bytes(static_cast<double>(r.disk_bytes)); });
  add("memory", [](const Result&, const Row& r) { return bytes(static_cast<double>(r.memory_bytes)); });
  add("saturated", [](const Result&, const Row& r) {
    return r.calibrated ? fmt::format("{} of {}", r.saturated, r.quantized) : std::string();
  });
  add("err/bound", [](const Result&, const Row& r) {
    return r.bound_ratio == 0 ? std::string("exact") : fmt::format("{:.2g}", r.bound_ratio);
  });
  return columns;
}

bool timed(const Row& row) { return row.status == Status::ok && row.one.time.measured() && row.full.time.measured(); }

/// One line a timed row.
std::vector<std::vector<std::string>> cells_of(const Result& result, const std::vector<Column>& columns) {
  std::vector<std::vector<std::string>> lines;
  for (const Row& row : result.variants) {
    if (!timed(row)) continue;
    lines.emplace_back();
    for (const Column& column : columns) lines.back().push_back(column.cell(result, row));
  }
  return lines;
}

std::string facts_of(const Result& r) {
  std::string text = fmt::format("{}: {}, {} weights; {} rows of {}", r.file, r.model, r.weights, r.rows, r.data);
  if (r.has_labels()) text += ", labels " + r.labels;
  return text + fmt::format("; scales of int8: {}", r.calibration);
}

}  // namespace

std::string table(const Result& result, bool colour) {
  const Paint paint{colour};
  const std::vector<Column> columns = columns_of(result);
  const auto lines = cells_of(result, columns);
  std::vector<std::size_t> widths;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    std::size_t width = columns[c].title.size();
    for (const auto& line : lines) width = std::max(width, display_width(line[c]));
    widths.push_back(width);
  }
  std::string text = paint.bold(facts_of(result)) + "\n";
  if (!lines.empty()) {
    std::string head;
    for (std::size_t c = 0; c < columns.size(); ++c)
      head += "  " + (c == 0 ? left(columns[c].title, widths[c]) : right(columns[c].title, widths[c]));
    text += paint.dim(head) + "\n";
  }
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c)
      text += "  " + (c == 0 ? paint.green(left(line[c], widths[c])) : right(line[c], widths[c]));
    text += "\n";
  }
  std::size_t counts[3] = {};
  for (const Row& row : result.variants) {
    ++counts[static_cast<std::size_t>(row.status)];
    const std::string name = fmt::format("{} on {}", row.variant, row.backend);
    if (row.status == Status::wrong) text += fmt::format("  {}  {}: {}\n", paint.red("WRONG"), name, row.reason);
    if (row.status == Status::skipped) text += paint.dim(fmt::format("  skipped {}: {}", name, row.reason)) + "\n";
  }
  return text + fmt::format("{}{} variants measured and right, {}, {} skipped; {}\n",
                            result.interrupted ? "interrupted: " : "", counts[0],
                            counts[1] > 0 ? paint.red(fmt::format("{} WRONG", counts[1])) : "0 wrong", counts[2],
                            run_time(result));
}

std::string to_markdown(const Result& result) {
  const std::vector<Column> columns = columns_of(result);
  std::string text = "# A model and its compressed variants\n\n" + markdown_header(result);
  text += fmt::format("\n{}.\n\n|", facts_of(result));
  for (const Column& column : columns) text += fmt::format(" {} |", column.title);
  text += "\n|";
  for (std::size_t c = 0; c < columns.size(); ++c) text += "---|";
  text += "\n";
  for (const auto& line : cells_of(result, columns)) {
    text += "|";
    for (const std::string& cell : line) text += fmt::format(" {} |", markdown_cell(cell));
    text += "\n";
  }
  for (const Row& row : result.variants)
    if (row.status != Status::ok)
      text += fmt::format("\n{} {} on {}: {}.\n", row.status == Status::wrong ? "**WRONG**" : "Skipped", row.variant,
                          row.backend, markdown_cell(row.reason));
  return text;
}

}  // namespace tandem::models
