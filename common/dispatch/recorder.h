// Problems that a program met and nobody measured, one line each: what tandem-tune is given to measure.
#pragma once

#include <set>
#include <string>

namespace tandem {

/// Appends to a file "op problem", each problem once. Lines are written whole, so that several processes and contexts
/// can share the file. A problem whose text does not tell all of it is written as a comment, after '#'. Used when a
/// decision is made, never in calls whose decision is known.
class ProblemRecorder {
 public:
  /// Opens the file for appending. Throws Error(io_error).
  explicit ProblemRecorder(const std::string& path);
  ~ProblemRecorder();
  ProblemRecorder(const ProblemRecorder&) = delete;
  ProblemRecorder& operator=(const ProblemRecorder&) = delete;

  /// Never throws: a full disk must not break a call.
  void note(const std::string& op, const std::string& problem, bool complete) noexcept;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int descriptor_ = -1;
  std::set<std::string> seen_;
};

}  // namespace tandem
