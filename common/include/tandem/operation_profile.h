// One kernel on one problem, in depth: whether it is right, where the time of a call goes, how fast the kernel is with
// warm and with cold caches, and what bounds it. Plain structs; text, JSON and traces are functions over them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tandem/profile.h>
#include <tandem/report.h>
#include <tandem/trace.h>

namespace tandem::profile {

/// Where a number comes from.
enum class Source : std::uint8_t {
  measured,
  derived,   ///< from measured ones and the problem, by the formula in `how`
  modelled,  ///< what the selection predicts
  absent,    ///< the reason is in `how`
};
std::string_view name(Source source);

struct Figure {
  double value = kAbsent;
  std::string unit;  ///< "s", "flop" or "op", "byte", "flop/byte", "GFLOP/s" or "Gop/s", "GB/s", "Hz", "count", "1"
  Source source = Source::absent;
  std::string how;  ///< how it was measured, the formula, or why it is not there
};

struct NamedFigure {
  std::string name;  ///< "intensity"
  Figure figure;
};

/// A part of a call. Each moment of the call counts for one part, so that the parts add up to the wall time; what
/// happens on a GPU goes before what the host does meanwhile.
struct StageTime {
  std::string name;             ///< "select", "host to device", "other"
  Figure seconds;               ///< absent below ten steps of the clock: counted in "other" then
  Figure on_device;             ///< from event to event, whatever the host does meanwhile; absent for the host's parts
  std::vector<double> samples;  ///< seconds of one call, in the order taken; also where `seconds` is absent
};

struct ProfileOptions {
  std::string kernel;        ///< empty: what dispatch chooses
  bool resident = false;     ///< calls on operands in device memory instead of host memory; CUDA kernels only
  bool cold = true;          ///< also the kernel with cold caches
  double min_seconds = 0.2;  ///< spent on each of: the kernel alone, whole calls, cold caches
  std::uint64_t seed = 1;    ///< of the data
  std::vector<Given> given;  ///< operands that are not random
  const std::atomic<bool>* cancel = nullptr;  ///< stop, and keep what there is
  std::function<void(const Progress&)> observe;
};

struct Profile : RunFacts {
  Row row;          ///< what was checked, and `time`: the kernel alone, on operands in place, with warm caches
  std::string why;  ///< this kernel: "least predicted time", "named"
  bool resident = false;

  Timing call;              ///< whole calls as a program makes them, until their result is there
  Timing traced;            ///< the same while their stages are recorded: what the stages add up to
  Timing cold;              ///< the kernel alone, each call after the caches were filled with other data
  std::string cold_reason;  ///< why `cold` is empty

  Figure wall;                    ///< mean of the traced calls between the quartiles, as all stages
  std::vector<StageTime> stages;  ///< in the order of a call, "other" last
  Figure accounted;               ///< the stages with a name over the wall time

  std::vector<NamedFigure> work;      ///< what the problem asks, what was reached, and what bounds it
  std::string bound_by;               ///< "arithmetic (FMA)", "memory (read L2)", or why it is not known
  std::vector<NamedFigure> clocks;    ///< before and after
  std::vector<NamedFigure> counters;  ///< of the hardware, a call of the kernel
  std::vector<NamedFigure> overhead;  ///< of measuring itself

  std::vector<trace::Span> spans;  ///< of the last traced call, for trace::to_chrome_trace
};

/// A table of stages with bars, then all other figures with their sources.
std::string to_text(const Profile& profile, const Style& style);
/// Schema "tandem-profile/1": docs/profiling.md describes it.
std::string to_json(const Profile& profile);

}  // namespace tandem::profile

namespace tandem {

/// Profiles one kernel on one problem. Its result is held against a computation in double first: a wrong kernel has no
/// times (row.status says so); nor has one that cannot run here. Takes some three times min_seconds, and half a second
/// for the ceilings of the machine. Throws Error as check_problem does, for a kernel that the operation does not have,
/// and for `resident` without a GPU. Replaces the context's recorder while it runs.
profile::Profile profile_operation(Context& ctx, const profile::Problem& problem,
                                   const profile::ProfileOptions& options = {});

}  // namespace tandem
