// The operands of one measured problem: random or given, on the host, and copies of them on a GPU.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/profile.h>

#include "common/ops/operand.h"

namespace tandem::profile {

/// Random inputs stay in the range of their spec; without one they are uniform reals in [low, high), 24 random bits
/// each; whole numbers of the type's range otherwise.
struct Fill {
  float low = -1;
  float high = 1;
};

/// Throws Error(out_of_memory) when the machine has not enough memory left for a problem's operands.
void require_memory(std::string_view op, std::span<const OperandSpec> specs);

/// Host memory for every operand of a problem.
class Operands {
 public:
  /// Throws Error(invalid_argument) when a given operand has another dtype or shape than its spec, or there is no such
  /// operand; Error(out_of_memory) when the machine has not enough memory for them.
  Operands(std::string_view op, std::span<const OperandSpec> specs, std::span<const Given> given, const Fill& fill,
           std::uint64_t seed, bool reads_result, std::size_t results = 1);

  /// Inputs, then the result.
  std::span<const View> views() const { return views_; }
  const View& result() const { return views_.back(); }
  /// All that is written, the main result last.
  std::span<const View> results() const { return views().last(results_); }
  /// "a uniform [-1, 1), b w1.npy"
  const std::string& description() const { return description_; }
  /// Before a checked run: the main result's old contents when the operation reads them, else all bits set (NaN).
  void reset_results() const;
  /// The operands as they were at first, for a judge: the result is a separate copy where it is read.
  std::vector<View> pristine() const;

 private:
  void add_random(const OperandSpec& spec, const Fill& fill, std::uint64_t seed);
  void add_given(std::string_view op, const OperandSpec& spec, const Given& given);

  std::vector<Tensor> memory_;
  std::vector<std::shared_ptr<const Tensor>> kept_;
  std::vector<View> views_;
  std::size_t results_ = 1;
  Tensor old_result_;  // empty unless it is read
  std::string description_;
};

/// Copies on the context's GPU, dense where the originals have gaps.
class DeviceOperands {
 public:
  /// Throws Error(out_of_memory) or Error(device_error).
  DeviceOperands(Context& ctx, const Operands& host);
  std::span<const View> views() const { return views_; }
  /// Host results to device results, and back (which waits).
  void upload_results() const;
  void download_results() const;

 private:
  Context& ctx_;
  const Operands& host_;
  std::vector<Tensor> memory_;
  std::vector<View> views_;
};

}  // namespace tandem::profile
