// What a comparison of kernels yields: plain structs, without a word about how they are printed (report.h does that).
//
// Every number is measured, or derived from measured ones by the formula at its field, or NaN: absent.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/profile/measure.h"
#include "common/profile/roof.h"
#include "common/profile/run_facts.h"
#include "common/profile/timing.h"

namespace tandem::profile {

/// The name of the row that shows what dispatch does when no kernel is named.
inline constexpr const char* kAuto = "auto";

/// One kernel on one problem.
struct Row {
  std::string op;        ///< "matmul"
  std::string problem;   ///< "f32:1024x1024x1024"
  std::string kernel;    ///< "cpu.matmul.f32.simd", or kAuto
  std::string ran;       ///< the kernel behind kAuto; else equal to kernel
  std::string backend;   ///< "cpu" or "cuda"
  std::string label;     ///< what the problem stands for: "digits layer 1"; may be empty
  std::string operands;  ///< what the inputs hold: "a uniform [-1, 1), b w1.npy"
  Status status = Status::skipped;
  std::string reason;
  int threads = 0;  ///< host threads that the call may use

  /// CPU kernels and kAuto: a call on operands in host memory. CUDA kernels: on operands in device memory, calls
  /// enqueued back to back and waited for at the end of a batch.
  Timing time;
  /// CUDA kernels: a whole call from and to host memory, copies included. Else empty: `time` is that already.
  Timing end_to_end;

  Work work;
  double rate = kAbsent;              ///< work / time.median, in 1e9 rate_unit a second
  std::string rate_unit;              ///< "GFLOP/s" or "GB/s"
  Bound ceiling;                      ///< what limits this problem on this machine
  double ceiling_fraction = kAbsent;  ///< ceiling.seconds / time.median

  double bound_ratio = kAbsent;  ///< largest |error| / bound; at most 1 when right
  double max_abs_error = kAbsent;
  std::int64_t compared = 0;   ///< numbers held against the oracle
  bool can_saturate = false;   ///< the result is of 8-bit integers
  std::int64_t saturated = 0;  ///< of the compared numbers: integers that had to be clamped; a property of the problem
  std::string method;          ///< "every element", or how they were chosen

  bool reference = false;                            ///< the kernel that speed-ups are told against
  double speedup_vs_reference = kAbsent;             ///< reference time.median / time.median
  double end_to_end_speedup_vs_reference = kAbsent;  ///< reference time.median / end_to_end.median

  bool dense = false;                    ///< a kernel that does the work of the dense product
  double theoretical_speedup = kAbsent;  ///< work.dense_flops / work.flops: what compression promises
  double speedup_vs_dense = kAbsent;     ///< time.median of the fastest dense row on this backend / time.median

  bool chosen = false;                 ///< dispatch picks this kernel for operands in host memory
  double predicted_seconds = kAbsent;  ///< by the selection's model, for `time`
  double predicted_end_to_end_seconds = kAbsent;
  /// kAuto: time.median of the chosen kernel (from and to host memory) over the least one measured, minus 1.
  double regret = kAbsent;

  std::string reproduce;  ///< a command that measures this row again; empty when there is none
};

/// A result that is no timing, such as the accuracy of a network.
struct Statement {
  std::string name;
  std::string text;
  std::vector<std::pair<std::string, double>> figures;
};

struct CompareOptions {
  double min_seconds = 0.1;                      ///< spent in the samples of each row
  std::uint64_t seed = 1;                        ///< of the data and of the order of measuring
  std::function<bool(std::string_view)> wanted;  ///< which rows, by kernel name; empty: all, and kAuto
  const std::atomic<bool>* cancel = nullptr;     ///< set from a signal handler: stop and keep what there is
  std::function<void(const Progress&)> observe;
  bool wants(std::string_view kernel) const { return !wanted || wanted(kernel); }
  bool cancelled() const { return cancel && cancel->load(std::memory_order_relaxed); }
};

struct Comparison : RunFacts {
  std::vector<Row> rows;  ///< in the order of the problems, and of the table within one
  std::vector<Statement> statements;

  bool any_wrong() const;
};

/// The figures of one problem's rows that depend on other fields: rate, fractions, speed-ups, regret.
void derive_figures(std::vector<Row>& rows);

}  // namespace tandem::profile
