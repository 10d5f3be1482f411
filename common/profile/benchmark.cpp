// From problems to rows: parse, make operands, judge, time.
#include <tandem/profile.h>

#include <fmt/format.h>

#include "common/ops/problem.h"
#include "common/profile/judge.h"
#include "common/profile/run_facts.h"
#include "common/profile/run_problem.h"

namespace tandem {
namespace profile {
namespace {

/// The kernel that dispatch chooses where it is wanted, else the first wanted one that can run; null: there is none.
template <class Op>
const Entry<Op>* one_kernel(const Situation<Op>& situation, const Context::Impl& ctx, const CompareOptions& options) {
  const Entry<Op>* first = nullptr;
  for (const Entry<Op>& entry : table<Op>())
    if (!first && options.wants(entry.name) && refusal(entry, situation, ctx.policy, ctx.machine).empty())
      first = &entry;
  if (!first) return nullptr;
  const Entry<Op>* chosen = select<Op>(situation, ctx.policy, ctx.machine, nullptr, ctx.tuning.get()).entry;
  return options.wants(chosen->name) ? chosen : first;
}

template <class Op>
std::vector<Row> twice(Context& context, const Case<Op>& problem, const Roof& roof, CompareOptions options) {
  const Situation<Op> situation = make_situation<Op>(context.impl(), problem.attributes, problem.operands.views());
  const Entry<Op>* kernel = one_kernel<Op>(situation, context.impl(), options);
  if (!kernel)
    throw Error(Code::unsupported, fmt::format("{} '{}': no kernel that is wanted can run", problem.op, problem.text));
  std::vector<Entry<Op>> entries = {*kernel, *kernel};
  entries[1].name += " again";
  options.wanted = [](std::string_view name) { return name != kAuto; };
  std::vector<Row> rows =
      compare_kernels<Op>(context, problem, entries, judge_of(problem, options.seed), roof, options);
  for (Row& row : rows) row.vs_best = {};
  rows[0].vs_reference = {};
  rows[1].vs_reference = effect_of(rows[0].time.samples, rows[1].time.samples, true);
  Effect* one[] = {&rows[1].vs_reference};
  judge(one, {.threshold = options.threshold, .seed = options.seed});
  rows[1].ran = rows[0].ran;
  return rows;
}

}  // namespace

std::vector<Row> run_problem(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options,
                             const MoreRows& more) {
  std::vector<Row> rows;
  with_problem(problem.op, problem.text, [&]<class Op>(const Request<Op>& request) {
    Case<Op> made = make_case(problem.op, problem.text, request, problem.given, options.seed);
    made.label = problem.label;
    if (options.observe) options.observe({"the oracle", kAbsent, 0});
    const Judge judge = judge_of(made, options.seed);
    std::vector<Entry<Op>> entries(table<Op>().begin(), table<Op>().end());
    const std::vector<Entry<Op>>& besides = more.of<Op>();
    entries.insert(entries.end(), besides.begin(), besides.end());
    rows = compare_kernels<Op>(ctx, made, entries, judge, roof, options);
  });
  return rows;
}

std::vector<Row> run_selftest(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options) {
  std::vector<Row> rows;
  with_problem(problem.op, problem.text, [&]<class Op>(const Request<Op>& request) {
    Case<Op> made = make_case(problem.op, problem.text, request, problem.given, options.seed);
    made.label = problem.label;
    rows = twice<Op>(ctx, made, roof, options);
  });
  return rows;
}

void check_problem(const Problem& problem) {
  with_problem(problem.op, problem.text,
               [&]<class Op>(const Request<Op>& request) { check_request<Op>(problem.op, problem.text, request); });
}

}  // namespace profile

profile::Comparison benchmark_operation(Context& ctx, std::span<const profile::Problem> problems,
                                        const profile::CompareOptions& options) {
  for (const profile::Problem& problem : problems) check_problem(problem);
  profile::Comparison comparison{profile::begin_run(ctx.machine(), options.seed, options.min_seconds), {}, {}};
  for (const profile::Problem& problem : problems) {
    if (options.cancelled()) break;
    std::vector<profile::Row> rows = run_problem(ctx, problem, comparison.roof, options);
    std::move(rows.begin(), rows.end(), std::back_inserter(comparison.rows));
  }
  comparison.interrupted = options.cancelled();
  finish_run(comparison);
  return comparison;
}

}  // namespace tandem
