#include <tandem/machine.h>

#include <algorithm>

namespace tandem {

double CopyCurve::at(std::int64_t bytes) const noexcept {
  std::size_t upper = 1;
  while (upper + 1 < kPoints && bytes > bytes_at(upper)) ++upper;
  const double x0 = static_cast<double>(bytes_at(upper - 1)), x1 = static_cast<double>(bytes_at(upper));
  const double y0 = seconds[upper - 1], y1 = seconds[upper];
  return std::max(seconds.front(), y0 + (y1 - y0) * (static_cast<double>(bytes) - x0) / (x1 - x0));
}

}  // namespace tandem
