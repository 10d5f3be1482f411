#include "bench/support/product_size.h"

#include <charconv>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "bench/support/run_options.h"
#include "common/profile/noise.h"

namespace tandem::bench {

ProductSize parse_product(const std::string& text, bool transposed, double bytes) {
  const char *at = text.data(), *end = at + text.size();
  const auto refuse = [&] {
    throw UsageError(fmt::format("'{}' is no product: write MxNxK, such as 255x255x255{}", text,
                                 transposed ? ", with ,ta or ,tb behind it for a matrix stored transposed" : ""));
  };
  const auto size = [&](char before) {
    std::int64_t value = 0;
    if (before != '\0' && (at == end || *at++ != before)) refuse();
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 1 || value > std::numeric_limits<std::int32_t>::max()) refuse();
    at = stop;
    return value;
  };
  ProductSize s;
  s.m = size('\0');
  s.n = size('x');
  s.k = size('x');
  for (const auto& [word, flag] : {std::pair{",ta", &ProductSize::ta}, std::pair{",tb", &ProductSize::tb}})
    if (transposed && std::string_view(at, end).starts_with(word)) {
      s.*flag = true;
      at += 3;
    }
  if (at != end) refuse();
  const auto real = [](std::int64_t x) { return static_cast<double>(x); };
  const double needed = bytes * (real(s.m) * real(s.k) + real(s.k) * real(s.n) + real(s.m) * real(s.n));
  const double there = profile::available_memory();
  if (there > 0 && needed > 0.9 * there)
    throw UsageError(
        fmt::format("'{}' needs {:.1f} GiB, but {:.1f} GiB of memory are free", text, needed / 0x1p30, there / 0x1p30));
  return s;
}

void check_seconds(double seconds) {
  if (!(seconds > 0 && seconds <= 60))
    throw UsageError(fmt::format("--seconds {}: write seconds, above 0 and up to 60", seconds));
}

}  // namespace tandem::bench
