// The roofline as characters.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report_parts.h"
#include "common/profile/roofline.h"

namespace tandem::profile {
namespace {

/// Rows of cells, each one character (of one to three bytes).
class Canvas {
 public:
  Canvas(int width, int height)
      : width_(width),
        height_(height),
        cells_(static_cast<std::size_t>(width) * static_cast<std::size_t>(height), " ") {}

  /// x and y from 0 to 1, y upwards; what lies outside is left out.
  std::string* at(double x, double y) {
    const auto column = static_cast<int>(std::lround(x * (width_ - 1)));
    const auto row = static_cast<int>(std::lround((1 - y) * (height_ - 1)));
    if (!std::isfinite(x) || !std::isfinite(y) || column < 0 || column >= width_ || row < 0 || row >= height_)
      return nullptr;
    return &cells_[static_cast<std::size_t>(row * width_ + column)];
  }
  void put(double x, double y, const std::string& cell) {
    if (std::string* place = at(x, y)) *place = cell;
  }
  std::string row(int index) const {
    std::string text;
    for (int i = 0; i < width_; ++i) text += cells_[static_cast<std::size_t>(index * width_ + i)];
    return text;
  }
  int width() const { return width_; }
  int height() const { return height_; }

 private:
  int width_, height_;
  std::vector<std::string> cells_;
};

void draw_ceilings(Canvas& canvas, const Roofline& roofline, const RooflineAxes& axes, bool unicode) {
  double highest = 0, fastest = 0;
  for (const CeilingLine& line : roofline.flops) highest = std::max(highest, line.rate);
  for (const CeilingLine& line : roofline.bytes) fastest = std::max(fastest, line.rate);
  const int decades = axes.intensity.high - axes.intensity.low;
  for (int column = 0; column < canvas.width(); ++column) {
    const double x = column / static_cast<double>(canvas.width() - 1);
    const double intensity = std::pow(10.0, axes.intensity.low + x * decades);
    for (const CeilingLine& line : roofline.bytes)
      if (!(highest > 0) || intensity * line.rate <= highest)
        canvas.put(x, axes.flops.at(intensity * line.rate), unicode ? "·" : ".");
    for (const CeilingLine& line : roofline.flops)
      if (!(fastest > 0) || intensity * fastest >= line.rate)
        canvas.put(x, axes.flops.at(line.rate), unicode ? "─" : "-");
  }
}

/// "  100 GFLOP/s |" where a decade begins, blanks elsewhere.
std::string margin_of(int row, const Canvas& canvas, const LogAxis& axis) {
  for (int decade = axis.low; decade <= axis.high; ++decade)
    if (std::lround((1 - axis.at(std::pow(10.0, decade))) * (canvas.height() - 1)) == row)
      return right(with_prefix(std::pow(10.0, decade)) + "FLOP/s", 13) + " |";
  return std::string(13, ' ') + " |";
}

std::string intensities(const Canvas& canvas, const LogAxis& axis) {
  std::string labels(static_cast<std::size_t>(canvas.width()) + 8, ' ');
  for (int decade = axis.low; decade <= axis.high; ++decade) {
    const auto at = static_cast<std::size_t>(std::lround(axis.at(std::pow(10.0, decade)) * (canvas.width() - 1)));
    const std::string label = fmt::format("{:g}", std::pow(10.0, decade));
    labels.replace(at, label.size(), label);
  }
  return labels.substr(0, labels.find_last_not_of(' ') + 1);
}

}  // namespace

std::string roofline_text(const Roofline& roofline, const Style& style, int width, int height) {
  const Paint paint{style.colour};
  const RooflineAxes axes = axes_of(roofline);
  Canvas canvas(width, height);
  draw_ceilings(canvas, roofline, axes, style.unicode);
  for (std::size_t i = 0; i < roofline.points.size(); ++i) {
    const RooflinePoint& point = roofline.points[i];
    std::string* cell = canvas.at(axes.intensity.at(point.intensity), axes.flops.at(point.flops));
    if (!cell) continue;
    const bool taken = cell->size() == 1 && (std::isalnum(static_cast<unsigned char>(cell->front())) != 0);
    *cell = taken ? "*" : std::string(1, point_mark(i));
  }
  std::string text = paint.bold("roofline of the " + roofline.title) + "\n";
  for (int row = 0; row < height; ++row) text += margin_of(row, canvas, axes.flops) + canvas.row(row) + "\n";
  text += std::string(14, ' ') + "+" + std::string(static_cast<std::size_t>(width), '-') + "\n";
  text += std::string(15, ' ') + intensities(canvas, axes.intensity) + "  flop/byte\n";
  text += "ceilings:";
  for (const CeilingLine& line : roofline.flops)
    text += fmt::format(" {} {}FLOP/s;", line.name, with_prefix(line.rate));
  for (const CeilingLine& line : roofline.bytes) text += fmt::format(" {} {}B/s;", line.name, with_prefix(line.rate));
  text.back() = '\n';
  for (std::size_t i = 0; i < roofline.points.size(); ++i)
    text += fmt::format("  {}  {}\n", point_mark(i), sentence_of(roofline.points[i]));
  return text;
}

std::string copies_text(const Ceilings& ceilings) {
  std::string text;
  for (const NamedCurve& named : curves_of(ceilings)) {
    text += fmt::format("copies {}, GB/s:", named.words);
    for (std::size_t i = 0; i < CopyCurve::kPoints; ++i) {
      const std::int64_t bytes = CopyCurve::bytes_at(i);
      const double seconds = named.curve->seconds[i];
      text += fmt::format(" {} {};", kibibytes(bytes),
                          seconds > 0 ? significant(static_cast<double>(bytes) / seconds / 1e9) : "n/a");
    }
    text.back() = '\n';
  }
  return text;
}

std::string rows_without_point(std::span<const Row> rows) {
  std::map<std::string, std::string> kernels;  // by reason
  std::set<std::string> placed;                // that have a point on some problem
  for (const Row& row : rows)
    if (row.status == Status::ok && row.work.flops > 0) placed.insert(row.kernel);
  for (const Row& row : rows) {
    if (row.status == Status::skipped && placed.contains(row.kernel)) continue;
    std::string reason = row.reason;
    if (row.status == Status::wrong) reason = "WRONG: " + reason;
    if (row.status == Status::ok)
      reason = row.work.flops > 0 ? "" : "it does no arithmetic: GB/s are in tandem-compare";
    if (reason.empty()) continue;
    std::string& names = kernels[reason];
    if (names.find(row.kernel) == std::string::npos) names += (names.empty() ? "" : ", ") + row.kernel;
  }
  std::string text;
  for (const auto& [reason, names] : kernels) text += fmt::format("no point: {}: {}\n", names, reason);
  return text;
}

}  // namespace tandem::profile
