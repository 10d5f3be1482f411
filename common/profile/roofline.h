// The roofline of a machine with what kernels reach under it: work per byte against work per second, both logarithmic.
// Made from a Roof, Ceilings and rows that were measured before; nothing here measures.
#pragma once

#include <span>
#include <string>
#include <vector>

#include <tandem/profile.h>
#include <tandem/report.h>

namespace tandem::profile {

/// A line of the picture: flop/s (horizontal), or bytes/s (a diagonal).
struct CeilingLine {
  std::string name;  ///< "FMA", "read L2", "device memory"
  double rate = 0;
};

/// What one kernel reached on one problem.
struct RooflinePoint {
  std::string kernel, problem;  ///< "cpu.matmul.f32.simd", "matmul f32:512x512x512"
  double intensity = 0;         ///< flops / bytes that must move
  double flops = 0;             ///< flops / median seconds
  double fraction = kAbsent;    ///< of what limits it
  std::string limit;            ///< "FMA", "copy L2"; empty when unknown
  bool whole_call = false;      ///< from and to host memory, on a GPU
};

struct Roofline {
  std::string title;  ///< "host, 8 threads", "GPU 0: NVIDIA H100"
  std::vector<CeilingLine> flops;
  std::vector<CeilingLine> bytes;
  std::vector<RooflinePoint> points;
};

/// The host's, then that of the first GPU where it has a measured ceiling. Rows that were timed, on their side; those
/// without arithmetic (transpose) have no point. Of each memory level the fastest of copy, read and write is drawn.
std::vector<Roofline> rooflines(const RunFacts& facts, std::span<const Row> rows);

/// A logarithmic axis over whole decades.
struct LogAxis {
  int low = 0, high = 1;  ///< exponents of ten
  /// 0 at 10^low, 1 at 10^high, beyond for what lies beyond.
  double at(double value) const;
};

/// Axes that hold every point, and each ridge with some of what is flat behind it.
struct RooflineAxes {
  LogAxis intensity, flops;
};
RooflineAxes axes_of(const Roofline& roofline);

/// Where a diagonal meets the highest horizontal line, or NaN where there is none.
double ridge(const Roofline& roofline, double bytes_rate);

/// "cpu.matmul.f32.simd, matmul f32:64x64x64: 10.67 flop/byte, 82 GFLOP/s, 45.0 % of FMA".
std::string sentence_of(const RooflinePoint& point);

/// The mark of point `index` in text: 1 to 9, then letters, then '*'.
char point_mark(std::size_t index);

/// A picture of `width` x `height` characters, its legend and its ceilings, for a terminal.
std::string roofline_text(const Roofline& roofline, const Style& style, int width = 72, int height = 20);

/// The curves of copies between host and device that were measured, by name.
struct NamedCurve {
  const char* key;    ///< "h2d_pageable"
  const char* words;  ///< "host to device, pageable"
  const CopyCurve* curve;
};
std::vector<NamedCurve> curves_of(const Ceilings& ceilings);
/// GB/s of each size, one line a curve; empty where none was measured.
std::string copies_text(const Ceilings& ceilings);
/// Rows that have no point, and why: wrong, without arithmetic, or skipped on every problem. One line for each reason.
std::string rows_without_point(std::span<const Row> rows);

/// Schema "tandem-roofline/1".
std::string rooflines_json(const Comparison& comparison, std::span<const Roofline> rooflines);

/// One self-contained SVG with a panel for each roofline, one below the other; it follows the reader's light or dark
/// colours, names its colours itself otherwise and may stand in HTML. Each point has a title that says what it is.
std::string roofline_svg(std::span<const Roofline> rooflines);

}  // namespace tandem::profile
