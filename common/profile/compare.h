// Comparing kernels on one problem: every kernel's result is judged first; those that are right are timed side by side.
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

/// The usual range of random inputs: wide enough for functions to pass through all their branches.
template <class Op>
constexpr Fill fill_of() {
  return std::is_same_v<Op, Unary> || std::is_same_v<Op, Softmax> ? Fill{-6, 6} : Fill{-1, 1};
}

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
                   std::uint64_t seed) {
  check_request<Op>(op, text, request);
  Operands operands(op, request.operands, given, fill_of<Op>(), seed, Op::reads_result(request.attributes),
                    result_count<Op>());
  if constexpr (requires { Op::fill_structure(operands.views(), seed); }) Op::fill_structure(operands.views(), seed);
  return {std::move(op), std::move(text), {}, request.attributes, std::move(operands)};
}

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

template <class Op>
Way whole_call(Context& context, const Case<Op>& problem, std::function<void()> call) {
  return {[&problem] { problem.operands.reset_results(); }, std::move(call), [&context] { context.synchronize(); },
          [] {}};
}

template <class Op>
Row row_of(const Case<Op>& problem, const Context& ctx, const typename Op::Problem& described) {
  Row row;
  row.op = problem.op;
  row.problem = problem.text;
  row.label = problem.label;
  row.operands = problem.operands.description();
  row.threads = ctx.threads();
  double written = 0;
  for (const View& result : problem.operands.results())
    written += static_cast<double>(result.elements()) * static_cast<double>(size_of(result.dtype()));
  row.work = {Op::flops(described), Op::bytes(described), written, Op::kRateIsFlops};
  if constexpr (requires { Op::arithmetic(described); }) row.work.arithmetic = Op::arithmetic(described);
  if constexpr (requires { Op::dense_flops(described); }) row.work.dense_flops = Op::dense_flops(described);
  const DType dtype = problem.operands.result().dtype();
  row.can_saturate = dtype == DType::s8 || dtype == DType::u8;
  return row;
}

}  // namespace detail

/// Compares `entries` (usually table<Op>(); a test may add its own) and what dispatch chooses. One row an entry, in
/// their order, those that cannot run with the reason, then kAuto. Entries and problem must outlive the call; the
/// problem's result is overwritten. Nothing is thrown for a kernel that fails: its row says so.
template <class Op>
std::vector<Row> compare_kernels(Context& context, const Case<Op>& problem, std::span<const Entry<Op>> entries,
                                 const Judge& judge, const Roof& roof, const CompareOptions& options) {
  Context::Impl& ctx = context.impl();
  const std::span<const View> operands = problem.operands.views();
  const Situation<Op> situation = make_situation<Op>(ctx, problem.attributes, operands);
  const Row common = detail::row_of(problem, context, situation.on(Backend::cpu));
  std::vector<detail::Candidate> candidates;
  std::shared_ptr<DeviceOperands> device;

  std::string chosen, why_none;
  Prediction chosen_prediction;
  try {
    const Selection<Op> selection = select<Op>(situation, ctx.policy, ctx.machine, nullptr, ctx.tuning.get());
    chosen = selection.entry->name;
    chosen_prediction = selection.prediction;
  } catch (const Error& error) {
    why_none = error.what();
  }

  for (const Entry<Op>& entry : entries) {
    if (!options.wants(entry.name)) continue;
    detail::Candidate candidate{common, {}, {}};
    Row& row = candidate.row;
    row.kernel = row.ran = entry.name;
    row.backend = name(entry.backend);
    row.reference = entry.kernel && entry.kernel->traits.reference;
    row.dense = entry.kernel && entry.kernel->traits.dense;
    row.chosen = entry.name == chosen;
    row.ceiling =
        entry.backend == Backend::cpu ? host_bound(row.work, roof) : device_bound(row.work, ctx.machine.ceilings);
    row.reason = refusal(entry, situation, ctx.policy, ctx.machine).text;
    try {
      if (row.reason.empty()) {
        const Prediction p = predict(entry, situation, ctx.machine, ctx.tuning.get());
        row.predicted_seconds = p.launch + p.kernel;
        row.predicted_end_to_end_seconds = p.total();
        if (entry.backend == Backend::cpu) {
          candidate.time = detail::host_way(ctx, entry, problem);
        } else {
          candidate.time = detail::device_way(context, entry, problem, device);
          candidate.end_to_end = detail::whole_call(context, problem, [&ctx, &entry, &problem, operands] {
            run_selected<Op>(ctx, {&entry, {}}, problem.attributes, operands);
          });
        }
      }
    } catch (const Error& error) {
      row.reason = error.what();
    }
    candidates.push_back(std::move(candidate));
  }
  if (options.wants(kAuto)) {
    detail::Candidate candidate{common, {}, {}};
    Row& row = candidate.row;
    row.kernel = kAuto;
    row.ran = chosen;
    row.reason = why_none;
    if (!chosen.empty()) {
      const Entry<Op>* entry = find_kernel<Op>(chosen);
      row.backend = name(entry->backend);
      row.ceiling =
          entry->backend == Backend::cpu ? host_bound(row.work, roof) : device_bound(row.work, ctx.machine.ceilings);
      row.predicted_seconds = row.predicted_end_to_end_seconds = chosen_prediction.total();
      candidate.time = detail::whole_call(
          context, problem, [&context, &problem, operands] { execute<Op>(context, problem.attributes, operands); });
    }
    candidates.push_back(std::move(candidate));
  }
  std::vector<Row> rows =
      detail::run_candidates(context, std::move(candidates), judge, problem.operands.results(), options);
  derive_figures(rows);
  derive_effects(rows, {.threshold = options.threshold, .seed = options.seed});
  return rows;
}

}  // namespace tandem::profile
