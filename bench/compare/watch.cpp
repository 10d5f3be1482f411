#include "bench/compare/watch.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include <fmt/format.h>

#include "bench/support/output.h"
#include "bench/support/program.h"
#include "common/dispatch/select.h"
#include "common/ops/all.h"
#include "common/profile/baseline.h"
#include "common/profile/format.h"
#include "common/profile/read_json.h"

namespace tandem::compare {
namespace {

using profile::Row;

void complain(const std::string& text) { std::fprintf(stderr, "tandem-compare: %s\n", text.c_str()); }

int judge_change(const Options& options, const profile::RunChange& change) {
  if (!change.obstacle.empty()) {
    complain("not comparable: " + change.obstacle);
    return bench::kFailed;
  }
  if (!options.fail_on_regression || !change.regressed()) return 0;
  complain("regression: something is slower than the baseline, or wrong");
  return bench::kWrong;
}

profile::RunChange change_of(const Options& options, const profile::Comparison& before,
                             const profile::Comparison& after) {
  return compare_runs(before, after, {.threshold = options.threshold_percent / 100, .seed = options.seed});
}

/// The second row of each problem must be the same as the first.
int judge_selftest(const profile::Comparison& comparison) {
  int failed = 0, asked = 0;
  for (const Row& row : comparison.rows) {
    if (row.kernel == row.ran || !row.timed()) continue;
    ++asked;
    if (row.vs_reference.verdict == profile::Verdict::same) continue;
    ++failed;
    complain(fmt::format("self-test: {} on {} {} against itself is {}, not same: {:.4f} ({:.4f} .. {:.4f})", row.ran,
                         row.op, row.problem, name(row.vs_reference.verdict), row.vs_reference.ratio,
                         row.vs_reference.ratio_95.low, row.vs_reference.ratio_95.high));
  }
  if (asked == 0) complain("self-test: nothing was measured");
  return failed == 0 && asked > 0 ? 0 : bench::kWrong;
}

bool is_reference(const std::string& kernel) {
  bool found = false;
  for_each_op([&]<class Op>() {
    const Entry<Op>* entry = find_kernel<Op>(kernel);
    found = found || (entry && entry->kernel && entry->kernel->traits.reference);
  });
  return found;
}

int judge_references(const profile::Comparison& comparison) {
  int fallen = 0;
  for (const Row& row : comparison.rows) {
    if (row.kernel != profile::kAuto || row.ran.empty()) continue;
    if (!is_reference(row.ran)) continue;
    ++fallen;
    complain(fmt::format("{} {}: dispatch falls to the reference kernel {}", row.op, row.problem, row.ran));
  }
  return fallen > 0 ? bench::kWrong : 0;
}

}  // namespace

profile::Comparison load_comparison(const std::string& path) {
  return profile::from_json(profile::load_results(path), path);
}

int compare_files(const Options& options) {
  const profile::Comparison before = load_comparison(options.files[0]), after = load_comparison(options.files[1]);
  const profile::RunChange change = change_of(options, before, after);
  if (change.obstacle.empty() && !options.quiet)
    bench::print(change_block(change, options.threshold_percent / 100, bench::style_of_terminal()));
  return judge_change(options, change);
}

int watch(const Options& options, const profile::Comparison& comparison, const profile::Comparison* baseline,
          bool table) {
  int code = 0;
  if (baseline) {
    const profile::RunChange change = change_of(options, *baseline, comparison);
    if (change.obstacle.empty() && table)
      bench::print("\n" + change_block(change, options.threshold_percent / 100, bench::style_of_terminal()));
    code = judge_change(options, change);
  }
  if (options.selftest && !comparison.interrupted) code = std::max(code, judge_selftest(comparison));
  if (options.fail_on_reference) code = std::max(code, judge_references(comparison));
  return code;
}

std::string scaling_block(std::span<const Row> rows) {
  std::map<std::string, std::vector<const Row*>> groups;
  std::vector<std::string> order;
  for (const Row& row : rows) {
    if (!row.timed()) continue;
    const std::string key =
        fmt::format("{} {} {}{}{}", row.op, row.problem, row.kernel, row.label.empty() ? "" : ", ", row.label);
    if (groups[key].empty()) order.push_back(key);
    groups[key].push_back(&row);
  }
  std::string text;
  for (const std::string& key : order) {
    std::vector<const Row*>& group = groups[key];
    std::stable_sort(group.begin(), group.end(), [](const Row* a, const Row* b) { return a->threads < b->threads; });
    const Row& fewest = *group.front();
    if (group.back()->threads == fewest.threads) continue;
    text += fmt::format("  {}:", key);
    for (const Row* row : group) {
      const double speedup = fewest.time.summary.median / row->time.summary.median;
      text += fmt::format("  {} thread{} {}", row->threads, row->threads == 1 ? "" : "s",
                          profile::duration(row->time.summary.median));
      if (row != &fewest)
        text += fmt::format(" ({:.2f}x, {} of the ideal)", speedup,
                            profile::percent(speedup * fewest.threads / row->threads));
    }
    text += "\n";
  }
  return text.empty() ? "" : "\nscaling with threads:\n" + text;
}

void report_wrong_rows(const profile::Comparison& comparison) {
  for (const Row& row : comparison.rows)
    if (row.status == profile::Status::wrong)
      complain(fmt::format("WRONG: {} on {} {}: {}", row.kernel, row.op, row.problem, row.reason));
}

}  // namespace tandem::compare
