// Problems that differ in one size only, to draw speed against size.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/profile.h>

namespace tandem::report {

/// "csr:1024x256x1024@0.05,int8" -> "csr:#x#x#@#,int8" and four numbers: numbers after ':', 'x', '*' and '@', up to the
/// first ','.
struct SplitProblem {
  std::string family;
  std::vector<double> sizes;
  std::vector<char> before;  ///< what stands before each number
};
SplitProblem split_problem(std::string_view text);

struct Rung {
  double size;  ///< what grows along the ladder
  std::span<const profile::Row> rows;
};

/// At least two problems that are alike but for one size, or for one size that all dimensions have, smallest first.
struct Ladder {
  std::string title;  ///< "matmul f32:n x n x n"
  bool density = false;
  std::vector<Rung> rungs;
};
std::vector<Ladder> ladders_of(std::span<const profile::Row> rows);

/// Where y passes `level` between neighbours: the place in between on a straight line through both logarithms, and the
/// two neighbours' x. x grows; what is not positive is passed over.
struct Crossing {
  double x, from, to;
  bool upwards;
};
struct XY {
  double x, y;
};
std::vector<Crossing> crossings_of(std::span<const XY> points, double level);

}  // namespace tandem::report
