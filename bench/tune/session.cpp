#include "bench/tune/session.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/dispatch/question.h"
#include "common/profile/run_problem.h"
#include "common/profile/timer.h"
#include "common/tuning/point.h"
#include "common/tuning/record.h"

namespace tandem::tune {
namespace {

constexpr std::size_t kFullRounds = 3;
constexpr std::size_t kFewForms = 6;  // an operation of fewer has several problems of each form in them
constexpr std::size_t kPool = 8;      // problems of a template that a later round looks at
constexpr double kUnknown = 1;        // the error of a prediction that nothing was measured for: half or twice
constexpr double kHopeless = 12;      // predicted to be so many times slower than the fastest: not measured

class Measuring {
 public:
  Measuring(Context& ctx, const SessionOptions& options) : ctx_(ctx), options_(options) {}

  void measure(const tuning::Problem& problem) {
    try {
      try_measure(problem);
    } catch (const Error& error) {  // what was measured before is kept
      session_.skipped.push_back(fmt::format("{} {}: {}", problem.op, problem.text, error.what()));
    }
  }

  /// What measuring a problem may teach: what the choice may cost at worst, if the predictions are off by their errors
  /// (the chosen kernel slower, and another faster), as a fraction of the time of the other; or by how much the
  /// predicted time of the chosen kernel may be off, where that is more.
  double worth_of(const tuning::Problem& problem) {
    const Decision decision = decide(ctx_, {problem.op, problem.text, {}, {}, 1});
    const auto factor = [](const Candidate& c) {
      return 1 + (std::isnan(c.error) || c.rung == Rung::prior ? kUnknown : c.error);
    };
    double slowest = 0, worth = 0;
    for (const Candidate& c : decision.candidates)
      if (c.kernel == decision.kernel) {
        slowest = c.seconds * factor(c);
        worth = factor(c) - 1;
      }
    for (const Candidate& c : decision.candidates)
      if (c.accepted && c.kernel != decision.kernel && !c.verdict.starts_with("reference"))
        worth = std::max(worth, slowest * factor(c) / c.seconds - 1);
    return worth;
  }

  /// From now on predictions know what was measured.
  void learn() {
    Context::Impl& impl = ctx_.impl();
    impl.tuning = std::make_shared<const tuning::Table>(tuning::make_table(session_.measured, impl.machine));
  }
  void tell(double left, const tuning::Problem& next) const {
    if (options_.progress) options_.progress(session_.problems, left, next);
  }
  Session take() { return std::move(session_); }

 private:
  void try_measure(const tuning::Problem& problem) {
    profile::CompareOptions how;
    how.min_seconds = options_.min_time;
    how.seed = options_.seed;
    how.cancel = options_.interrupted;
    const std::set<std::string> wanted = promising(problem);
    how.wanted = [&](std::string_view kernel) { return wanted.contains(std::string(kernel)); };
    const std::vector<profile::Row> rows = profile::run_problem(ctx_, {problem.op, problem.text, {}, {}}, {}, how);
    for (const profile::Row& row : rows)
      if (row.status == profile::Status::wrong)
        session_.wrong.push_back(fmt::format("{} on {} {}: {}", row.kernel, row.op, row.problem, row.reason));
    tuning::record(session_.measured, rows);
    ++session_.problems;
  }

  std::set<std::string> promising(const tuning::Problem& problem) {
    std::set<std::string> names;
    double least = std::numeric_limits<double>::infinity();
    const Decision decision = decide(ctx_, {problem.op, problem.text, {}, {}, 1});
    for (const Candidate& c : decision.candidates)
      if (c.accepted) least = std::min(least, c.kernel_seconds);
    for (const Candidate& c : decision.candidates)
      if (c.accepted && !c.verdict.starts_with("reference") && c.kernel_seconds <= kHopeless * least)
        names.insert(c.kernel);
    names.insert(decision.kernel);
    return names;
  }

  Context& ctx_;
  const SessionOptions& options_;
  Session session_;
};

std::optional<tuning::Problem> problem_at(const tuning::Template& t, std::size_t& index, std::uint64_t seed) {
  constexpr int kAttempts = 30;  // points outside what a problem may be
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::size_t i = index++;
    if (auto text = tuning::fill(t, tuning::even(i, seed), i % 2 == 0)) return tuning::Problem{t.op, std::move(*text)};
  }
  return std::nullopt;
}

/// A problem of each form, more of an operation that has few. `next` counts those of each form.
std::vector<tuning::Problem> full_round(const std::vector<tuning::Template>& templates, std::vector<std::size_t>& next,
                                        std::uint64_t seed) {
  std::map<std::string, std::size_t> forms;  // of each operation
  for (const tuning::Template& t : templates) ++forms[t.op];
  std::vector<tuning::Problem> problems;
  for (std::size_t i = 0; i < templates.size(); ++i)
    for (std::size_t k = 0; k < std::max<std::size_t>(1, kFewForms / forms[templates[i].op]); ++k)
      if (auto problem = problem_at(templates[i], next[i], seed + i)) problems.push_back(std::move(*problem));
  return problems;
}

}  // namespace

std::vector<tuning::Problem> first_round(const std::vector<tuning::Template>& templates, std::uint64_t seed) {
  std::vector<std::size_t> next(templates.size(), 0);
  return full_round(templates, next, seed);
}

Session measure_list(Context& ctx, const std::vector<tuning::Problem>& problems, const SessionOptions& options) {
  Measuring measuring(ctx, options);
  const double begin = profile::now();
  for (std::size_t i = 0; i < problems.size() && !options.cancelled(); ++i) {
    const double each = i ? (profile::now() - begin) / static_cast<double>(i) : profile::kAbsent;
    measuring.tell(each * static_cast<double>(problems.size() - i), problems[i]);
    measuring.measure(problems[i]);
  }
  return measuring.take();
}

Session measure_even(Context& ctx, const std::vector<tuning::Template>& templates, const SessionOptions& options) {
  Measuring measuring(ctx, options);
  const double begin = profile::now();
  std::vector<std::size_t> next(templates.size(), 0);
  const auto left = [&] { return options.seconds - (profile::now() - begin); };
  const auto stop = [&] { return left() <= 0 || options.cancelled(); };
  // Of each form the problem that may teach most, and of these the better half.
  const auto telling_round = [&] {
    std::vector<std::pair<double, tuning::Problem>> found;  // with its worth
    for (std::size_t i = 0; i < templates.size() && !stop(); ++i) {
      std::optional<std::pair<double, tuning::Problem>> most;
      for (std::size_t k = 0; k < kPool; ++k) {
        auto problem = problem_at(templates[i], next[i], options.seed + i);
        if (!problem) break;
        const double worth = measuring.worth_of(*problem);
        if (!most || worth > most->first) most.emplace(worth, std::move(*problem));
      }
      if (most) found.push_back(std::move(*most));
    }
    std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
    found.resize((found.size() + 1) / 2);
    std::vector<tuning::Problem> problems;
    for (auto& [worth, problem] : found) problems.push_back(std::move(problem));
    return problems;
  };
  for (std::size_t round = 0; !stop(); ++round) {
    const std::vector<tuning::Problem> chosen =
        round < kFullRounds ? full_round(templates, next, options.seed) : telling_round();
    if (chosen.empty()) break;
    for (const tuning::Problem& problem : chosen) {
      if (stop()) break;
      measuring.tell(left(), problem);
      measuring.measure(problem);
    }
    measuring.learn();
  }
  return measuring.take();
}

}  // namespace tandem::tune
