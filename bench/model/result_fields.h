// The fields of a model's results, once for writing and reading, as common/profile/result_fields.h has them for
// comparisons.
#pragma once

#include <cmath>
#include <type_traits>

#include "bench/model/result.h"
#include "common/profile/result_fields.h"

namespace tandem::models {

template <class Io, class S>
void describe_speed(Io& io, S& speed) {
  profile::describe_timing(io, "", speed.time);
  io("speedup", speed.speedup);
  io("rows_per_second", speed.rows_per_second);
}

/// A count as its share of all rows, where the row was right and there are labels.
template <class Io, class R, class Count>
void describe_share(Io& io, const char* key, R& result, Count& count, bool right) {
  const auto rows = static_cast<double>(result.rows);
  double share = right && result.has_labels() ? static_cast<double>(count) / rows : kAbsent;
  io(key, share);
  if constexpr (!std::is_const_v<Count>)
    count = share >= 0 && share <= 1 ? static_cast<std::int64_t>(std::lround(share * rows)) : 0;
}

template <class Io, class R, class V>
void describe_variant(Io& io, R& result, V& row) {
  io("variant", row.variant);
  io("backend", row.backend);
  io("status", row.status);
  io("reason", row.reason);
  io("threads", row.threads);
  io("kernels", row.kernels);
  io("zeros", row.zeros);
  io("disk_bytes", profile::Known{row.disk_bytes, row.disk_bytes > 0});
  io("memory_bytes", profile::Known{row.memory_bytes, row.memory_bytes > 0});
  const bool right = row.status == profile::Status::ok;  // figures of others do not exist
  describe_share(io, "accuracy", result, row.correct, right);
  describe_share(io, "agreement", result, row.agreeing, right);
  io("max_error", profile::Known{row.max_error, right, kAbsent});
  io("mean_error", profile::Known{row.mean_error, right, kAbsent});
  io("relative_error", profile::Known{row.relative_error, right, kAbsent});
  io("bound_ratio", row.bound_ratio);
  io("compared", row.compared);
  bool counted = row.calibrated && right;
  io("quantized", profile::Counted{counted, row.quantized});
  io("saturated", profile::Counted{counted, row.saturated});
  if constexpr (!std::is_const_v<V>) row.calibrated = counted;
  io.object("batch_1", [&](auto& inner) { describe_speed(inner, row.one); });
  io.object("full_batch", [&](auto& inner) { describe_speed(inner, row.full); });
  io("reproduce", row.reproduce);
}

template <class Io, class R>
void describe_result(Io& io, R& result) {
  profile::describe_run(io, result);
  io("file", result.file);
  io("data", result.data);
  io("labels", result.labels);
  io("model", result.model);
  io("weights", result.weights);
  io("rows", result.rows);
  io("calibration", result.calibration);
  io.list("variants", result.variants, [&](auto& inner, auto& row) { describe_variant(inner, result, row); });
}

}  // namespace tandem::models
