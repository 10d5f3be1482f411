// What was measured of kernels, and what follows from it for problems that were not.
//
// The ladder, best rung first: the measured entry of that problem; interpolation between measured problems of its kin;
// a fit to all that was measured of the kernel, by its work or as a multiple of its prior, whichever is nearer; else
// nothing, and the caller's prior stands. A table is filled once and then constant: contexts and threads share it.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/context.h>

#include "common/dispatch/estimate.h"
#include "common/tuning/sizes.h"

namespace tandem::tuning {

/// One measured time: CPU kernels on operands in host memory with fork and join, CUDA kernels on device memory alone.
struct Measurement {
  std::string kernel;   // "cpu.matmul.f32.simd"
  std::string op;       // "matmul"
  std::string problem;  // a text that the operation parses: "f32:512x512x512"
  int threads = 0;      // host threads; 0 for CUDA kernels
  double seconds = 0;   // median of one call
  double spread = 0;    // half of the interquartile range over the median
  friend bool operator==(const Measurement&, const Measurement&) = default;
};

/// A measurement with what the operation says of its problem.
struct Point {
  Measurement measured;
  std::string printed;  // Op::print of the problem: several texts may describe the same
  double flops = 0, bytes = 0;
  double prior = 0;  // seconds
  Sizes sizes = {};  // of `printed`, and the function as an option: the table fills it in
};

class Table final : public Estimates {
 public:
  /// A stale table is of another build or driver: all that it says counts as prior, with a wider error.
  explicit Table(std::vector<Point> points, bool stale = false);
  ~Table() override;
  Table(Table&&) noexcept;
  Table& operator=(Table&&) noexcept;

  std::size_t size() const { return size_; }

  std::optional<Estimate> estimate(const Subject& subject,
                                   const std::function<bool(std::string_view)>& same) const override;

  /// What a stale table's errors grow by.
  static constexpr double kStaleError = 0.25;

 private:
  struct Data;  // see table.cpp
  std::unique_ptr<const Data> data_;
  std::size_t size_ = 0;
  bool stale_ = false;
};

}  // namespace tandem::tuning
