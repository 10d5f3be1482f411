#include "common/tuning/record.h"

#include <cmath>

namespace tandem::tuning {

void record(std::vector<Measurement>& measured, std::span<const profile::Row> rows) {
  for (const profile::Row& row : rows) {
    const profile::Summary& time = row.time.summary;
    if (row.kernel == profile::kAuto || row.status != profile::Status::ok || !row.time.measured()) continue;
    if (row.operands.find(".npy") != row.operands.npos || !(time.median > 0)) continue;
    const double spread = row.time.samples.size() > 1 ? time.relative_iqr() / 2 : 0;
    measured.push_back({row.kernel, row.op, row.problem, row.backend == "cpu" ? row.threads : 0, time.median,
                        std::isfinite(spread) ? spread : 0});
  }
}

void record(std::vector<Measurement>& measured, const profile::Comparison& comparison) {
  record(measured, std::span<const profile::Row>(comparison.rows));
}

}  // namespace tandem::tuning
