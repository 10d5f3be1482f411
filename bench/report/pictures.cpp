// Charts of a comparison.
#include <algorithm>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "bench/report/chart.h"
#include "bench/report/html.h"
#include "bench/report/ladders.h"
#include "bench/report/sections.h"
#include "common/profile/format.h"
#include "common/profile/report.h"

namespace tandem::report {
namespace {

using profile::kAbsent;
using profile::kAuto;

std::string grid(const std::string& figures) {
  return figures.empty() ? "" : "<div class=\"charts\">\n" + figures + "</div>\n";
}

std::string size_text(double size) { return size >= 1e6 ? profile::with_prefix(size) : fmt::format("{:.4g}", size); }

std::vector<double> sizes_along(const Ladder& ladder) {
  std::vector<double> sizes;
  for (const Rung& rung : ladder.rungs) sizes.push_back(rung.size);
  return sizes;
}

/// The series of that name, added where there is none.
Series& named(std::vector<Series>& all, const std::string& name) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const Series& s) { return s.name == name; });
  if (found != all.end()) return *found;
  all.push_back({name, {}, true, false});
  return all.back();
}

void add_crossings(Chart& chart, double level, const char* over, const char* under) {
  for (const Series& series : chart.series) {
    std::vector<XY> points;
    for (const Mark& mark : series.marks) points.push_back({mark.x, mark.y});
    for (const Crossing& c : crossings_of(points, level))
      chart.crossings.push_back({c.x, level,
                                 fmt::format("{} {} between {} and {}", series.name, c.upwards ? over : under,
                                             size_text(c.from), size_text(c.to)),
                                 ""});
  }
}

/// The least time of a whole call on host memory, of the kernels of one backend. NaN: none was timed.
double best_call(std::span<const Row> rows, const std::string& backend) {
  double best = kAbsent;
  for (const Row& row : rows) {
    if (row.kernel == kAuto || row.backend != backend || !row.timed()) continue;
    const profile::Timing& timing = backend == "cuda" ? row.end_to_end : row.time;
    if (timing.measured() && !(best <= timing.summary.median)) best = timing.summary.median;
  }
  return best;
}

/// Where a whole call on the GPU, copies included, overtakes the fastest CPU kernel, or falls behind.
void add_break_even(Chart& chart, const Ladder& ladder) {
  std::vector<XY> points;
  for (const Rung& rung : ladder.rungs)
    points.push_back({rung.size, best_call(rung.rows, "cpu") / best_call(rung.rows, "cuda")});
  for (const Crossing& c : crossings_of(points, 1)) {
    chart.bands.push_back({c.from, c.to, "break-even of CPU and GPU"});
    chart.ends.push_back(fmt::format("With copies, the GPU {} between {} and {}; about {} by interpolation.",
                                     c.upwards ? "overtakes the CPU" : "falls behind the CPU", size_text(c.from),
                                     size_text(c.to), size_text(c.x)));
  }
}

std::string size_chart(const Ladder& ladder) {
  Chart chart;
  chart.title = ladder.title;
  chart.x = {"n", Unit::count, true, sizes_along(ladder)};
  chart.y = {"speed-up over the reference kernel", Unit::factor, true, {}};
  chart.levels = {1};
  for (const Rung& rung : ladder.rungs)
    for (const Row& row : rung.rows) {
      if (row.kernel == kAuto || !row.timed()) continue;
      const auto add = [&](const std::string& name, double speedup, double seconds) {
        if (speedup > 0)
          named(chart.series, name)
              .marks.push_back({rung.size, speedup,
                                fmt::format("{}, n = {}: {}, {}", name, size_text(rung.size), factor_text(speedup),
                                            seconds_text(seconds)),
                                ""});
      };
      add(row.kernel, profile::speedup_of(row), row.time.summary.median);
      if (row.end_to_end.measured())
        add(row.kernel + ", end to end", row.end_to_end_speedup_vs_reference, row.end_to_end.summary.median);
    }
  std::erase_if(chart.series, [](const Series& s) { return s.marks.size() < 2; });
  for (Series& series : chart.series) series.dashed = series.name.ends_with("end to end");
  add_crossings(chart, 1, "overtakes the reference", "falls behind the reference");
  if (!chart.crossings.empty())
    chart.ends.push_back("A diamond is a break-even with the reference, interpolated between two measured sizes.");
  add_break_even(chart, ladder);
  return figure(chart);
}

/// Of one ladder of densities.
std::string density_chart(const Ladder& ladder) {
  Chart chart;
  chart.title = ladder.title;
  chart.x = {"density d: the part that is stored", Unit::percent, true, sizes_along(ladder)};
  chart.y = {"speed-up over the fastest dense kernel of the same backend", Unit::factor, true, {}};
  chart.levels = {1};
  Series theory{"what the fewer operations promise", {}, true, true};
  for (const Rung& rung : ladder.rungs) {
    double promised = kAbsent;
    for (const Row& row : rung.rows) {
      if (row.kernel == kAuto || !row.timed() || !(row.speedup_vs_dense > 0)) continue;
      promised = row.theoretical_speedup;
      named(chart.series, row.kernel)
          .marks.push_back({rung.size, row.speedup_vs_dense,
                            fmt::format("{}, {} stored: {} of {} in theory", row.kernel, percent_text(rung.size),
                                        factor_text(row.speedup_vs_dense), factor_text(row.theoretical_speedup)),
                            ""});
    }
    if (promised > 0) theory.marks.push_back({rung.size, promised, factor_text(promised) + " in theory", ""});
  }
  if (chart.series.empty()) return "";
  add_crossings(chart, 1, "overtakes the dense product", "falls behind the dense product");
  for (const Mark& mark : chart.crossings)
    chart.ends.push_back(fmt::format("Break-even at about {} stored: {}.", percent_text(mark.x), mark.title));
  chart.series.push_back(std::move(theory));
  return figure(chart);
}

/// "64x32x16" of "f32:64x32x16,bias" and "s8:64x32x16,per_token".
std::string sizes_of(const std::string& problem) {
  const std::size_t colon = problem.find(':');
  if (colon == std::string::npos) return "";
  return problem.substr(colon + 1, problem.find_first_of(",@", colon) - colon - 1);
}

/// The fastest row of a kind.
void keep_fastest(const Row*& best, const Row& row) {
  if (!best || row.time.summary.median < best->time.summary.median) best = &row;
}

/// Products of the same sizes in f32 and in smaller types: what the smaller ones gain. Points by size, a series a type.
std::string types_chart(const Comparison& c) {
  struct Products {
    const Row* f32 = nullptr;
    std::map<std::string, const Row*> others;  // fastest of each operation and type
  };
  std::map<std::string, Products> by_sizes;  // and backend
  for (const Row& row : c.rows) {
    if (row.kernel == kAuto || !row.timed() || !row.work.rate_is_flops || row.work.dense_flops > 0) continue;
    Products& products = by_sizes[row.backend + " " + sizes_of(row.problem)];
    if (row.work.arithmetic == DType::f32)
      keep_fastest(products.f32, row);
    else
      keep_fastest(products.others[fmt::format("{} {}", row.op, row.problem.substr(0, row.problem.find(':')))], row);
  }
  Chart chart;
  chart.title = "Smaller types";
  chart.x = {"bytes that must move, over those of f32", Unit::percent, true, {}};
  chart.y = {"speed-up over the fastest f32 product of the same sizes", Unit::factor, true, {}};
  chart.levels = {1};
  for (const auto& [sizes, products] : by_sizes)
    for (const auto& [type, row] : products.others) {
      if (!products.f32) continue;
      Series& series = named(chart.series, type);
      series.line = false;
      const double speedup = products.f32->time.summary.median / row->time.summary.median;
      series.marks.push_back({row->work.bytes / products.f32->work.bytes, speedup,
                              fmt::format("{} {}: {} with {}, largest error {:.2g} against its own operands", type,
                                          sizes, factor_text(speedup), row->kernel, row->max_abs_error),
                              sizes.substr(sizes.find(' ') + 1)});
    }
  return figure(chart);
}

}  // namespace

std::string sizes_section(const Comparison& c) {
  std::string figures;
  for (const Ladder& ladder : ladders_of(c.rows))
    if (!ladder.density) figures += size_chart(ladder);
  return section(
      "sizes", "Speed-up by size",
      "Problems that differ in one size. Lines connect measured points; dashed ones include the copies to and "
      "from the GPU.",
      grid(figures));
}

std::string compression_section(const Comparison& c) {
  std::string figures = types_chart(c);
  for (const Ladder& ladder : ladders_of(c.rows))
    if (ladder.density) figures += density_chart(ladder);
  return section("compression", "What compression gains",
                 "Fewer bytes and fewer operations are a promise; the speed-up is what was measured.", grid(figures));
}

std::string prediction_picture(const Comparison& c) {
  Chart chart;
  chart.title = "Predicted and measured time";
  chart.x = {"measured median", Unit::seconds, true, {}};
  chart.y = {"predicted by dispatch", Unit::seconds, true, {}};
  chart.diagonal = true;
  std::vector<double> ratios;
  for (const Row& row : c.rows) {
    if (row.kernel == kAuto || !row.timed() || !(row.predicted_seconds > 0)) continue;
    const double measured = row.time.summary.median;
    Series& series = named(chart.series, row.op);
    series.line = false;
    series.marks.push_back({measured, row.predicted_seconds,
                            fmt::format("{} {} {}: predicted {}, measured {}", row.kernel, row.op, row.problem,
                                        seconds_text(row.predicted_seconds), seconds_text(measured)),
                            ""});
    ratios.push_back(row.predicted_seconds / measured);
  }
  const auto within = std::count_if(ratios.begin(), ratios.end(), [](double r) { return r > 1 / 1.5 && r < 1.5; });
  if (!ratios.empty())
    chart.ends.push_back(
        fmt::format("On the line, a prediction is right. {} of {} are within a factor of 1.5.", within, ratios.size()));
  return figure(chart);
}

}  // namespace tandem::report
