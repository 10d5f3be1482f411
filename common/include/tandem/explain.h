// From which size on a GPU is worth it, and a choice held against what it would have cost otherwise. explain() itself
// is in tandem/context.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/context.h>
#include <tandem/profile.h>

namespace tandem {

/// Where the operands of repeated calls are, for a comparison of the two sides. The CPU always has them in host memory.
enum class Placement : std::uint8_t {
  resident,         ///< in the memory of the GPU: nothing is moved, and nothing is waited for
  upload_once,      ///< on the host: inputs go up before the first call, the result comes down after the last
  always_transfer,  ///< on the host: each call moves its inputs up and its result down
};

/// "resident", "upload once" or "always transfer".
std::string_view name(Placement placement) noexcept;

/// The smallest size, or reuse, from which on the GPU is faster. `from` compares the times as they are; `possibly` and
/// `surely` shift them by their errors (Candidate::error, or the 95 % intervals of measured medians) in favour of the
/// GPU and of the CPU: the interval that the break-even is in. NaN where there is none, or where an error is not known.
struct Threshold {
  double from = profile::kAbsent;
  double possibly = profile::kAbsent;
  double surely = profile::kAbsent;
};

/// A break-even size.
struct Crossing {
  Placement placement = Placement::resident;
  int calls = 1;     ///< on the same operands
  Threshold scale;   ///< the largest of the problem's sizes there over what it is in the problem
  std::string from;  ///< the problem text of scale.from: "f32:736x736x736"; empty where there is none
  std::string possibly;
  std::string surely;
  std::string reason;  ///< why `from` is empty
};

/// Seconds of one call on both sides at one size; NaN where a side cannot run.
struct SidesAt {
  std::string problem;    ///< "f32:736x736x736"
  std::string cpu, cuda;  ///< the kernels
  double cpu_seconds = profile::kAbsent;
  double cuda_seconds = profile::kAbsent;        ///< on operands in device memory
  double cuda_moved_seconds = profile::kAbsent;  ///< from and to host memory
  double cpu_error = profile::kAbsent;           ///< as Candidate::error
  double cuda_error = profile::kAbsent;
};

struct BreakEven {
  std::string op;                   ///< "matmul"
  std::string problem;              ///< as it was asked for: "f32:512x512x512"
  bool measured = false;            ///< both sides were run; else all times are predicted
  bool interrupted = false;         ///< what had been measured by then is all there is
  std::string reason;               ///< why there is nothing below: "n/a: ..."; else empty
  std::string smallest, largest;    ///< what was looked at lies between these problems
  std::vector<Crossing> crossings;  ///< resident, upload_once, always_transfer, each for 1, 10 and 100 calls
  /// CallOptions::expected_reuse from which on the GPU is faster at the problem's own size, predicted, with the
  /// operands where the question has them.
  Threshold reuse;
  std::string reuse_reason;    ///< why reuse.from is NaN
  std::vector<SidesAt> sizes;  ///< every size that was looked at, smallest first
};

struct BreakEvenOptions {
  bool measure = false;  ///< run both sides, which needs a GPU; the kernels are those predicted to be best
  std::int64_t max_bytes =
      0;  ///< of all operands of the largest size; 0: the memory of the GPU, or 256 MiB if measured
  profile::CompareOptions how;  ///< of measuring: seconds a size and side, seed, cancel, observe
};

/// Finds, by bisection, from which size on the GPU is faster. `problem` as for explain(); places in it count for
/// `reuse` alone. All sizes of the problem text (before any ',', '*' or '@') grow and shrink together; a size of 1
/// stays, and each stays a multiple of the power of two, up to 32, that it is a multiple of. Sizes double until the
/// GPU is faster, then the last two are bisected: exactly when predicted, to 10 % when measured. Without a GPU `reason`
/// says so. Throws Error(invalid_argument) as explain() does; and, when measuring, as check_problem().
BreakEven break_even(Context& ctx, const std::string& problem, const BreakEvenOptions& options = {});

/// Lines for people.
std::string to_string(const BreakEven& break_even);

/// A candidate of a decision that was run: what was predicted against what it took.
struct Trial {
  Candidate predicted;  ///< the stages of a call on host memory
  profile::Row row;     ///< how it was measured, and whether the result is right
  /// A whole call from and to host memory: row.end_to_end for CUDA kernels, else row.time. NaN when it was not timed.
  double seconds = profile::kAbsent;
  double kernel_seconds = profile::kAbsent;  ///< row.time: on a GPU with its launch, on operands in device memory
  double moving_seconds =
      profile::kAbsent;              ///< seconds - kernel_seconds: copies, wait and allocation; CUDA kernels only
  double off_by = profile::kAbsent;  ///< seconds / predicted.seconds - 1
};

/// A choice held against what other kernels would have cost.
struct Analysis : profile::RunFacts {
  Decision decision;
  std::vector<Trial> trials;         ///< the chosen kernel first, then by predicted time
  std::string fastest;               ///< the kernel of the trial that took least time
  double regret = profile::kAbsent;  ///< seconds of the chosen kernel over those of the fastest, minus 1

  bool any_wrong() const;
};

struct AnalyzeOptions {
  int top = 3;  ///< how many candidates are run; the best of the other side is run besides
  profile::CompareOptions how;
};

/// explain(), then runs the candidates predicted to be best, one after the other checked and side by side timed as
/// benchmark_operation() does. The operands are on the host and every call moves what it lacks, so that `problem` may
/// name no other place and no reuse. Throws Error(invalid_argument) for that, for top < 1, and as explain() and
/// check_problem() do; Error(unavailable) for a context that pretends to be another machine, and for a place on a GPU
/// that the context does not have.
Analysis explain_analyze(Context& ctx, const std::string& problem, const AnalyzeOptions& options = {});

/// What was decided, then predicted against measured times of each candidate that was run.
std::string to_string(const Analysis& analysis);

/// Everything that was found about one problem, for to_json.
struct Explanation {
  std::string question;  ///< "matmul f32:512x512x512 b:cuda:0"
  Machine machine;       ///< whose choice it is
  Decision decision;
  const BreakEven* break_even = nullptr;  ///< null: not asked for
  const Analysis* analysis = nullptr;
};

/// Schema "tandem-explain/1": docs/profiling.md describes it. Absent numbers are null.
std::string to_json(const Explanation& explanation);

/// The machine in such a JSON, for ContextOptions::machine: to ask here what would be chosen there. The text is not
/// trusted: throws Error(io_error), one sentence that begins with `source`.
Machine machine_from_json(std::string_view json, const std::string& source);

}  // namespace tandem
