// What won where, what was wrong, what was left out and why.
#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "bench/report/html.h"
#include "bench/report/sections.h"
#include "common/profile/format.h"
#include "common/profile/report.h"
#include "common/profile/stats.h"

namespace tandem::report {
namespace {

using profile::kAbsent;
using profile::kAuto;
using profile::Status;

std::string tile(const std::string& value, const std::string& label, const std::string& how, const char* kind = "") {
  return fmt::format("<div class=\"tile {}\" title=\"{}\"><b>{}</b><span>{}</span></div>\n", kind, esc(how), value,
                     label);
}

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return profile::quantile(values, 0.5);
}

std::string tiles(const Comparison& c) {
  std::size_t right = 0, wrong = 0, skipped = 0;
  std::vector<double> speedups, regrets, errors;
  for (const Row& row : c.rows) {
    (row.status == Status::ok ? right : row.status == Status::wrong ? wrong : skipped) += 1;
    if (!row.timed()) continue;
    if (row.kernel == kAuto && profile::speedup_of(row) > 0) speedups.push_back(std::log(profile::speedup_of(row)));
    if (std::isfinite(row.regret)) regrets.push_back(row.regret);
    if (row.predicted_seconds > 0) errors.push_back(std::abs(row.predicted_seconds / row.time.summary.median - 1));
  }
  std::string out = "<div class=\"tiles\">\n";
  out += tile(std::to_string(right), "measured and right", "rows whose result is within its bound", "good");
  out += tile(std::to_string(wrong), "wrong", "rows whose result is out of its bound, or that failed",
              wrong > 0 ? "bad" : "");
  out += tile(std::to_string(skipped), "skipped", "rows that cannot run here; the reasons are below");
  if (!speedups.empty()) {
    double sum = 0;
    for (const double s : speedups) sum += s;
    const auto [least, most] = std::minmax_element(speedups.begin(), speedups.end());
    out += tile(factor_text(std::exp(sum / static_cast<double>(speedups.size()))),
                fmt::format("dispatch over the reference, {} to {}", factor_text(std::exp(*least)),
                            factor_text(std::exp(*most))),
                "geometric mean of the speed-ups of the chosen kernels, and their range");
  }
  if (!regrets.empty())
    out += tile(percent_text(median_of(regrets)),
                fmt::format("behind the best choice, at most {}",
                            percent_text(*std::max_element(regrets.begin(), regrets.end()))),
                "median over the problems: time of the chosen kernel over the least one measured, minus 1");
  if (!errors.empty())
    out += tile(percent_text(median_of(errors)), "error of the predicted times",
                "median of |predicted / measured - 1| over all timed rows");
  return out + "</div>\n";
}

std::string warnings(const Comparison& c) {
  std::string out;
  for (const Row& row : c.rows)
    if (row.status == Status::wrong)
      out += fmt::format("<p class=\"alert bad\"><b>WRONG</b> {} on {} {}: {}</p>\n", esc(row.kernel), esc(row.op),
                         esc(row.problem), esc(row.reason));
  if (c.interrupted) out += "<p class=\"alert\">The run was interrupted: some rows are missing.</p>\n";
  if (c.noise.load_average > 0.5 * c.noise.usable_cpus)
    out += fmt::format(
        "<p class=\"alert\">The machine was busy when the run began (load {:.1f} on {} CPUs): figures "
        "scatter and ceilings are too low.</p>\n",
        c.noise.load_average, c.noise.usable_cpus);
  if (c.during.stolen_seconds > 0.01 * c.seconds)
    out += fmt::format("<p class=\"alert\">The hypervisor took {} CPU-seconds during the {} s of the run.</p>\n",
                       number_text(c.during.stolen_seconds), number_text(c.seconds));
  if (const std::string above = profile::above_ceilings(c.rows); !above.empty())
    out += fmt::format("<p class=\"alert\">{}.</p>\n", esc(above));
  for (const profile::Statement& s : c.statements)
    out += fmt::format("<p class=\"statement\"><b>{}</b> {}</p>\n", esc(s.name), esc(s.text));
  return out;
}

/// How a row stands to the fastest one, as its verdict says where it has one.
std::string behind(const Row& row, const Row& best) {
  const bool judged = row.vs_best.ratio > 0;
  const std::string times =
      factor_text(judged ? 1 / row.vs_best.ratio : row.time.summary.median / best.time.summary.median);
  switch (row.vs_best.verdict) {
    case profile::Verdict::same:
      return "as fast";
    case profile::Verdict::inconclusive:
      return times + " slower, inconclusive";
    default:
      return times + " slower";
  }
}

std::string next_best(const std::vector<const Row*>& order) {
  for (std::size_t i = 1; i < order.size() && order[i]->timed(); ++i)
    if (order[i]->kernel != kAuto)
      return fmt::format("{} <small>{}</small>", kernel_text(order[i]->kernel), behind(*order[i], *order[0]));
  return "<small>no other</small>";
}

std::string choice(std::span<const Row> rows, const Row& best) {
  for (const Row& row : rows)
    if (row.kernel == kAuto && row.timed()) {
      if (row.ran == best.kernel) return "<span class=\"ok\">the fastest</span>";
      return fmt::format("{} <small>{} behind</small>", kernel_text(row.ran), percent_text(row.regret));
    }
  return "";
}

/// One line of the table: the fastest row of a problem.
std::string winner(std::span<const Row> rows) {
  const std::vector<const Row*> order = profile::in_order(rows);
  const Row& best = *order.front();
  if (!best.timed() || best.kernel == kAuto) return "";
  return fmt::format(
      "<tr><th scope=\"row\"><b>{}</b> {}<small>{}</small></th><td data-label=\"fastest\">{}</td>"
      "<td data-label=\"median\" class=\"n\">{}</td><td data-label=\"of the ceiling\" class=\"n\">{}</td>"
      "<td data-label=\"over the reference\" class=\"n\">{}<small>{}</small></td><td data-label=\"next best\">{}</td>"
      "<td data-label=\"dispatch chose\">{}</td></tr>\n",
      esc(best.op), kernel_text(best.problem), esc(best.label), kernel_text(best.kernel),
      seconds_text(best.time.summary.median), ceiling_text(best.ceiling_fraction),
      factor_text(profile::speedup_of(best)), factors_text(best.vs_reference.ratio_95), next_best(order),
      choice(rows, best));
}

std::string winners(const Comparison& c) {
  std::string rows;
  for (const std::span<const Row> group : profile::by_problem(c.rows)) rows += winner(group);
  if (rows.empty()) return "";
  return "<div class=\"scroll short\"><table class=\"cards\"><caption>The fastest kernel of each problem</caption>\n"
         "<thead><tr><th scope=\"col\">problem</th><th scope=\"col\">fastest</th><th scope=\"col\">median</th>"
         "<th scope=\"col\">of the ceiling</th><th scope=\"col\">over the reference</th><th scope=\"col\">next "
         "best</th>"
         "<th scope=\"col\">dispatch chose</th></tr></thead>\n<tbody>\n" +
         rows + "</tbody></table></div>\n";
}

std::string skips(const Comparison& c) {
  std::map<std::string, std::map<std::string, std::size_t>> kernels_by_reason;
  for (const Row& row : c.rows)
    if (row.status == Status::skipped) ++kernels_by_reason[row.reason][row.kernel];
  if (kernels_by_reason.empty()) return "";
  std::string out = "<details class=\"skips\"><summary>What was skipped, and why</summary>\n<dl>\n";
  for (const auto& [reason, kernels] : kernels_by_reason) {
    std::string names;
    for (const auto& [kernel, times] : kernels)
      names += fmt::format("{}<code>{}</code>{}", names.empty() ? "" : ", ", esc(kernel),
                           times > 1 ? fmt::format(" ({})", times) : "");
    out += fmt::format("<dt>{}</dt><dd>{}</dd>\n", esc(reason), names);
  }
  return out + "</dl></details>\n";
}

}  // namespace

std::string summary_section(const Comparison& c) {
  return section("summary", "Summary", "", tiles(c) + warnings(c) + winners(c) + skips(c));
}

}  // namespace tandem::report
