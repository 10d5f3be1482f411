#include "common/profile/roofline.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report_parts.h"

namespace tandem::profile {
namespace {

void add(std::vector<CeilingLine>& lines, const char* name, double rate) {
  if (rate > 0) lines.push_back({name, rate});
}

CeilingLine line_of(const MemoryLevel& level) {
  const std::array<std::pair<const char*, double>, 3> ways = {
      {{"copy ", level.copy_bytes}, {"read ", level.read_bytes}, {"write ", level.write_bytes}}};
  const auto& best =
      *std::max_element(ways.begin(), ways.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  return {best.first + std::string(level.name), best.second};
}

void add_point(Roofline& roofline, const Row& row, const Timing& timing, bool whole_call) {
  const double seconds = timing.summary.median;
  if (row.status != Status::ok || !timing.measured() || !(row.work.flops > 0 && row.work.bytes > 0 && seconds > 0))
    return;
  RooflinePoint point;
  point.kernel = row.kernel == kAuto ? "auto: " + row.ran : row.kernel;
  point.problem = row.op + " " + row.problem;
  point.intensity = row.work.flops / row.work.bytes;
  point.flops = row.work.flops / seconds;
  if (!whole_call) {
    point.fraction = row.ceiling_fraction;
    point.limit = row.ceiling.by;
  }
  point.whole_call = whole_call;
  roofline.points.push_back(std::move(point));
}

LogAxis around(const std::vector<double>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  LogAxis axis;
  axis.low = static_cast<int>(std::floor(std::log10(*low)));
  axis.high = std::max(axis.low + 1, static_cast<int>(std::ceil(std::log10(*high))));
  return axis;
}

}  // namespace

std::vector<Roofline> rooflines(const RunFacts& facts, std::span<const Row> rows) {
  std::vector<Roofline> all;
  const Roof& roof = facts.roof;
  Roofline host;
  host.title = fmt::format("host, {} thread{}", roof.threads, roof.threads == 1 ? "" : "s");
  add(host.flops, "FMA", roof.flops_all);
  add(host.flops, "s8 dot", roof.s8_all);
  add(host.flops, "bf16 dot", roof.bf16_all);
  for (const MemoryLevel& level : roof.levels)
    if (const CeilingLine line = line_of(level); line.rate > 0) host.bytes.push_back(line);
  for (const Row& row : rows)
    if (row.backend == "cpu") add_point(host, row, row.time, false);
  all.push_back(std::move(host));
  // One GPU computes, the first, and the ceilings are its own.
  const Ceilings& c = facts.machine.ceilings;
  if (facts.machine.gpus.empty() || !(c.gpu_bytes > 0)) return all;
  const GpuInfo& gpu = facts.machine.gpus.front();
  Roofline device;
  device.title = fmt::format("GPU {}: {}", gpu.index, gpu.name);
  add(device.flops, "FMA", c.gpu_flops);
  add(device.flops, "s8 tensor cores", c.gpu_s8_ops);
  add(device.flops, "bf16 tensor cores", c.gpu_bf16_flops);
  add(device.bytes, "device memory", c.gpu_bytes);
  add(device.bytes, "host to device", c.h2d_bytes);
  add(device.bytes, "device to host", c.d2h_bytes);
  for (const Row& row : rows) {
    if (row.backend != "cuda") continue;
    add_point(device, row, row.time, row.kernel == kAuto);
    add_point(device, row, row.end_to_end, true);
  }
  all.push_back(std::move(device));
  return all;
}

double LogAxis::at(double value) const { return (std::log10(value) - low) / (high - low); }

double ridge(const Roofline& roofline, double bytes_rate) {
  double highest = kAbsent;
  for (const CeilingLine& line : roofline.flops) highest = std::fmax(highest, line.rate);
  return highest / bytes_rate;
}

RooflineAxes axes_of(const Roofline& roofline) {
  std::vector<double> x, y;
  for (const RooflinePoint& point : roofline.points) {
    x.push_back(point.intensity);
    y.push_back(point.flops);
  }
  double fastest = 0;
  for (const CeilingLine& line : roofline.bytes) {
    if (const double at = ridge(roofline, line.rate); std::isfinite(at)) x.push_back(3 * at);  // some of the flat part
    fastest = std::max(fastest, line.rate);
  }
  for (const CeilingLine& line : roofline.flops) y.push_back(line.rate);
  if (x.empty()) x = {1};
  if (y.empty()) y = {1};
  // Without points: a decade of diagonals before the first ridge.
  RooflineAxes axes{around(x), {}};
  if (roofline.points.empty()) axes.intensity.low -= 1;
  if (fastest > 0) y.push_back(fastest * std::pow(10.0, axes.intensity.low));
  axes.flops = around(y);
  return axes;
}

std::string sentence_of(const RooflinePoint& point) {
  std::string text =
      fmt::format("{}{}, {}: {} flop/byte, {}FLOP/s", point.kernel, point.whole_call ? " end to end" : "",
                  point.problem, significant(point.intensity), with_prefix(point.flops));
  if (!point.limit.empty() && !std::isnan(point.fraction))
    text += fmt::format(", {} of {}{}", percent(point.fraction), point.limit,
                        above_mark(point.fraction).empty() ? "" : fmt::format(", {}", above_mark(point.fraction)));
  return text;
}

std::vector<NamedCurve> curves_of(const Ceilings& c) {
  std::vector<NamedCurve> curves;
  for (const NamedCurve& named : {NamedCurve{"h2d_pageable", "host to device, pageable", &c.h2d_pageable},
                                  {"d2h_pageable", "device to host, pageable", &c.d2h_pageable},
                                  {"h2d_pinned", "host to device, pinned", &c.h2d_pinned},
                                  {"d2h_pinned", "device to host, pinned", &c.d2h_pinned}})
    if (named.curve->seconds.front() > 0) curves.push_back(named);
  return curves;
}

char point_mark(std::size_t index) {
  constexpr std::string_view kMarks = "123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  return index < kMarks.size() ? kMarks[index] : '*';
}

}  // namespace tandem::profile
