// Numbers for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::profile {

/// A unit of time that keeps the number between 1 and 1000: {"us", 1e-6}.
struct TimeUnit {
  std::string_view name;
  double seconds;
};
TimeUnit unit_for(double seconds);

/// Four significant digits without an exponent: "0.1302", "130.2", "13020".
std::string significant(double value);
/// "130.2 us"; "n/a" for NaN.
std::string duration(double seconds);
/// "29.4 M": three digits and an SI prefix.
std::string with_prefix(double value);
/// "48 KiB".
std::string kibibytes(std::int64_t bytes);
/// "93.5 %".
std::string percent(double fraction);
/// Columns that text takes on a terminal: code points, for the characters used here.
std::size_t display_width(std::string_view text);
/// Padded with blanks to `width` columns, on the right or on the left.
std::string left(std::string_view text, std::size_t width);
std::string right(std::string_view text, std::size_t width);
/// A horizontal bar of `width` columns, filled up to `fraction` (clamped to 0..1), in eighths where `unicode`.
std::string bar(double fraction, std::size_t width, bool unicode);

}  // namespace tandem::profile
