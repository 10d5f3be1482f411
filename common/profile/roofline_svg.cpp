// The roofline as SVG.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/roofline.h"

namespace tandem::profile {
namespace {

constexpr double kWidth = 860, kLeft = 84, kRight = 170, kTop = 40, kPlotHeight = 360, kBelow = 52, kLine = 17;

// Classes begin with "roof-", so that the rules may stand in a page that has others.
constexpr const char* kStyle = R"(<style>
.roof{--roof-ink:#1b1f24;--roof-dim:#656d76;--roof-grid:#d8dee4;--roof-back:#ffffff;--roof-flops:#b35900;
--roof-bytes:#0757ba;--roof-point:#1a7f37;--roof-call:#8250df;font-family:system-ui,sans-serif;font-size:12px}
@media (prefers-color-scheme:dark){.roof{--roof-ink:#e6edf3;--roof-dim:#9198a1;--roof-grid:#30363d;
--roof-back:#0d1117;--roof-flops:#ffa657;--roof-bytes:#79c0ff;--roof-point:#56d364;--roof-call:#d2a8ff}}
.roof text{fill:var(--roof-ink)}.roof .roof-dim{fill:var(--roof-dim)}.roof .roof-title{font-size:15px;font-weight:600}
.roof .roof-back{fill:var(--roof-back)}.roof .roof-grid{stroke:var(--roof-grid)}
.roof .roof-flops{stroke:var(--roof-flops);stroke-width:1.6}.roof .roof-bytes{stroke:var(--roof-bytes);stroke-width:1.6}
.roof text.roof-flops{stroke:none;fill:var(--roof-flops)}.roof text.roof-bytes{stroke:none;fill:var(--roof-bytes)}
.roof .roof-kernel{fill:var(--roof-point);stroke:var(--roof-back)}
.roof .roof-call{fill:var(--roof-back);stroke:var(--roof-call);stroke-width:2}
.roof text.roof-mark{font-size:11px;font-weight:600}
</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&')
      out += "&amp;";
    else if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '"')
      out += "&quot;";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += c;
  }
  return out;
}

/// One roofline at `top` of the picture: places in its coordinates.
struct Panel {
  const Roofline& roofline;
  RooflineAxes axes;
  double top;

  double x(double intensity) const { return kLeft + (kWidth - kLeft - kRight) * axes.intensity.at(intensity); }
  double y(double flops) const { return top + kTop + kPlotHeight * (1 - axes.flops.at(flops)); }
  double x_end() const { return kWidth - kRight; }
  double y_end() const { return top + kTop + kPlotHeight; }
  double height() const {
    return kTop + kPlotHeight + kBelow + kLine * static_cast<double>(roofline.points.size()) + 16;
  }
};

std::string line(const char* kind, double x1, double y1, double x2, double y2) {
  return fmt::format("<line class=\"roof-{}\" x1=\"{:.2f}\" y1=\"{:.2f}\" x2=\"{:.2f}\" y2=\"{:.2f}\"/>\n", kind, x1,
                     y1, x2, y2);
}

std::string words(const char* kind, double x, double y, const char* anchor, std::string_view text) {
  return fmt::format("<text class=\"roof-{}\" x=\"{:.2f}\" y=\"{:.2f}\" text-anchor=\"{}\">{}</text>\n", kind, x, y,
                     anchor, escaped(text));
}

std::string grid(const Panel& panel) {
  std::string svg;
  for (int decade = panel.axes.intensity.low; decade <= panel.axes.intensity.high; ++decade) {
    const double value = std::pow(10.0, decade), x = panel.x(value);
    svg += line("grid", x, panel.top + kTop, x, panel.y_end());
    svg += words("dim", x, panel.y_end() + 16, "middle", fmt::format("{:g}", value));
  }
  for (int decade = panel.axes.flops.low; decade <= panel.axes.flops.high; ++decade) {
    const double value = std::pow(10.0, decade), y = panel.y(value);
    svg += line("grid", kLeft, y, panel.x_end(), y);
    svg += words("dim", kLeft - 6, y + 4, "end", with_prefix(value) + "FLOP/s");
  }
  return svg +
         words("dim", (kLeft + panel.x_end()) / 2, panel.y_end() + 34, "middle", "operations per byte that must move");
}

/// Labels on the right, moved apart where they would lie on each other.
std::string flops_ceilings(const Panel& panel) {
  double fastest = 0;
  for (const CeilingLine& ceiling : panel.roofline.bytes) fastest = std::max(fastest, ceiling.rate);
  std::vector<CeilingLine> falling = panel.roofline.flops;
  std::sort(falling.begin(), falling.end(), [](const auto& a, const auto& b) { return a.rate > b.rate; });
  std::string svg;
  double label = -1e9;
  for (const CeilingLine& ceiling : falling) {
    const double y = panel.y(ceiling.rate);
    const double begin = fastest > 0 ? std::max(kLeft, panel.x(ceiling.rate / fastest)) : kLeft;
    svg += line("flops", begin, y, panel.x_end(), y);
    label = std::max(y + 4, label + 14);
    svg += words("flops", panel.x_end() + 6, label, "start",
                 fmt::format("{} {}FLOP/s", ceiling.name, with_prefix(ceiling.rate)));
  }
  return svg;
}

std::string bytes_ceilings(const Panel& panel) {
  double highest = 0;
  for (const CeilingLine& ceiling : panel.roofline.flops) highest = std::max(highest, ceiling.rate);
  const double first = std::pow(10.0, panel.axes.intensity.low), last = std::pow(10.0, panel.axes.intensity.high);
  std::string svg;
  for (const CeilingLine& ceiling : panel.roofline.bytes) {
    // From the left or the lower edge, up to the highest ceiling of arithmetic.
    const double begin = std::max(first, std::pow(10.0, panel.axes.flops.low) / ceiling.rate);
    const double end = highest > 0 ? std::min(last, highest / ceiling.rate) : last;
    if (begin >= end) continue;
    const double x1 = panel.x(begin), y1 = panel.y(begin * ceiling.rate);
    const double x2 = panel.x(end), y2 = panel.y(end * ceiling.rate);
    svg += line("bytes", x1, y1, x2, y2);
    const double angle = std::atan2(y2 - y1, x2 - x1) * 180 / 3.14159265358979;
    svg += fmt::format(
        "<text class=\"roof-bytes\" transform=\"translate({:.2f} {:.2f}) rotate({:.2f})\" dy=\"-4\">{}</text>\n",
        x1 + 4, y1 - 4 * std::tan(-angle * 3.14159265358979 / 180), angle,
        escaped(fmt::format("{} {}B/s", ceiling.name, with_prefix(ceiling.rate))));
  }
  return svg;
}

std::string points(const Panel& panel) {
  std::string svg;
  for (std::size_t i = 0; i < panel.roofline.points.size(); ++i) {
    const RooflinePoint& point = panel.roofline.points[i];
    const double x = panel.x(point.intensity), y = panel.y(point.flops);
    const std::string sentence = sentence_of(point);
    svg += fmt::format("<circle class=\"roof-{}\" cx=\"{:.2f}\" cy=\"{:.2f}\" r=\"5\"><title>{}</title></circle>\n",
                       point.whole_call ? "call" : "kernel", x, y, escaped(sentence));
    svg += words("mark", x + 8, y + 4, "start", std::to_string(i + 1));
    svg += words("legend", kLeft, panel.y_end() + kBelow + kLine * static_cast<double>(i), "start",
                 fmt::format("{}  {}", i + 1, sentence));
  }
  return svg;
}

}  // namespace

std::string roofline_svg(std::span<const Roofline> rooflines) {
  std::string panels;
  double top = 0;
  for (const Roofline& roofline : rooflines) {
    const Panel panel{roofline, axes_of(roofline), top};
    panels += words("title", kLeft, top + 24, "start", "Roofline of the " + roofline.title);
    panels += grid(panel) + bytes_ceilings(panel) + flops_ceilings(panel) + points(panel);
    top += panel.height();
  }
  return fmt::format(
             "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"roof\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
             "width=\"{0:.0f}\" "
             "height=\"{1:.0f}\" role=\"img\" aria-label=\"Roofline\">\n",
             kWidth, std::max(top, 1.0)) +
         kStyle + fmt::format("<rect class=\"roof-back\" width=\"{:.0f}\" height=\"{:.0f}\"/>\n", kWidth, top) +
         panels + "</svg>\n";
}

}  // namespace tandem::profile
