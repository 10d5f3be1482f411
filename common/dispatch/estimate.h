// What the selection asks of measurements, and what it is told. common/tuning has the table that answers.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <tandem/context.h>

namespace tandem {

/// A kernel on a problem, to be predicted.
struct Subject {
  std::string_view kernel;
  std::string op;
  std::string printed;  // Op::print of the problem
  int threads = 0;      // host threads as measurements count them: 0 for CUDA kernels
  double flops = 0, bytes = 0;
  double prior = 0;  // seconds
};

struct Estimate {
  double seconds = 0;
  Rung rung = Rung::prior;
  double error = 0;  // half width, as a fraction
};

class Estimates {
 public:
  virtual ~Estimates() = default;
  /// Nothing where too little is known of the kernel. `same(text)` says whether that text describes the subject's
  /// problem exactly: what is printed may leave strides out.
  virtual std::optional<Estimate> estimate(const Subject& subject,
                                           const std::function<bool(std::string_view)>& same) const = 0;
};

}  // namespace tandem
