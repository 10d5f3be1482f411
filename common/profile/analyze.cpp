// A choice held against measurements.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <tandem/explain.h>

#include "common/core/context_impl.h"
#include "common/dispatch/crossing.h"
#include "common/profile/comparison.h"
#include "common/profile/format.h"
#include "common/profile/run_facts.h"
#include "common/profile/run_problem.h"

namespace tandem {
namespace {

void check(const Question& question, const Decision& decision, const AnalyzeOptions& options) {
  if (options.top < 1)
    throw Error(Code::invalid_argument, fmt::format("{} candidates are to be run; write 1 or more", options.top));
  for (const Place& operand : decision.operands)
    if (!operand.device.is_cpu())
      throw Error(Code::invalid_argument, fmt::format("calls on host memory are measured, so {} cannot be on {}",
                                                      operand.name, to_string(operand.device)));
  if (question.reuse != 1)
    throw Error(
        Code::invalid_argument,
        fmt::format("every measured call moves what it lacks, so reuse={} cannot be held against it", question.reuse));
}

/// The first `top` candidates, and the first of a side that none of them is on.
std::vector<Candidate> to_run(const Decision& decision, int top) {
  std::vector<Candidate> chosen;
  for (const Candidate& c : decision.candidates)
    if (c.accepted && chosen.size() < static_cast<std::size_t>(top)) chosen.push_back(c);
  for (const Backend side : {Backend::cpu, Backend::cuda}) {
    const Candidate* best = best_on(decision, side);
    const auto same = [&](const Candidate& c) { return best && c.kernel == best->kernel; };
    if (best && std::none_of(chosen.begin(), chosen.end(), same)) chosen.push_back(*best);
  }
  return chosen;
}

Trial trial_of(const Candidate& predicted, profile::Row row) {
  Trial trial;
  trial.predicted = predicted;
  if (row.status == profile::Status::ok && row.time.measured()) {
    trial.kernel_seconds = row.time.summary.median;
    trial.seconds = profile::host_to_host(row);
    if (row.backend != name(Backend::cpu)) trial.moving_seconds = trial.seconds - trial.kernel_seconds;
    trial.off_by = trial.seconds / predicted.seconds - 1;
  }
  trial.row = std::move(row);
  return trial;
}

void compare_trials(Analysis& analysis) {
  double best = profile::kAbsent, chosen = profile::kAbsent;
  for (const Trial& trial : analysis.trials) {
    if (trial.predicted.kernel == analysis.decision.kernel) chosen = trial.seconds;
    if (std::isnan(trial.seconds) || best <= trial.seconds) continue;
    best = trial.seconds;
    analysis.fastest = trial.predicted.kernel;
  }
  analysis.regret = chosen / best - 1;
}

}  // namespace

bool Analysis::any_wrong() const {
  return std::any_of(trials.begin(), trials.end(),
                     [](const Trial& trial) { return trial.row.status == profile::Status::wrong; });
}

Analysis explain_analyze(Context& ctx, const std::string& problem, const AnalyzeOptions& options) {
  return answering("explain_analyze", problem, [&] {
    const Question question = parse_question(problem);
    Analysis analysis;
    analysis.decision = explain_question(ctx, question);
    check(question, analysis.decision, options);
    if (ctx.impl().pretended)
      throw Error(Code::unavailable, "this context pretends to be another machine: it can explain, not analyze");
    const profile::Problem asked{question.op, question.text, {}, {}};
    profile::check_problem(asked);
    static_cast<profile::RunFacts&>(analysis) =
        profile::begin_run(ctx.machine(), options.how.seed, options.how.min_seconds);
    const std::vector<Candidate> candidates = to_run(analysis.decision, options.top);
    profile::CompareOptions how = options.how;
    how.wanted = [&](std::string_view kernel) {
      return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.kernel == kernel; });
    };
    std::vector<profile::Row> rows = profile::run_problem(ctx, asked, analysis.roof, how);
    for (const Candidate& candidate : candidates)
      for (profile::Row& row : rows)
        if (row.kernel == candidate.kernel) analysis.trials.push_back(trial_of(candidate, std::move(row)));
    compare_trials(analysis);
    analysis.interrupted = options.how.cancelled();
    profile::finish_run(analysis);
    return analysis;
  });
}

std::string to_string(const Analysis& analysis) {
  using profile::duration;
  std::size_t width = 6;
  for (const Trial& trial : analysis.trials) width = std::max(width, trial.predicted.kernel.size());
  std::string text = to_string(analysis.decision);
  text += fmt::format("\n  {:<{}}  {:>10}  {:>10}  {:>8}  {:>10}  {:>10}  {}\n", "kernel", width, "predicted",
                      "measured", "off by", "kernel", "moving", "err/bound");
  for (const Trial& trial : analysis.trials) {
    text += fmt::format("  {:<{}}  {:>10}  ", trial.predicted.kernel, width, duration(trial.predicted.seconds));
    if (std::isnan(trial.seconds)) {
      const bool wrong = trial.row.status == profile::Status::wrong;
      text += fmt::format("{}{}\n", wrong ? "WRONG: " : "n/a: ", trial.row.reason);
      continue;
    }
    text += fmt::format("{:>10}  {:>+6.1f} %  {:>10}  {:>10}  {:.2g}\n", duration(trial.seconds), 100 * trial.off_by,
                        duration(trial.kernel_seconds), duration(trial.moving_seconds), trial.row.bound_ratio);
  }
  if (analysis.interrupted) return text + "  interrupted\n";
  if (std::isnan(analysis.regret)) return text;
  if (analysis.fastest == analysis.decision.kernel) return text + "  the chosen kernel is the fastest of these\n";
  return text +
         fmt::format("  the chosen kernel took {} more than {}\n", profile::percent(analysis.regret), analysis.fastest);
}

}  // namespace tandem
