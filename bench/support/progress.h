// A line on the terminal that says what is being measured, how far it is, and what it says so far.
#pragma once

#include <cstddef>
#include <string>

#include "common/profile/measure.h"

namespace tandem::bench {

class ProgressLine {
 public:
  /// `on`: standard error is a terminal and nobody asked for quiet.
  ProgressLine(bool on, std::size_t jobs);
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Job `index` (from 0) begins.
  void begin(std::size_t index, const std::string& problem);
  void show(const profile::Progress& progress);
  /// Removes the line, for other output.
  void clear();

 private:
  bool on_;
  std::size_t jobs_, index_ = 0;
  std::string problem_;
  double started_;
  bool shown_ = false;
};

}  // namespace tandem::bench
