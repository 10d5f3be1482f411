#include "bench/compare/run.h"

#include <fnmatch.h>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/profile/compare.h"
#include "tests/support/check.h"

namespace tandem::compare {
namespace {

template <class Op>
profile::Judge judge_of(const profile::Case<Op>& problem, std::uint64_t seed) {
  const auto checker = std::make_shared<test::Checker<Op>>(problem.attributes, problem.operands.pristine(), seed);
  return {[checker](std::span<const View> results) -> profile::Verdict {
            const test::Check check = (*checker)(results);
            return {check.worst_ratio, check.max_abs_error, check.compared, check.saturated, check.complaint};
          },
          checker->method()};
}

/// Calls visit(request) for the operation that the job names.
template <class Visit>
void with_request(const Job& job, Visit visit) {
  bool known = false;
  for_each_op([&]<class Op>() {
    if (known) return;
    const std::optional<Request<Op>> request = Op::parse(job.op, job.problem);
    if (!request) return;
    known = true;
    visit(*request);
  });
  if (known) return;
  std::vector<std::string> names;
  for_each_op([&]<class Op>() {
    for (const std::string& name : Op::op_names()) names.push_back(name);
  });
  throw UsageError(fmt::format("there is no operation '{}'; known are {}", job.op, fmt::join(names, ", ")));
}

}  // namespace

std::vector<profile::Row> run_job(Context& ctx, const Job& job, const profile::Roof& roof,
                                  const profile::CompareOptions& options) {
  std::vector<profile::Row> rows;
  with_request(job, [&]<class Op>(const Request<Op>& request) {
    profile::Case<Op> problem = profile::make_case(job.op, job.problem, request, job.given, options.seed);
    problem.label = job.label;
    if (options.observe) options.observe({"the oracle", profile::kAbsent, 0});
    const profile::Judge judge = judge_of(problem, options.seed);
    rows = profile::compare_kernels<Op>(ctx, problem, table<Op>(), judge, roof, options);
  });
  return rows;
}

void check_job(const Job& job) {
  with_request(job,
               [&]<class Op>(const Request<Op>& request) { profile::check_request<Op>(job.op, job.problem, request); });
}

std::string list_everything(Context& ctx) {
  std::string text = "Operations and their problems:\n";
  for_each_op([&]<class Op>() { text += fmt::format("  {} {}\n", fmt::join(Op::op_names(), ", "), Op::kForm); });
  text += "\nKernels (backend.operation.type.variant), best first:\n";
  const std::vector<KernelInfo> all = kernels(ctx);
  std::size_t width = 0;
  for (const KernelInfo& info : all) width = std::max(width, info.name.size());
  for (const KernelInfo& info : all)
    text += fmt::format("  {:<{}}  {:<9}  {}{}\n", info.name, width, info.op, info.runnable ? "runs here" : info.reason,
                        info.reference ? ", reference" : "");
  return text;
}

bool any_kernel_matches(const std::string& glob) {
  bool any = fnmatch(glob.c_str(), profile::kAuto, 0) == 0;
  for_each_op([&]<class Op>() {
    for (const Entry<Op>& entry : table<Op>()) any = any || fnmatch(glob.c_str(), entry.name.c_str(), 0) == 0;
  });
  return any;
}

}  // namespace tandem::compare
