#include "common/profile/comparison.h"

#include <algorithm>
#include <cmath>

#include "common/profile/roof.h"

namespace tandem::profile {
namespace {

/// The fastest row on a backend that does the work of the dense product.
double dense_seconds(const std::vector<Row>& rows, const std::string& backend) {
  double best = kAbsent;
  for (const Row& row : rows)
    if (row.dense && row.backend == backend && row.timed() && !(best <= row.time.summary.median))
      best = row.time.summary.median;
  return best;
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

double host_to_host(const Row& row) {
  if (!row.timed()) return kAbsent;
  if (row.backend != "cuda" || row.kernel == kAuto) return row.time.summary.median;
  return row.end_to_end.measured() ? row.end_to_end.summary.median : kAbsent;
}

bool Comparison::any_wrong() const {
  return std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.status == Status::wrong; });
}

void derive_figures(std::vector<Row>& rows) {
  double reference = kAbsent;
  for (const Row& row : rows)
    if (row.reference && row.timed() && std::isnan(reference)) reference = row.time.summary.median;
  for (Row& row : rows) {
    row.rate_unit = row.work.rate_is_flops ? arithmetic_unit(row.work) : "GB/s";
    if (!row.timed()) continue;
    const double median = row.time.summary.median;
    row.rate = (row.work.rate_is_flops ? row.work.flops : row.work.bytes) / median / 1e9;
    if (row.ceiling.value > 0) row.ceiling_fraction = row.ceiling.seconds / median;
    row.speedup_vs_reference = reference / median;
    if (row.end_to_end.measured()) row.end_to_end_speedup_vs_reference = reference / row.end_to_end.summary.median;
    if (row.work.dense_flops > 0 && row.work.flops > 0) {
      row.theoretical_speedup = row.work.dense_flops / row.work.flops;
      row.speedup_vs_dense = dense_seconds(rows, row.backend) / median;
    }
    if (row.kernel == kAuto) row.regret = regret_of(row, rows);
  }
}

}  // namespace tandem::profile
