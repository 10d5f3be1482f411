// How large the weights of a tensor are: what a pruning or a quantisation of them has to expect.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include <tandem/tensor.h>

namespace tandem {

/// Of |w|, in double.
struct Magnitudes {
  std::int64_t elements = 0;
  double min = 0, max = 0;  ///< 0 when there are none, like all below
  double mean = 0;
  double deviation = 0;  ///< root of the mean square difference to the mean
  double norm = 0;       ///< root of the sum of squares
  /// For each percentile p that was asked for: the value that p % of the magnitudes do not pass, linearly interpolated
  /// between neighbours as NumPy does.
  std::vector<double> percentiles;
  std::vector<double> below;  ///< for each threshold that was asked for: the fraction of magnitudes < it
};

/// f32 of any strides, on the host. Throws Error(invalid_argument) for other weights, a NaN or an infinity in them, and
/// a percentile outside [0, 100].
Magnitudes magnitudes(ConstView weights, std::span<const double> percentiles = {},
                      std::span<const double> thresholds = {});

}  // namespace tandem
