// A profile for people: a table of stages with bars, then every other figure with where it comes from.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <tandem/operation_profile.h>

#include "common/profile/format.h"
#include "common/profile/report_parts.h"
#include "common/profile/timing.h"

namespace tandem::profile {
namespace {

constexpr std::size_t kName = 21, kBar = 36, kValue = 16;

std::string value_of(const Figure& figure) {
  if (figure.source == Source::absent) return "n/a";
  if (figure.unit == "s") return (figure.value < 0 ? "-" : "") + duration(std::abs(figure.value));
  if (figure.unit == "Hz") return with_prefix(figure.value) + "Hz";
  if (figure.unit == "1") return significant(figure.value);
  if (figure.unit == "count") return with_prefix(figure.value);
  if (figure.unit == "flop") return with_prefix(figure.value) + "FLOP";
  if (figure.unit == "op") return with_prefix(figure.value) + "op";
  if (figure.unit == "byte") return with_prefix(figure.value) + "B";
  return significant(figure.value) + " " + figure.unit;
}

std::string source_of(const Figure& figure, const Paint& paint) {
  if (figure.source == Source::absent) return paint.dim(figure.how);  // the value says n/a
  return paint.dim(fmt::format("{}: {}", name(figure.source), figure.how));
}

std::string line(const std::string& name, const std::string& value, const std::string& rest) {
  return "  " + left(name, kName) + right(value, kValue) + "  " + rest + "\n";
}

std::string timing_line(const std::string& name, const Timing& timing, const std::string& why_not, const Paint& paint) {
  if (!timing.measured()) return line(name, "n/a", paint.dim(why_not));
  const Summary& s = timing.summary;
  return line(name, duration(s.median),
              fmt::format("quartiles {} .. {}, p99 {}  ", duration(s.p25), duration(s.p75), duration(s.p99)) +
                  paint.dim(fmt::format(
                      "{} samples of {}, {}", timing.samples.size(),
                      timing.calls_per_sample == 1 ? "one call" : fmt::format("{} calls", timing.calls_per_sample),
                      profile::name(timing.stop))));
}

std::string stage_table(const Profile& p, const Style& style, const Paint& paint) {
  if (!p.traced.measured()) return "";
  std::string text = "\n" + paint.bold("Stages of a call") + "  " +
                     (p.resident ? "operands in device memory" : "operands in host memory") + ", " +
                     paint.dim(p.wall.how) + "\n";
  double longest = 0;
  for (const StageTime& stage : p.stages)
    if (std::isfinite(stage.seconds.value)) longest = std::max(longest, stage.seconds.value);
  for (const StageTime& stage : p.stages) {
    const bool there = std::isfinite(stage.seconds.value);
    const double share = there ? stage.seconds.value / p.wall.value : 0;
    std::string rest = bar(there ? stage.seconds.value / longest : 0, kBar, style.unicode) + "  ";
    rest += right(there ? percent(share) : "", 8);
    if (std::isfinite(stage.on_device.value)) rest += "  on the device " + duration(stage.on_device.value);
    if (stage.seconds.source != Source::measured) rest += "  " + source_of(stage.seconds, paint);
    text += line(stage.name, value_of(stage.seconds), rest);
  }
  text += line("wall", value_of(p.wall),
               std::string(kBar + 2, ' ') + right(percent(1), 8) + "  " +
                   paint.dim(fmt::format("{} of it in stages with a name", percent(p.accounted.value))));
  return text;
}

std::string section(const char* title, const std::vector<NamedFigure>& figures, const Paint& paint) {
  if (figures.empty()) return "";
  std::string text = "\n" + paint.bold(title) + "\n";
  for (const NamedFigure& f : figures) text += line(f.name, value_of(f.figure), source_of(f.figure, paint));
  return text;
}

std::string verdict(const Row& row, const Paint& paint) {
  if (row.status == Status::wrong) return paint.red("WRONG") + ": " + row.reason;
  if (row.status == Status::skipped) return "not run: " + row.reason;
  return fmt::format("{}: {}, largest error {} of its bound, {:.3g} absolute", paint.green("right"), row.method,
                     significant(row.bound_ratio), row.max_abs_error);
}

}  // namespace

std::string to_text(const Profile& p, const Style& style) {
  const Paint paint{style.colour};
  std::string text = fmt::format("{} {}  {}  {} threads  {}\n", p.row.op, p.row.problem, paint.bold(p.row.kernel),
                                 p.row.threads, paint.dim("(" + p.why + ")"));
  text += verdict(p.row, paint) + "\n";
  if (p.row.status != Status::ok) return text;
  text += stage_table(p, style, paint);
  text += "\n" + paint.bold("Times of one call") + "\n";
  text += timing_line("kernel alone, hot", p.row.time, "interrupted", paint);
  text += timing_line("kernel alone, cold", p.cold, p.cold_reason, paint);
  text += timing_line("whole call", p.call, "interrupted", paint);
  text += timing_line("with its stages", p.traced, "interrupted", paint);
  text += section("Work", p.work, paint);
  text += line("bound by", "", p.bound_by);
  text += section("Clocks", p.clocks, paint);
  text += section("Counters, a call of the kernel", p.counters, paint);
  text += section("Measuring itself", p.overhead, paint);
  return text;
}

}  // namespace tandem::profile
