#include "common/profile/baseline.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/stats.h"

namespace tandem::profile {
namespace {

using Key = std::tuple<std::string, std::string, std::string, std::string, int>;
Key key_of(const Row& row) { return {row.op, row.problem, row.operands, row.kernel, row.threads}; }

std::string gpus_of(const RunFacts& run) {
  std::string names;
  for (const GpuInfo& gpu : run.machine.gpus) names += (names.empty() ? "" : ", ") + gpu.name;
  return names.empty() ? "no GPU" : names;
}

std::string other_machine(const RunFacts& before, const RunFacts& after) {
  const auto differ = [](const std::string& what, const std::string& old, const std::string& now) {
    return old == now ? "" : fmt::format("another {}: {} before, {} now", what, old, now);
  };
  const CpuInfo &old = before.machine.cpu, &now = after.machine.cpu;
  for (const std::string& obstacle : {differ("processor", old.name, now.name),
                                      differ("instruction set", std::string(name(old.isa)), std::string(name(now.isa))),
                                      differ("GPU", gpus_of(before), gpus_of(after))})
    if (!obstacle.empty()) return obstacle;
  return "";
}

std::string line_of(const Changed& changed, const Style& style) {
  const Effect& e = changed.effect;
  const Paint paint{style.colour};
  const std::string verdict = left(name(e.verdict), 12);
  const std::string interval = e.has_interval()
                                   ? fmt::format("{} .. {}", factor(e.ratio_95.low), factor(e.ratio_95.high))
                                   : fmt::format("n/a of {} sample{}", e.samples, e.samples == 1 ? "" : "s");
  return fmt::format("  {}  {} -> {}  {} ({})  {} {}  {}{}\n",
                     e.verdict == Verdict::slower   ? paint.red(verdict)
                     : e.verdict == Verdict::faster ? paint.green(verdict)
                                                    : verdict,
                     right(duration(changed.before->time.summary.median), 9),
                     right(duration(changed.after->time.summary.median), 9), factor(e.ratio), interval,
                     changed.after->op, changed.after->problem, changed.after->kernel,
                     changed.after->label.empty() ? "" : "  " + changed.after->label);
}

}  // namespace

bool RunChange::regressed() const {
  return !broken.empty() ||
         std::any_of(rows.begin(), rows.end(), [](const Changed& c) { return c.effect.verdict == Verdict::slower; });
}

RunChange compare_runs(const Comparison& before, const Comparison& after, const VerdictOptions& options) {
  RunChange change;
  change.obstacle = other_machine(before, after);
  if (!change.obstacle.empty()) return change;
  std::multimap<Key, const Row*> old;  // equal keys stay in their order
  for (const Row& row : before.rows)
    if (row.timed()) old.emplace(key_of(row), &row);
  for (const Row& row : after.rows) {
    const Key key = key_of(row);
    const auto found = old.lower_bound(key);  // the first of several
    if (found == old.end() || found->first != key) {
      change.fresh += row.timed() ? 1 : 0;
      continue;
    }
    if (row.status == Status::wrong) change.broken.push_back(&row);
    if (row.timed())
      change.rows.push_back(
          {found->second, &row, effect_of(found->second->time.samples, row.time.samples, false, options)});
    if (row.status == Status::wrong || row.timed()) old.erase(found);
  }
  for (const auto& [key, row] : old) change.gone.push_back(row);
  std::vector<Effect*> effects;
  for (Changed& changed : change.rows) effects.push_back(&changed.effect);
  judge(effects, options);
  if (change.rows.empty() && change.broken.empty()) change.obstacle = "the runs have no measured row in common";
  return change;
}

std::string change_block(const RunChange& change, double threshold, const Style& style) {
  if (!change.obstacle.empty()) return fmt::format("not comparable: {}\n", change.obstacle);
  std::string text = fmt::format(
      "against the baseline (time before -> now, speed-up with its 95 % interval; {} and "
      "less does not matter):\n",
      percent(threshold));
  std::map<Verdict, int> counts;
  std::vector<double> ratios;
  for (const Changed& changed : change.rows) {
    text += line_of(changed, style);
    ++counts[changed.effect.verdict];
    ratios.push_back(changed.effect.ratio);
  }
  for (const Row* row : change.broken)
    text += fmt::format("  WRONG now: {} on {} {}: {}\n", row->kernel, row->op, row->problem, row->reason);
  for (const Row* row : change.gone)
    text += fmt::format("  not measured now: {} on {} {}\n", row->kernel, row->op, row->problem);
  const Factors all = aggregate(ratios);
  text += fmt::format("{} slower, {} faster, {} same, {} inconclusive, {} wrong now, {} gone, {} new",
                      counts[Verdict::slower], counts[Verdict::faster], counts[Verdict::same],
                      counts[Verdict::inconclusive], change.broken.size(), change.gone.size(), change.fresh);
  if (all.count > 0)
    text += fmt::format("; speed-up {} (geometric mean, {} .. {})", factor(all.mean), factor(all.least),
                        factor(all.largest));
  return text + "\n";
}

}  // namespace tandem::profile
