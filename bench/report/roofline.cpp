// The roofline of the host and of each GPU.
#include "common/profile/roofline.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "bench/report/chart.h"
#include "bench/report/html.h"
#include "bench/report/sections.h"
#include "common/profile/format.h"

namespace tandem::report {
namespace {

using profile::CeilingLine;
using profile::Roofline;

Series line(const CeilingLine& ceiling, double from, double to, double y_from, double y_to) {
  return {ceiling.name, {{from, y_from, "", ""}, {to, y_to, "", ""}}, true, false, true};
}

void add_ceilings(Chart& chart, const Roofline& roofline) {
  const profile::RooflineAxes axes = profile::axes_of(roofline);
  const double left = std::pow(10, axes.intensity.low), right = std::pow(10, axes.intensity.high);
  const double bottom = std::pow(10, axes.flops.low);
  double fastest = 0, highest = 0;
  for (const CeilingLine& bytes : roofline.bytes) fastest = std::max(fastest, bytes.rate);
  for (const CeilingLine& flops : roofline.flops) highest = std::max(highest, flops.rate);
  for (const CeilingLine& flops : roofline.flops)
    chart.series.push_back(
        line(flops, fastest > 0 ? std::max(left, flops.rate / fastest) : left, right, flops.rate, flops.rate));
  for (const CeilingLine& bytes : roofline.bytes) {
    const double from = std::max(left, bottom / bytes.rate);
    const double to = highest > 0 ? std::min(right, highest / bytes.rate) : right;
    if (from < to) chart.series.push_back(line(bytes, from, to, from * bytes.rate, to * bytes.rate));
  }
}

std::string picture(const Roofline& roofline) {
  Chart chart;
  chart.title = "Roofline of the " + roofline.title;
  chart.x = {"operations per byte that must move", Unit::count, true, {}};
  chart.y = {"operations per second", Unit::count, true, {}};
  for (const profile::RooflinePoint& point : roofline.points) {
    const std::string op = point.problem.substr(0, point.problem.find(' ')) + (point.whole_call ? ", whole call" : "");
    auto found = std::find_if(chart.series.begin(), chart.series.end(), [&](const Series& s) { return s.name == op; });
    if (found == chart.series.end()) found = chart.series.insert(found, {op, {}, false, false, false});
    found->marks.push_back({point.intensity, point.flops, profile::sentence_of(point), ""});
  }
  if (chart.series.empty()) return "";
  add_ceilings(chart, roofline);
  return figure(chart);
}

}  // namespace

std::string ceilings_section(const Comparison& c) {
  std::string figures;
  for (const Roofline& roofline : profile::rooflines(c, c.rows)) figures += picture(roofline);
  figures += prediction_picture(c);
  return section(
      "ceilings", "Ceilings and predictions",
      "Under the roofline, lines are what this machine was measured to compute (flat) and to move (rising) in "
      "a second: the nearer a kernel is, the less is left to gain.",
      figures.empty() ? "" : "<div class=\"charts\">\n" + figures + "</div>\n");
}

}  // namespace tandem::report
