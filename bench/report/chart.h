// Plain SVG charts of points and lines. Colours come from the style sheet of the page (classes c0 to c7), and each
// comes with a shape, so that nobody has to tell colours apart.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tandem::report {

/// How the numbers of an axis are written.
enum class Unit { plain, count, factor, seconds, bytes, percent };

struct Mark {
  double x, y;
  std::string title;  ///< what a pointer that rests on it shows, and a screen reader says
  std::string label;  ///< text beside it; may be empty
};

struct Series {
  std::string name;
  std::vector<Mark> marks;  ///< those that cannot be drawn (not finite, or not positive on a log axis) are left out
  bool line = true;
  bool dashed = false;
  bool ceiling = false;  ///< a line that others are held against: no marks, only their labels, and not in the legend
};

struct Axis {
  std::string label;
  Unit unit = Unit::plain;
  bool log = true;
  std::vector<double> at;  ///< the numbers that get a line and a label; empty, or too many: round ones
};

/// A stretch of the x axis that something is true on.
struct Band {
  double from, to;
  std::string title;
};

struct Chart {
  std::string title;
  Axis x, y;
  std::vector<Series> series;
  std::vector<Band> bands;
  std::vector<Mark> crossings;    ///< diamonds above everything else
  std::vector<double> levels;     ///< horizontal lines
  bool diagonal = false;          ///< the line x = y, on axes that are then the same
  std::vector<std::string> ends;  ///< what crossings, levels and bands mean: lines below the legend

  bool empty() const;
};

/// <figure> with title, picture and legend; empty for a chart without anything to draw.
std::string figure(const Chart& chart);

}  // namespace tandem::report
