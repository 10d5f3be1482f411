#include "bench/tune/regret.h"

#include <tandem/tuning.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/dispatch/question.h"
#include "common/profile/comparison.h"
#include "common/profile/run_problem.h"
#include "common/profile/stats.h"
#include "common/profile/timer.h"

namespace tandem::tune {
namespace {

constexpr double kAgain = 0.02;           // a regret above that is measured again,
constexpr double kLonger = 5;             // so many times as long
constexpr double kReferenceLimit = 50e6;  // flops above which reference kernels are left out: they take seconds

std::vector<profile::Row> run(Context& ctx, const tuning::Problem& problem, const SessionOptions& options,
                              double longer, const std::function<bool(std::string_view)>& wanted) {
  profile::CompareOptions how;
  how.min_seconds = options.min_time * longer;
  how.seed = options.seed;
  how.cancel = options.interrupted;
  how.wanted = [&](std::string_view kernel) { return kernel != profile::kAuto && wanted(kernel); };
  return profile::run_problem(ctx, {problem.op, problem.text, {}, {}}, {}, how);
}

/// Of a whole call: that is what the choice was made for.
double seconds_of(const std::vector<profile::Row>& rows, const std::string& kernel) {
  for (const profile::Row& row : rows)
    if (row.kernel == kernel) return profile::host_to_host(row);
  return profile::kAbsent;
}

/// The fastest row, among references or among the others.
const profile::Row* fastest(const std::vector<profile::Row>& rows, bool reference) {
  const profile::Row* best = nullptr;
  for (const profile::Row& row : rows) {
    const double seconds = profile::host_to_host(row);
    if (row.reference == reference && !std::isnan(seconds) && (!best || seconds < profile::host_to_host(*best)))
      best = &row;
  }
  return best;
}

double median(const std::vector<double>& values) { return profile::summarize(values).median; }

bool try_one(Context& ctx, Context& plain, const tuning::Problem& problem, const SessionOptions& options, Regret& all) {
  const Decision decision = decide(ctx, {problem.op, problem.text, {}, {}, 1});
  std::set<std::string> references;
  double least = profile::kAbsent;
  for (const Candidate& c : decision.candidates) {
    if (c.verdict.starts_with("reference")) references.insert(c.kernel);
    if (c.kernel == decision.kernel) least = c.kernel_seconds;
  }
  Tried tried{problem,
              decision.kernel,
              decide(plain, {problem.op, problem.text, {}, {}, 1}).kernel,
              {},
              0,
              0,
              0,
              0,
              profile::kAbsent,
              std::string(name(decision.rung))};
  std::vector<profile::Row> rows = run(ctx, problem, options, 1, [&](std::string_view kernel) {
    return !references.contains(std::string(kernel)) || least * 1000 < kReferenceLimit * 1e-9;
  });
  for (const profile::Row& row : rows)
    if (row.status == profile::Status::wrong)
      all.wrong.push_back(fmt::format("{} on {} {}: {}", row.kernel, row.op, row.problem, row.reason));
  const profile::Row* best = fastest(rows, false);
  const double chosen = seconds_of(rows, tried.chosen), without = seconds_of(rows, tried.without_table);
  if (!best || std::isnan(chosen) || std::isnan(without)) return false;
  tried.best = best->kernel;
  tried.best_seconds = profile::host_to_host(*best);
  tried.regret = chosen / tried.best_seconds - 1;
  tried.regret_without_table = without / tried.best_seconds - 1;
  if (const profile::Row* reference = fastest(rows, true))
    tried.reference_speedup = profile::host_to_host(*reference) / tried.best_seconds;
  for (const profile::Row& row : rows)
    if (row.status == profile::Status::ok && !row.reference)
      all.kernel_errors.push_back(std::abs(row.predicted_seconds / row.time.summary.median - 1));
  for (const profile::Row& row : rows)
    if (row.kernel == tried.chosen)
      tried.predicted_error = std::abs(row.predicted_end_to_end_seconds / profile::host_to_host(row) - 1);
  if (std::max(tried.regret, tried.regret_without_table) > kAgain) {
    const std::vector<profile::Row> again = run(ctx, problem, options, kLonger, [&](std::string_view kernel) {
      return kernel == tried.chosen || kernel == tried.without_table || kernel == tried.best;
    });
    const double least_again = seconds_of(again, tried.best);
    const double now = seconds_of(again, tried.chosen) / least_again - 1;
    const double now_without = seconds_of(again, tried.without_table) / least_again - 1;
    if (std::isnan(now) || std::isnan(now_without)) return false;
    tried.regret = std::max(0.0, now);
    tried.regret_without_table = std::max(0.0, now_without);
  }
  all.tried.push_back(std::move(tried));
  return true;
}

struct Line {
  std::size_t count = 0;
  double sum = 0, worst = 0, sum_without = 0, worst_without = 0;
  std::vector<double> errors;
  void add(const Tried& t) {
    ++count;
    sum += t.regret;
    worst = std::max(worst, t.regret);
    sum_without += t.regret_without_table;
    worst_without = std::max(worst_without, t.regret_without_table);
    errors.push_back(t.predicted_error);
  }
  double mean() const { return sum / static_cast<double>(count); }
  double mean_without() const { return sum_without / static_cast<double>(count); }
};

std::map<std::string, Line> lines_of(const Regret& regret, Line& total) {
  std::map<std::string, Line> lines;
  for (const Tried& t : regret.tried) {
    lines[t.problem.op].add(t);
    total.add(t);
  }
  return lines;
}

}  // namespace

Regret try_choices(Context& ctx, std::size_t count, const SessionOptions& options) {
  Regret regret;
  ContextOptions how;
  how.threads = ctx.threads();
  Context plain(how);
  use_tuning(plain, "off");
  std::map<std::string, std::vector<tuning::Template>> by_op;
  for (tuning::Template& t : tuning::all_templates()) by_op[t.op].push_back(std::move(t));
  std::mt19937_64 engine(options.seed);
  const double begin = profile::now();
  constexpr std::size_t kMostFailures = 10000;
  for (std::size_t failures = 0; regret.tried.size() < count && failures < kMostFailures && !options.cancelled();) {
    const auto& templates = std::next(by_op.begin(), static_cast<std::ptrdiff_t>(engine() % by_op.size()))->second;
    const tuning::Template& t = templates[engine() % templates.size()];
    const std::vector<double> at = tuning::random(engine);
    const auto text = tuning::fill(t, at, engine() % 2 == 0);
    if (!text) {
      ++failures;
      continue;
    }
    const tuning::Problem problem{t.op, *text};
    const std::size_t done = regret.tried.size();
    const double each = done ? (profile::now() - begin) / static_cast<double>(done) : profile::kAbsent;
    if (options.progress) options.progress(done, each * static_cast<double>(count - done), problem);
    if (decide(ctx, {problem.op, problem.text, {}, {}, 1}).rung == Rung::measured) continue;
    if (!try_one(ctx, plain, problem, options, regret)) ++failures;
  }
  return regret;
}

std::string text_of(const Regret& regret) {
  Line total;
  const std::map<std::string, Line> lines = lines_of(regret, total);
  if (total.count == 0) return "no problem was tried\n";
  std::string text = fmt::format("{:<20} {:>8} {:>12} {:>13} {:>16} {:>14} {:>15}\n", "operation", "problems",
                                 "mean regret", "worst regret", "mean, no table", "worst", "error of time");
  const auto line = [&](const std::string& name, const Line& l) {
    text += fmt::format("{:<20} {:>8} {:>10.1f} % {:>11.1f} % {:>14.1f} % {:>12.1f} % {:>13.1f} %\n", name, l.count,
                        100 * l.mean(), 100 * l.worst, 100 * l.mean_without(), 100 * l.worst_without,
                        100 * median(l.errors));
  };
  for (const auto& [name, l] : lines) line(name, l);
  line("all", total);
  text += fmt::format("median error of the predicted time over all {} kernels timed: {:.1f} %\n",
                      regret.kernel_errors.size(), 100 * median(regret.kernel_errors));
  std::vector<Tried> worst = regret.tried;
  std::sort(worst.begin(), worst.end(), [](const Tried& a, const Tried& b) { return a.regret > b.regret; });
  constexpr std::size_t kShown = 5;
  for (std::size_t i = 0; i < std::min(kShown, worst.size()) && worst[i].regret > 0; ++i)
    text += fmt::format("  {:.1f} %  {} {}: {} ({}), best {}\n", 100 * worst[i].regret, worst[i].problem.op,
                        worst[i].problem.text, worst[i].chosen, worst[i].rung, worst[i].best);
  std::vector<double> references;
  for (const Tried& t : regret.tried)
    if (!std::isnan(t.reference_speedup)) references.push_back(t.reference_speedup);
  if (!references.empty())
    text += fmt::format(
        "reference kernels, never chosen, ran on {} of them: the best was {:.3g} times as fast (median, least "
        "{:.3g})\n",
        references.size(), median(references), *std::min_element(references.begin(), references.end()));
  return text;
}

std::string json_of(const Regret& regret, const std::string& model, std::uint64_t seed) {
  using Json = nlohmann::ordered_json;
  Line total;
  const std::map<std::string, Line> lines = lines_of(regret, total);
  Json json{{"schema", "tandem-regret/1"}, {"model", model}, {"seed", seed}, {"operations", Json::array()}};
  const auto line = [&](const std::string& name, const Line& l) {
    return Json{{"op", name},
                {"problems", l.count},
                {"mean_regret", l.count ? l.mean() : profile::kAbsent},
                {"worst_regret", l.worst},
                {"mean_regret_without_table", l.count ? l.mean_without() : profile::kAbsent},
                {"worst_regret_without_table", l.worst_without},
                {"median_prediction_error", median(l.errors)}};
  };
  for (const auto& [name, l] : lines) json["operations"].push_back(line(name, l));
  json["all"] = line("all", total);
  json["median_prediction_error_all_kernels"] = median(regret.kernel_errors);
  json["problems"] = Json::array();
  for (const Tried& t : regret.tried)
    json["problems"].push_back({{"op", t.problem.op},
                                {"problem", t.problem.text},
                                {"chosen", t.chosen},
                                {"best", t.best},
                                {"best_s", t.best_seconds},
                                {"regret", t.regret},
                                {"chosen_without_table", t.without_table},
                                {"regret_without_table", t.regret_without_table},
                                {"rung", t.rung},
                                {"prediction_error", t.predicted_error},
                                {"best_vs_reference", t.reference_speedup}});
  json["wrong"] = regret.wrong;
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::tune
