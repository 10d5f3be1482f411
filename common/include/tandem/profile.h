// Measuring what kernels do: every kernel on the same problem, each result checked first, timed side by side. Plain
// structs, without a word about how they are printed (tandem/report.h does that).
//
// Every number is measured, or derived from measured ones by the formula at its field, or NaN: absent.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tandem/context.h>
#include <tandem/dtype.h>
#include <tandem/machine.h>
#include <tandem/measurement.h>
#include <tandem/tensor.h>

namespace tandem::profile {

/// A place that data can be in, and the bytes/s that all threads together reach there.
struct MemoryLevel {
  std::string_view name;      ///< "L1", "L2", "L3" or "DRAM"
  std::int64_t capacity = 0;  ///< working sets up to so many bytes count as held here, all threads together
  double copy_bytes = 0;      ///< read + written
  double read_bytes = 0;
  double write_bytes = 0;
};

/// What the host's threads can do at once: measured with all of them running, not multiplied up.
struct Roof {
  int threads = 0;
  double flops_one = 0;  ///< f32 multiply-adds, 2 flops each, of one thread
  double flops_all = 0;
  double s8_all = 0;    ///< sums of products of 8-bit integers, 2 operations each
  double bf16_all = 0;  ///< the same of bf16
  std::array<MemoryLevel, 4> levels;

  /// The fastest level that holds a working set.
  const MemoryLevel& level_of(double bytes) const;
};

/// The least time that a problem can take, and what sets it.
struct Bound {
  double seconds = 0;
  /// "FMA", "s8 dot", "bf16 dot", "copy L2", "read DRAM", "device memory"; empty when no ceiling was measured.
  std::string by;
  double value = 0;  ///< that ceiling, in flop/s or bytes/s
  bool flops = false;
};

/// What a problem asks of a machine. `writes` is the part of the bytes that is written.
struct Work {
  double flops = 0;
  double bytes = 0;
  double written_bytes = 0;
  bool rate_is_flops = false;
  double dense_flops = 0;         ///< the work of the dense product, where an operand is compressed; 0: none is
  DType arithmetic = DType::f32;  ///< what is multiplied: f32, s8 (u8 too) or bf16
};

struct NoiseFacts {
  double load_average = 0;  ///< of the last minute; NaN when unknown
  int online_cpus = 0;
  int usable_cpus = 0;      ///< by the affinity mask
  std::string governor;     ///< cpufreq governor of CPU 0, or "n/a: ..."
  std::string turbo;        ///< "on", "off" or "n/a: ..."
  std::string smt;          ///< "on", "off" or "n/a: ..."
  std::string cpu_quota;    ///< of the control group: "none", "1.5 CPUs" or "n/a: ..."
  std::string virtualised;  ///< "yes", "no" or "n/a: ..."
  std::string huge_pages;   ///< under the memory of programs: "always", "madvise" (on request), "never" or "n/a: ..."
};

/// Counters that only grow; the difference of two readings says what happened in between.
struct NoiseCounters {
  double stolen_seconds = 0;        ///< taken by the hypervisor, all CPUs; NaN when unknown
  double involuntary_switches = 0;  ///< of this process
};

/// The state of one GPU at a moment, by NVML. NaN and "n/a: ...": it does not tell.
struct GpuState {
  double sm_mhz = kAbsent, sm_max_mhz = kAbsent;
  double memory_mhz = kAbsent, memory_max_mhz = kAbsent;
  double temperature_celsius = kAbsent;
  double power_watts = kAbsent;
  double other_processes = kAbsent;  ///< that compute there, by process number; in a container this one may be counted
  std::string slowed;                ///< "no", or what holds the clocks down: "power cap, temperature (software)"
  std::string persistence;           ///< "on" or "off"
  std::string reason;                ///< "n/a: ..." where nothing can be read; else empty
};

/// What the clock can resolve.
struct TimerFacts {
  double tick_seconds = 0;  ///< smallest step seen
  double read_seconds = 0;  ///< cost of one reading, median
  double call_seconds = 0;  ///< what the measuring loop adds to each call: that of a call that does nothing
};

/// When, where and under which conditions a program measured: the head of every report.
struct RunFacts {
  std::string date;     ///< UTC, ISO 8601
  std::string library;  ///< version
  Machine machine;
  Roof roof;
  TimerFacts timer;
  NoiseFacts noise;
  NoiseCounters during;
  std::vector<GpuState> gpus_before, gpus_after;  ///< the run, one for each of machine.gpus
  std::uint64_t seed = 0;
  double min_seconds = 0;
  bool interrupted = false;
  double seconds = 0;  ///< of the whole run
  double started = 0;  ///< what now() said at its begin
};

/// Data that stands for a random operand.
struct Given {
  std::size_t operand = 0;  ///< its position
  std::shared_ptr<const Tensor> data;
  std::string source;  ///< "digits_images.npy"
};

/// Something to measure: an operation and its problem as docs/architecture.md writes them.
struct Problem {
  std::string op;            ///< "matmul"
  std::string text;          ///< "f32:1024x1024x1024"
  std::string label;         ///< what it stands for: "digits layer 1"; may be empty
  std::vector<Given> given;  ///< operands that are not random
};

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
  /// Where it was asked for: one call at a time, what it reads and writes driven out of the caches before each. CUDA
  /// kernels: on the device, from event to event.
  Timing cold;

  Work work;
  double rate = kAbsent;              ///< work / time.median, in 1e9 rate_unit a second
  std::string rate_unit;              ///< "GFLOP/s", "Gop/s" for products of integers, or "GB/s"
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

  Effect vs_reference;     ///< against that kernel, by `time`; none for itself
  Effect vs_best;          ///< against the fastest kernel, by `time`; none for itself
  double drift = kAbsent;  ///< Spearman's correlation of the samples of `time` with their order

  bool dense = false;                    ///< a kernel that does the work of the dense product
  double theoretical_speedup = kAbsent;  ///< work.dense_flops / work.flops: what compression promises
  double speedup_vs_dense = kAbsent;     ///< time.median of the fastest dense row on this backend / time.median

  bool chosen = false;                 ///< dispatch picks this kernel for operands in host memory
  double predicted_seconds = kAbsent;  ///< by the selection's model, for `time`
  double predicted_end_to_end_seconds = kAbsent;
  /// kAuto: time.median of the chosen kernel (from and to host memory) over the least one measured, minus 1.
  double regret = kAbsent;

  std::string reproduce;  ///< a command that measures this row again; empty when there is none

  bool timed() const { return status == Status::ok && time.measured(); }
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
  double threshold = 0.02;                       ///< of a verdict: smaller differences do not matter
  bool cold = false;                             ///< fill Row::cold in too
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

/// Throws Error(invalid_argument) for an unknown operation, a problem that cannot be parsed or has nothing to compute,
/// or a type that the operation does not take; Error(out_of_memory) for one that is too large for this machine.
void check_problem(const Problem& problem);

}  // namespace tandem::profile

namespace tandem {

/// Every ceiling measured again, at leisure, and what the first context of a process leaves unmeasured because it takes
/// seconds: the curves of copies. The context's own ceilings stay as they are. Throws Error(unavailable) for a context
/// that pretends to be another machine, Error as calls do when the GPU fails.
Ceilings measure_ceilings(Context& ctx);

/// Runs each problem on every kernel that the options want: on operands in host memory and, for CUDA kernels, in device
/// memory too. Every result is held against a computation in double; kernels that are right are timed in shuffled
/// rounds. One row a kernel and one for what dispatch chooses, in the order of the problems. A kernel that is wrong,
/// fails or cannot run is a row that says so. Takes about `min_seconds` a row, and half a second for the ceilings of
/// the machine. Throws Error as check_problem does, before anything is measured.
profile::Comparison benchmark_operation(Context& ctx, std::span<const profile::Problem> problems,
                                        const profile::CompareOptions& options = {});

}  // namespace tandem
