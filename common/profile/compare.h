// Comparing kernels on one problem: every kernel's result is judged first; those that are right are timed side by side.
// make_case() and compare_kernels() are instantiated for every operation in cases.cpp, since they take long to compile.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/dispatch/execute.h"
#include "common/profile/comparison.h"
#include "common/profile/measure.h"
#include "common/profile/operands.h"
#include "common/profile/roof.h"
#include "common/profile/timer.h"
#include "common/profile/timing.h"
#include "common/profile/verdict.h"

namespace tandem::profile {

/// A judge's answer about one result.
struct Judgement {
  double bound_ratio = 0;  ///< largest |error| / bound; above 1: wrong
  double max_abs_error = 0;
  std::int64_t compared = 0;
  std::int64_t saturated = 0;  ///< of the compared numbers: integers that had to be clamped
  std::string complaint;       ///< empty: right
};

/// Knows what the results must be. Called with the host results of each kernel, the main one last.
struct Judge {
  std::function<Judgement(std::span<const View> results)> check;
  std::string method;  ///< "every element"
};

/// One problem of an operation, with its operands in memory.
template <class Op>
struct Case {
  std::string op, text, label;
  typename Op::Attributes attributes;
  Operands operands;
};

/// Operations whose grammar names types that they do not take.
template <class Op>
inline constexpr bool kOnlyF32 = std::is_same_v<Op, Unary> || std::is_same_v<Op, Binary> ||
                                 std::is_same_v<Op, Softmax> || std::is_same_v<Op, Reduce>;

/// Throws Error(invalid_argument) for a request with nothing to compute, or of a type that the operation does not take;
/// Error(out_of_memory) for one that is too large for this machine.
template <class Op>
void check_request(const std::string& op, const std::string& text, const Request<Op>& request) {
  const auto fail = [&](const OperandSpec& spec, const std::string& why) {
    return Error(Code::invalid_argument, op + " '" + text + "': operand " + spec.name + " " + why);
  };
  for (const OperandSpec& spec : request.operands) {
    if (element_count(spec.shape) == 0) throw fail(spec, "has no element, so there is nothing to compare");
    if (kOnlyF32<Op> && spec.dtype != DType::f32)
      throw fail(spec, "is " + std::string(name(spec.dtype)) + ", only f32 is supported");
  }
  require_memory(op, request.operands);
}

/// Makes the operands of a parsed request. Throws Error as check_request and Operands do.
template <class Op>
Case<Op> make_case(std::string op, std::string text, const Request<Op>& request, std::span<const Given> given,
                   std::uint64_t seed);

namespace detail {

/// A way to run one row: on the host, on the device, or a whole call.
struct Way {
  std::function<void()> before_check;  // puts poison where the result will be
  std::function<void()> call;          // enqueues or runs
  std::function<void()> wait;
  std::function<void()> after_check;  // brings the result to the host
};

/// What a row needs while it is measured.
struct Candidate {
  Row row;
  Way time, end_to_end;  // end_to_end.call is empty when there is none
};

/// Runs, judges and times the candidates that are not refused; fills their rows in. The context's caches are emptied
/// where the options want cold figures.
std::vector<Row> run_candidates(Context& context, std::vector<Candidate> candidates, const Judge& judge,
                                std::span<const View> results, const CompareOptions& options);

template <class Op>
Way host_way(Context::Impl& ctx, const Entry<Op>& entry, const Case<Op>& problem) {
  const std::span<const View> operands = problem.operands.views();
  const typename Op::Args args = Op::bind(problem.attributes, operands);
  const std::size_t bytes = entry.kernel->workspace(Op::describe(problem.attributes, operands), ctx.machine);
  return {[&problem] { problem.operands.reset_results(); },
          [&ctx, &entry, args, bytes] {
            const Workspace workspace = ctx.workspace(Backend::cpu, bytes, Op::kName);
            ctx.check(entry.kernel->run(args, ctx.queue(Backend::cpu), workspace), Op::kName, entry.name);
          },
          [] {}, [] {}};
}

template <class Op>
Way device_way(Context& context, const Entry<Op>& entry, const Case<Op>& problem,
               std::shared_ptr<DeviceOperands>& device) {
  if (!device) device = std::make_shared<DeviceOperands>(context, problem.operands);
  Context::Impl& ctx = context.impl();
  const typename Op::Args args = Op::bind(problem.attributes, device->views());
  const std::size_t bytes = entry.kernel->workspace(Op::describe(problem.attributes, device->views()), ctx.machine);
  return {[&problem, device] {
            problem.operands.reset_results();
            device->upload_results();
          },
          [&ctx, &entry, args, bytes] {
            const Workspace workspace = ctx.workspace(Backend::cuda, bytes, Op::kName);
            ctx.check(entry.kernel->run(args, ctx.queue(Backend::cuda), workspace), Op::kName, entry.name);
          },
          [&context] { context.synchronize(); }, [device] { device->download_results(); }};
}

}  // namespace detail

/// Compares `entries` (usually table<Op>(); a test may add its own) and what dispatch chooses. One row an entry, in
/// their order, those that cannot run with the reason, then kAuto. Entries and problem must outlive the call; the
/// problem's result is overwritten. Nothing is thrown for a kernel that fails: its row says so.
template <class Op>
std::vector<Row> compare_kernels(Context& context, const Case<Op>& problem, std::span<const Entry<Op>> entries,
                                 const Judge& judge, const Roof& roof, const CompareOptions& options);

}  // namespace tandem::profile
