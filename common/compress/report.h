// Turning a mask into a pruned tensor and the figures about it.
#pragma once

#include <cstdint>
#include <span>

#include <tandem/prune.h>

namespace tandem::compress {

/// What a report is computed from; those of several tensors add up.
struct Counts {
  std::int64_t elements = 0, kept = 0, zeros = 0;
  double square = 0, square_kept = 0;
  Counts& operator+=(const Counts& other);
};

PruneReport report_of(double requested, const Counts& counts);

/// Fills `values` and `mask` (row-major, of the weights' shape) in: weight i stays where keep(i).
template <class Keep>
Counts apply(std::span<const float> weights, Keep keep, float* values, std::uint8_t* mask) {
  Counts counts;
  counts.elements = static_cast<std::int64_t>(weights.size());
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const bool stays = keep(static_cast<std::int64_t>(i));
    const double square = static_cast<double>(weights[i]) * static_cast<double>(weights[i]);
    values[i] = stays ? weights[i] : 0.0f;
    mask[i] = stays ? 1 : 0;
    counts.kept += stays ? 1 : 0;
    counts.zeros += values[i] == 0.0f ? 1 : 0;
    counts.square += square;
    counts.square_kept += stays ? square : 0.0;
  }
  return counts;
}

}  // namespace tandem::compress
