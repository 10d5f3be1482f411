// From problems to rows: parse, make operands, judge, time.
#include <tandem/profile.h>

#include "common/ops/problem.h"
#include "common/profile/compare.h"
#include "common/profile/run_facts.h"
#include "common/profile/run_problem.h"
#include "common/verify/check.h"

namespace tandem {
namespace profile {
namespace {

template <class Op>
Judge judge_of(const Case<Op>& problem, std::uint64_t seed) {
  const auto checker = std::make_shared<verify::Checker<Op>>(problem.attributes, problem.operands.pristine(), seed);
  return {[checker](std::span<const View> results) -> Judgement {
            const verify::Check check = (*checker)(results);
            return {check.worst_ratio, check.max_abs_error, check.compared, check.saturated, check.complaint};
          },
          checker->method()};
}

}  // namespace

std::vector<Row> run_problem(Context& ctx, const Problem& problem, const Roof& roof, const CompareOptions& options) {
  std::vector<Row> rows;
  with_problem(problem.op, problem.text, [&]<class Op>(const Request<Op>& request) {
    Case<Op> made = make_case(problem.op, problem.text, request, problem.given, options.seed);
    made.label = problem.label;
    if (options.observe) options.observe({"the oracle", kAbsent, 0});
    const Judge judge = judge_of(made, options.seed);
    rows = compare_kernels<Op>(ctx, made, table<Op>(), judge, roof, options);
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
