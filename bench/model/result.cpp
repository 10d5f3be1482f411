#include "bench/model/result.h"

#include <algorithm>

namespace tandem::models {
namespace {

void derive(Speed& speed, const Speed* plain, std::int64_t rows) {
  if (!speed.time.measured()) return;
  speed.rows_per_second = static_cast<double>(rows) / speed.time.summary.median;
  if (plain && plain->time.measured()) speed.speedup = plain->time.summary.median / speed.time.summary.median;
}

}  // namespace

bool Result::any_wrong() const {
  return std::any_of(variants.begin(), variants.end(),
                     [](const Row& row) { return row.status == profile::Status::wrong; });
}

void derive_figures(Result& result) {
  for (Row& row : result.variants) {
    const auto plain = std::find_if(result.variants.begin(), result.variants.end(), [&](const Row& other) {
      return other.variant == "f32" && other.backend == row.backend;
    });
    const bool found = plain != result.variants.end();
    derive(row.one, found ? &plain->one : nullptr, 1);
    derive(row.full, found ? &plain->full : nullptr, result.rows);
  }
}

}  // namespace tandem::models
