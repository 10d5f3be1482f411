#include "common/profile/compare.h"

#include <algorithm>
#include <cmath>

#include "common/profile/cold.h"

namespace tandem::profile::detail {
namespace {

/// Runs one way and judges the result. The row is decided (wrong, or skipped for want of memory) when this is false.
bool judged(Row& row, const Way& way, const Judge& judge, std::span<const View> results) {
  try {
    way.before_check();
    way.call();
    way.wait();
    way.after_check();
  } catch (const Error& error) {
    const bool absent = error.code() == Code::out_of_memory || error.code() == Code::unavailable;
    row.status = absent ? Status::skipped : Status::wrong;
    row.reason = error.what();
    return false;
  }
  const Judgement verdict = judge.check(results);
  row.bound_ratio = std::isnan(row.bound_ratio) ? verdict.bound_ratio : std::max(row.bound_ratio, verdict.bound_ratio);
  row.max_abs_error =
      std::isnan(row.max_abs_error) ? verdict.max_abs_error : std::max(row.max_abs_error, verdict.max_abs_error);
  row.compared = verdict.compared;
  row.saturated = verdict.saturated;
  row.method = judge.method;
  row.status = verdict.complaint.empty() ? Status::ok : Status::wrong;
  row.reason = verdict.complaint;
  return row.status == Status::ok;
}

/// A failure while timing makes the row wrong; its candidate then ends at once by claiming a long time.
Timed watched(Timed timed, Row& row) {
  timed.run = [run = std::move(timed.run), &row](int calls) {
    constexpr double kEndAtOnce = 1e9;
    if (row.status == Status::wrong) return kEndAtOnce * calls;
    try {
      return run(calls);
    } catch (const Error& error) {
      row.status = Status::wrong;
      row.reason = error.what();
      return kEndAtOnce * calls;
    }
  };
  return timed;
}

Timed timed(const std::string& name, const Way& way, Row& row) {
  return watched({name,
                  [&way](int calls) {
                    way.wait();
                    const double begin = now();
                    for (int i = 0; i < calls; ++i) way.call();
                    way.wait();
                    return now() - begin;
                  }},
                 row);
}

/// Fills Row::cold of the rows that were timed: after all hot samples, so that neither disturbs the other. Where there
/// is no memory to fill caches with, a row has no cold figures.
void add_cold(Context& context, std::vector<Candidate>& candidates, const MeasureOptions& how) {
  ColdCaches cold(context);
  std::vector<Timed> ways;
  std::vector<Row*> rows;
  for (Candidate& candidate : candidates) {
    Row& row = candidate.row;
    if (!row.timed()) continue;
    const Way& way = candidate.time;
    const Backend backend = row.backend == "cuda" && row.kernel != kAuto ? Backend::cuda : Backend::cpu;
    try {
      ways.push_back(watched(cold.timed(row.kernel + " cold", backend,
                                        [&way] {
                                          way.call();
                                          way.wait();
                                        }),
                             row));
      rows.push_back(&row);
    } catch (const Error&) {
    }
  }
  std::vector<Samples> samples = measure_cold(ways, how);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i]->status == Status::wrong)
      rows[i]->time = rows[i]->end_to_end = {};
    else
      rows[i]->cold = timing_of(std::move(samples[i]));
  }
}

}  // namespace

std::vector<Row> run_candidates(Context& context, std::vector<Candidate> candidates, const Judge& judge,
                                std::span<const View> results, const CompareOptions& options) {
  std::vector<Timed> ways;
  std::vector<std::pair<Timing*, Row*>> slots;
  for (Candidate& candidate : candidates) {
    Row& row = candidate.row;
    if (!row.reason.empty()) continue;
    if (options.cancelled()) {
      row.reason = "interrupted";
      continue;
    }
    if (options.observe) options.observe({row.kernel, kAbsent, 0});
    if (!judged(row, candidate.time, judge, results)) continue;
    if (candidate.end_to_end.call && !judged(row, candidate.end_to_end, judge, results)) continue;
    ways.push_back(timed(row.kernel, candidate.time, row));
    slots.emplace_back(&row.time, &row);
    if (!candidate.end_to_end.call) continue;
    ways.push_back(timed(row.kernel + " end to end", candidate.end_to_end, row));
    slots.emplace_back(&row.end_to_end, &row);
  }
  const MeasureOptions how = measure_options(options);
  std::vector<Samples> samples = measure(ways, how);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    Row& row = *slots[i].second;
    if (row.status == Status::wrong) {
      row.time = row.end_to_end = {};
      continue;
    }
    *slots[i].first = timing_of(std::move(samples[i]));
    if (slots[i].first->measured() || &row.end_to_end == slots[i].first) continue;
    row.status = Status::skipped;
    row.reason = why_not_measured(*slots[i].first);
  }
  if (options.cold && !options.cancelled()) add_cold(context, candidates, how);
  std::vector<Row> rows;
  for (Candidate& candidate : candidates) rows.push_back(std::move(candidate.row));
  return rows;
}

}  // namespace tandem::profile::detail
