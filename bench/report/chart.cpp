#include "bench/report/chart.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "bench/report/html.h"
#include "common/profile/format.h"

namespace tandem::report {
namespace {

constexpr double kWidth = 420, kHeight = 290;
constexpr double kLeft = 54, kRight = 14, kTop = 12, kBottom = 46;
constexpr std::size_t kColours = 8;

/// Maps numbers to a stretch of the picture.
class Scale {
 public:
  Scale(const Axis& axis, double low, double high, double from, double to)
      : log_(axis.log), at_(axis.at), low_(value(low)), high_(value(high)), from_(from), to_(to) {}

  double operator()(double x) const { return from_ + (value(x) - low_) / (high_ - low_) * (to_ - from_); }
  bool holds(double x) const { return std::isfinite(value(x)); }
  /// The numbers that get a line and a label.
  std::vector<double> ticks() const {
    if (!at_.empty() && at_.size() <= 8) return at_;
    return log_ ? log_ticks() : linear_ticks();
  }

 private:
  double value(double x) const { return log_ ? std::log10(x) : x; }

  std::vector<double> log_ticks() const {
    const double span = high_ - low_;
    const int step = std::max(1, static_cast<int>(std::ceil(span / 6)));
    std::vector<double> ticks;
    for (int e = static_cast<int>(std::floor(low_)); e <= high_ && ticks.size() < 20; e += step)
      for (const double digit : {1.0, 2.0, 5.0})
        if (const double tick = digit * std::pow(10, e);
            (digit == 1 || span < 2.2) && value(tick) >= low_ - 1e-9 && value(tick) <= high_ + 1e-9)
          ticks.push_back(tick);
    return ticks;
  }
  std::vector<double> linear_ticks() const {
    const double raw = (high_ - low_) / 5, power = std::pow(10, std::floor(std::log10(raw)));
    const double step = power * (raw / power > 5 ? 10 : raw / power > 2 ? 5 : raw / power > 1 ? 2 : 1);
    std::vector<double> ticks;
    for (double tick = std::ceil(low_ / step) * step; tick <= high_ + 1e-9 * step && ticks.size() < 20; tick += step)
      ticks.push_back(std::abs(tick) < 1e-9 * step ? 0 : tick);
    return ticks;
  }

  bool log_;
  const std::vector<double>& at_;
  double low_, high_, from_, to_;
};

/// Where the numbers of an axis begin and end, with room at both ends.
struct Range {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double x, bool log) {
    if (!std::isfinite(x) || (log && !(x > 1e-300))) return;
    low = std::min(low, x);
    high = std::max(high, x);
  }
  bool empty() const { return !(low <= high); }
  void widen(bool log) {
    if (log) {
      const double room = std::max(std::pow(high / low, 0.06), 1.15);
      low /= room;
      high *= room;
    } else {
      const double room = high > low ? 0.06 * (high - low) : std::max(std::abs(high) * 0.1, 1e-12);
      low -= room;
      high += room;
    }
  }
};

std::string tick_text(double x, Unit unit) {
  switch (unit) {
    case Unit::seconds: {
      const profile::TimeUnit time = profile::unit_for(x * 1.0000001);
      return fmt::format("{:.4g} {}", x / time.seconds, time.name);
    }
    case Unit::factor:
      return fmt::format("{:.4g}x", x);
    case Unit::percent:
      return fmt::format("{:.4g} %", 100 * x);
    case Unit::count:
      if (x < 1e5) return fmt::format("{:.6g}", x);
      [[fallthrough]];
    case Unit::bytes: {
      std::string text = profile::with_prefix(x);
      if (text.ends_with(' ')) text.pop_back();
      return unit == Unit::bytes ? text + "B" : text;
    }
    case Unit::plain:
      break;
  }
  return fmt::format("{:.3g}", x);
}

std::string shape(std::size_t index, double x, double y) {
  const std::size_t kind = index % 5;
  const double r = 4.2;
  if (kind == 0) return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\"", x, y, r);
  if (kind == 1)
    return fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{}\" height=\"{}\"", x - 3.7, y - 3.7, 7.4, 7.4);
  const char* kPaths[] = {"-4.6 3.6h9.2l-4.6-8z", "-4.6-3.6h9.2l-4.6 8z", "0-5.4l5.4 5.4l-5.4 5.4l-5.4-5.4z"};
  return fmt::format("<path d=\"M{:.1f} {:.1f}m{}\"", x, y, kPaths[kind - 2]);
}

std::string titled(const std::string& element, const std::string& css, const std::string& title) {
  return fmt::format("{} class=\"{}\"><title>{}</title></{}>\n", element, css, esc(title),
                     element.substr(1, element.find(' ') - 1));
}

class Drawing {
 public:
  Drawing(const Chart& chart, Range x, Range y)
      : chart_(chart),
        x_(chart.x, x.low, x.high, kLeft, kWidth - kRight),
        y_(chart.y, y.low, y.high, kHeight - kBottom, kTop),
        x_range_(x) {}

  std::string svg() const {
    std::string out =
        fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"{}\" xmlns=\"http://www.w3.org/2000/svg\">\n",
                    kWidth, kHeight, esc(chart_.title));
    for (const Band& band : chart_.bands) out += drawn(band);
    out += grid();
    for (std::size_t i = 0; i < chart_.series.size(); ++i) out += drawn(chart_.series[i], i);
    for (const Mark& mark : chart_.crossings)
      if (x_.holds(mark.x) && y_.holds(mark.y))
        out += titled(fmt::format("<path d=\"M{:.1f} {:.1f}m0-7l7 7l-7 7l-7-7z\"", x_(mark.x), y_(mark.y)), "crossing",
                      mark.title);
    return out + "</svg>\n";
  }

 private:
  std::string grid() const {
    std::string out;
    const double bottom = kHeight - kBottom, right = kWidth - kRight;
    for (const double tick : x_.ticks())
      out += fmt::format(
          "<path class=\"grid\" d=\"M{0:.1f} {1}V{2}\"/><text x=\"{0:.1f}\" y=\"{3}\" "
          "text-anchor=\"middle\">{4}</text>\n",
          x_(tick), kTop, bottom, bottom + 16, tick_text(tick, chart_.x.unit));
    for (const double tick : y_.ticks())
      out += fmt::format(
          "<path class=\"grid\" d=\"M{0} {1:.1f}H{2}\"/><text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5}</text>\n",
          kLeft, y_(tick), right, kLeft - 6, y_(tick) + 4, tick_text(tick, chart_.y.unit));
    for (const double level : chart_.levels)
      if (y_.holds(level)) out += fmt::format("<path class=\"level\" d=\"M{} {:.1f}H{}\"/>\n", kLeft, y_(level), right);
    if (chart_.diagonal) out += fmt::format("<path class=\"level\" d=\"M{} {}L{} {}\"/>\n", kLeft, bottom, right, kTop);
    out += fmt::format("<path class=\"axis\" d=\"M{} {}V{}H{}\"/>\n", kLeft, kTop, bottom, right);
    return out + fmt::format("<text class=\"label\" x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                             (kLeft + right) / 2, kHeight - 8, esc(chart_.x.label));
  }

  std::string drawn(const Band& band) const {
    const double from = x_(std::max(band.from, x_range_.low)), to = x_(std::min(band.to, x_range_.high));
    if (!(to > from)) return "";
    return titled(fmt::format("<rect x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"", from, kTop, to - from,
                              kHeight - kBottom - kTop),
                  "band", band.title);
  }

  std::string drawn(const Series& series, std::size_t index) const {
    std::string path, marks;
    const std::string colour = fmt::format("c{}", index % kColours);
    for (const Mark& mark : series.marks) {
      if (!x_.holds(mark.x) || !y_.holds(mark.y)) continue;
      const double x = x_(mark.x), y = y_(mark.y);
      path += fmt::format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", x, y);
      if (!series.ceiling) marks += titled(shape(index, x, y), "mark " + colour, mark.title);
      if (mark.label.empty() || series.ceiling) continue;
      const bool right = x > kWidth - 90;  // where there is no room for it
      marks += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", right ? x - 7 : x + 7,
                           y - 5, right ? "end" : "start", esc(mark.label));
    }
    if (series.ceiling) marks += ceiling_label(series);
    if (series.line && !path.empty())
      path = fmt::format("<path class=\"line {}{}\" d=\"{}\"/>\n", series.ceiling ? "ceiling" : colour,
                         series.dashed ? " dashed" : "", path);
    else
      path.clear();
    return path + marks;
  }

  /// The name of a straight line along it, at its end.
  std::string ceiling_label(const Series& series) const {
    const double x1 = x_(series.marks.front().x), y1 = y_(series.marks.front().y);
    const double x2 = x_(series.marks.back().x), y2 = y_(series.marks.back().y);
    if (!std::isfinite(x1 + y1 + x2 + y2)) return "";
    return fmt::format(
        "<text class=\"name\" transform=\"translate({:.1f} {:.1f}) rotate({:.1f})\" x=\"-3\" y=\"-3\" "
        "text-anchor=\"end\">{}</text>\n",
        x2, y2, std::atan2(y2 - y1, x2 - x1) * 180 / 3.14159265358979, esc(series.name));
  }

  const Chart& chart_;
  Scale x_, y_;
  Range x_range_;
};

std::string legend(const Chart& chart) {
  std::string out = "<ul class=\"legend\">";
  for (std::size_t i = 0; i < chart.series.size(); ++i) {
    if (chart.series[i].ceiling) continue;
    out += fmt::format("<li><svg viewBox=\"-8 -8 16 16\" aria-hidden=\"true\">{} class=\"mark c{}\"/></svg>{}</li>",
                       shape(i, 0, 0), i % kColours, esc(chart.series[i].name));
  }
  out += "</ul>\n";
  for (const std::string& line : chart.ends) out += fmt::format("<p class=\"note\">{}</p>\n", esc(line));
  return out;
}

Range range_of(const Chart& chart, bool x) {
  Range range;
  const Axis& axis = x ? chart.x : chart.y;
  for (const Series& series : chart.series)
    for (const Mark& mark : series.marks) {
      if ((chart.x.log && !(mark.x > 0)) || (chart.y.log && !(mark.y > 0))) continue;
      range.add(x ? mark.x : mark.y, axis.log);
    }
  if (!x && !range.empty())
    for (const double level : chart.levels) range.add(level, axis.log);
  return range;
}

}  // namespace

bool Chart::empty() const { return range_of(*this, true).empty() || range_of(*this, false).empty(); }

std::string figure(const Chart& chart) {
  if (chart.empty()) return "";
  Range x = range_of(chart, true), y = range_of(chart, false);
  if (chart.diagonal) {
    x.add(y.low, chart.x.log);
    x.add(y.high, chart.x.log);
    y = x;
  }
  x.widen(chart.x.log);
  y.widen(chart.y.log);
  return fmt::format("<figure class=\"chart\">\n<figcaption><b>{}</b><span>{}</span></figcaption>\n{}{}</figure>\n",
                     esc(chart.title), esc(chart.y.label), Drawing(chart, x, y).svg(), legend(chart));
}

}  // namespace tandem::report
