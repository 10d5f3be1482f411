// All rows of a comparison. The table is complete without scripts; they add sorting, filtering and details.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "bench/report/html.h"
#include "bench/report/sections.h"
#include "common/profile/format.h"
#include "common/profile/report.h"

namespace tandem::report {
namespace {

using profile::kAuto;
using profile::Status;

struct Column {
  const char* name;
  bool numeric;
};
constexpr std::array<Column, 10> kColumns = {{{"problem", false},
                                              {"kernel", false},
                                              {"result", false},
                                              {"median", true},
                                              {"95 % interval", true},
                                              {"end to end", true},
                                              {"rate", true},
                                              {"of the ceiling", true},
                                              {"speed-up", true},
                                              {"error / bound", true}}};

/// A cell; `value` is what sorting goes by where it is a number.
std::string cell(std::size_t column, const std::string& content, double value) {
  const std::string label = fmt::format(" data-label=\"{}\"", kColumns[column].name);
  if (!kColumns[column].numeric) return fmt::format("<td{}>{}</td>", label, content);
  if (!std::isfinite(value)) return fmt::format("<td class=\"n none\"{}>\xe2\x80\x93</td>", label);
  return fmt::format("<td class=\"n\"{} data-v=\"{:.9g}\">{}</td>", label, value, content);
}

/// "76.75 .. 78.02 us"
std::string interval_text(const profile::Interval& interval) {
  if (!std::isfinite(interval.low) || !std::isfinite(interval.high)) return "";
  const profile::TimeUnit unit = profile::unit_for(interval.low);
  return fmt::format("{} .. {} {}", profile::significant(interval.low / unit.seconds),
                     profile::significant(interval.high / unit.seconds), unit.name);
}

std::string result_of(const Row& row) {
  if (row.status == Status::wrong) return "<span class=\"tag bad\">WRONG</span>";
  if (row.status == Status::skipped) return fmt::format("<span class=\"tag\">skipped</span> {}", esc(row.reason));
  const std::string remarks = row.kernel == kAuto ? "" : profile::remarks_cell(row);
  return fmt::format("<span class=\"tag good\">right</span>{}",
                     remarks.empty() ? "" : "<small>" + esc(remarks) + "</small>");
}

std::string verdict_of(const profile::Effect& effect) {
  if (effect.verdict == profile::Verdict::none) return "";
  return fmt::format("<small>{}</small><small>{}</small>", name(effect.verdict),
                     effect.has_interval() ? factors_text(effect.ratio_95) : "no interval: too few samples");
}

std::string line(const Row& row, std::size_t index) {
  const profile::Summary& s = row.time.summary;
  const double median = row.timed() ? s.median : profile::kAbsent;
  const double low = row.timed() ? s.median_95.low : profile::kAbsent;
  const double whole = row.end_to_end.measured() ? row.end_to_end.summary.median : profile::kAbsent;
  std::string out = fmt::format("<tr data-row=\"{}\" data-status=\"{}\" data-backend=\"{}\">", index, name(row.status),
                                esc(row.backend));
  const std::string label = row.label.empty() ? "" : fmt::format("<small>{}</small>", esc(row.label));
  const std::string kernel =
      row.kernel == kAuto ? fmt::format("auto<small>{}</small>", kernel_text(row.ran)) : kernel_text(row.kernel);
  out += fmt::format("<th scope=\"row\">{} {}{}</th>", esc(row.op), kernel_text(row.problem), label);
  out += cell(1, kernel + (row.reference ? "<small>reference</small>" : ""), 0);
  out += cell(2, result_of(row), 0);
  out += cell(3, seconds_text(median), median);
  out += cell(4, interval_text(s.median_95), low);
  out += cell(5, seconds_text(whole), whole);
  out += cell(6, fmt::format("{} {}", number_text(row.rate), esc(row.rate_unit)), row.rate);
  out += cell(7, ceiling_text(row.ceiling_fraction), row.ceiling_fraction);
  out += cell(8, factor_text(profile::speedup_of(row)) + verdict_of(row.vs_reference), profile::speedup_of(row));
  out += cell(9, row.bound_ratio == 0 ? "exact" : fmt::format("{:.2g}", row.bound_ratio), row.bound_ratio);
  return out + "</tr>\n";
}

std::string head() {
  std::string out = "<thead><tr>";
  for (const Column& column : kColumns)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", column.numeric ? " class=\"n\"" : "", column.name);
  return out + "</tr></thead>\n";
}

}  // namespace

std::string table_section(const Comparison& c, std::size_t run) {
  if (c.rows.empty()) return "";
  std::string rows;
  const bool calls = std::any_of(c.rows.begin(), c.rows.end(), [](const Row& r) { return r.end_to_end.measured(); });
  for (std::size_t i = 0; i < c.rows.size(); ++i) rows += line(c.rows[i], i);
  return section("rows", "All rows",
                 "One row a kernel and problem; every result was compared with a computation in double precision.",
                 fmt::format("<div class=\"controls\" hidden></div>\n<div class=\"scroll tall\"><table class=\"cards "
                             "sortable{}\" data-run=\"{}\">\n{}<tbody>\n{}</tbody></table></div>\n",
                             calls ? "" : " no-calls", run, head(), rows));
}

std::string commands_section(const Comparison& c) {
  std::string commands;
  std::size_t count = 0;
  for (const Row& row : c.rows) {
    if (row.reproduce.empty() || row.status == Status::skipped) continue;
    commands += fmt::format("<li><code>{}</code></li>\n", esc(row.reproduce));
    ++count;
  }
  if (commands.empty()) return "";
  return section("commands", "Measure it again", "Each command measures one row again, with the same data.",
                 fmt::format("<details><summary>{} commands</summary>\n<ol class=\"commands\">\n{}</ol></details>\n",
                             count, commands));
}

}  // namespace tandem::report
