#include "common/profile/comparison.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include <tandem/version.h>

namespace tandem::profile {
namespace {

std::string utc_now() {
  const std::time_t t = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm parts{};
  gmtime_r(&t, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

bool timed(const Row& row) { return row.status == Status::ok && row.time.measured(); }

/// Seconds of a whole call on host memory.
double host_to_host(const Row& row) {
  if (!timed(row)) return kAbsent;
  if (row.backend != "cuda" || row.kernel == kAuto) return row.time.summary.median;
  return row.end_to_end.measured() ? row.end_to_end.summary.median : kAbsent;
}

double regret_of(const Row& automatic, const std::vector<Row>& rows) {
  double best = kAbsent, chosen = kAbsent;
  for (const Row& row : rows) {
    if (row.kernel == kAuto) continue;
    const double seconds = host_to_host(row);
    if (std::isnan(seconds)) continue;
    if (!(best <= seconds)) best = seconds;
    if (row.kernel == automatic.ran) chosen = seconds;
  }
  return chosen / best - 1;
}

}  // namespace

std::string_view name(Status status) {
  switch (status) {
    case Status::ok:
      return "ok";
    case Status::wrong:
      return "wrong";
    case Status::skipped:
      return "skipped";
  }
  return "unknown";
}

bool Comparison::any_wrong() const {
  return std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.status == Status::wrong; });
}

Comparison begin_comparison(const Machine& machine, const CompareOptions& options) {
  Comparison comparison;
  comparison.date = utc_now();
  comparison.library = version();
  comparison.machine = machine;
  comparison.noise = read_noise_facts();  // before this program loads the machine
  comparison.timer = timer_facts();
  comparison.roof = measure_roof(machine.cpu);
  comparison.seed = options.seed;
  comparison.min_seconds = options.min_seconds;
  return comparison;
}

void finish_comparison(Comparison& comparison, const NoiseCounters& before, double started) {
  comparison.during = read_noise_counters() - before;
  comparison.seconds = now() - started;
}

void derive_figures(std::vector<Row>& rows) {
  double reference = kAbsent;
  for (const Row& row : rows)
    if (row.reference && timed(row) && std::isnan(reference)) reference = row.time.summary.median;
  for (Row& row : rows) {
    row.rate_unit = row.work.rate_is_flops ? "GFLOP/s" : "GB/s";
    if (!timed(row)) continue;
    const double median = row.time.summary.median;
    row.rate = (row.work.rate_is_flops ? row.work.flops : row.work.bytes) / median / 1e9;
    if (row.ceiling.value > 0) row.ceiling_fraction = row.ceiling.seconds / median;
    row.speedup_vs_reference = reference / median;
    if (row.end_to_end.measured()) row.end_to_end_speedup_vs_reference = reference / row.end_to_end.summary.median;
    if (row.kernel == kAuto) row.regret = regret_of(row, rows);
  }
}

}  // namespace tandem::profile
