#include "bench/report/model_section.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "bench/report/chart.h"
#include "bench/report/html.h"

namespace tandem::report {
namespace {

using models::Result;
using models::Row;
using profile::Status;

double share(const Result& result, std::int64_t count) {
  return result.has_labels() ? static_cast<double>(count) / static_cast<double>(result.rows) : profile::kAbsent;
}

std::string described(const Result& result, const Row& row, double speedup) {
  std::string text =
      fmt::format("{} on {}: {} over f32, relative error {:.2g}, {}", row.variant, row.backend, factor_text(speedup),
                  row.relative_error, bytes_text(static_cast<double>(row.memory_bytes)));
  if (result.has_labels()) text += fmt::format(", {} right", percent_text(share(result, row.correct)));
  return text;
}

/// Each right variant is a series of one point, so that its name is in the legend.
Chart trade_off(const Result& result, const std::string& backend, const std::string& title, const Axis& x,
                const Axis& y, const std::function<Mark(const Row&)>& point) {
  Chart chart;
  chart.title = fmt::format("{}, {}", title, backend);
  chart.x = x;
  chart.y = y;
  if (y.unit == Unit::factor) chart.levels = {1};
  for (const Row& row : result.variants) {
    if (row.backend != backend || row.status != Status::ok) continue;
    Mark mark = point(row);
    mark.title = described(result, row, row.full.speedup);
    mark.label = row.variant;
    chart.series.push_back({row.variant, {mark}, false, false});
  }
  return chart;
}

std::string pictures(const Result& result) {
  std::string figures;
  for (const char* backend : {"cpu", "cuda"}) {
    const Axis bytes{"bytes in memory", Unit::bytes, true, {}},
        error{"relative error of the outputs", Unit::plain, true, {}};
    const Axis speed{"speed-up over f32, all rows at once", Unit::factor, true, {}};
    const auto memory = [](const Row& row) { return static_cast<double>(row.memory_bytes); };
    figures += figure(trade_off(result, backend, "Speed and size", bytes, speed, [&](const Row& row) {
      return Mark{memory(row), row.full.speedup, "", ""};
    }));
    figures += figure(trade_off(result, backend, "Speed and error", error, speed, [](const Row& row) {
      return Mark{row.relative_error, row.full.speedup, "", ""};
    }));
    if (result.has_labels())
      figures += figure(trade_off(result, backend, "Accuracy and size", bytes,
                                  {"rows that are answered right", Unit::percent, false, {}}, [&](const Row& row) {
                                    return Mark{memory(row), share(result, row.correct), "", ""};
                                  }));
  }
  return figures.empty() ? "" : "<div class=\"charts\">\n" + figures + "</div>\n";
}

std::string cell(const char* label, const std::string& text, double value) {
  if (!std::isfinite(value)) return fmt::format("<td class=\"n none\" data-label=\"{}\">\xe2\x80\x93</td>", label);
  return fmt::format("<td class=\"n\" data-label=\"{}\" data-v=\"{:.9g}\">{}</td>", label, value, text);
}

std::string line(const Result& result, const Row& row) {
  const bool right = row.status == Status::ok;
  const auto figure = [&](double value) { return right ? value : profile::kAbsent; };
  const double one = figure(row.one.time.measured() ? row.one.time.summary.median : profile::kAbsent);
  const double full = figure(row.full.time.measured() ? row.full.time.summary.median : profile::kAbsent);
  const double accuracy = figure(share(result, row.correct)), agreement = figure(share(result, row.agreeing));
  const auto bytes = static_cast<double>(row.memory_bytes);
  const std::string status = row.status == Status::wrong
                                 ? fmt::format("<span class=\"tag bad\">WRONG</span> {}", esc(row.reason))
                             : right ? std::string("<span class=\"tag good\">right</span>")
                                     : fmt::format("<span class=\"tag\">skipped</span> {}", esc(row.reason));
  return fmt::format("<tr data-status=\"{}\" data-backend=\"{}\"><th scope=\"row\"><b>{}</b><small>{}</small></th>",
                     name(row.status), esc(row.backend), esc(row.variant), esc(row.backend)) +
         fmt::format("<td data-label=\"result\">{}</td>", status) + cell("accuracy", percent_text(accuracy), accuracy) +
         cell("as f32 answers", percent_text(agreement), agreement) +
         cell("relative error", fmt::format("{:.2g}", row.relative_error), figure(row.relative_error)) +
         cell("one row", seconds_text(one), one) + cell("all rows", seconds_text(full), full) +
         cell("speed-up", factor_text(row.full.speedup), figure(row.full.speedup)) +
         cell("memory", bytes_text(bytes), bytes > 0 ? bytes : profile::kAbsent) +
         fmt::format("<td data-label=\"kernels\">{}</td></tr>\n", esc(fmt::format("{}", fmt::join(row.kernels, ", "))));
}

std::string table(const Result& result) {
  constexpr std::array<const char*, 10> kNames = {"variant", "result",   "accuracy", "as f32 answers", "relative error",
                                                  "one row", "all rows", "speed-up", "memory",         "kernels"};
  std::string out =
      "<div class=\"controls\" hidden></div>\n<div class=\"scroll tall\"><table class=\"cards sortable\">\n"
      "<thead><tr>";
  for (std::size_t i = 0; i < kNames.size(); ++i)
    out += fmt::format("<th scope=\"col\"{}>{}</th>", i > 1 && i < 9 ? " class=\"n\"" : "", kNames[i]);
  out += "</tr></thead>\n<tbody>\n";
  for (const Row& row : result.variants) out += line(result, row);
  return out + "</tbody></table></div>\n";
}

std::string commands(const Result& result) {
  std::string out;
  for (const Row& row : result.variants)
    if (!row.reproduce.empty()) out += fmt::format("<li><code>{}</code></li>\n", esc(row.reproduce));
  return out.empty() ? "" : "<details><summary>Commands</summary><ol class=\"commands\">\n" + out + "</ol></details>\n";
}

}  // namespace

std::string model_sections(const Result& result) {
  const std::string what =
      fmt::format("{}: {}. {} rows of {}.", esc(result.file), esc(result.model), result.rows, esc(result.data));
  return section("tradeoff", "What the variants gain and lose", what, pictures(result)) +
         section("rows", "All variants",
                 "Each variant was held against an oracle of its own; errors and answers are told against the "
                 "uncompressed model in double precision.",
                 table(result)) +
         section("commands", "Measure it again", "", commands(result));
}

}  // namespace tandem::report
