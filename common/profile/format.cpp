#include "common/profile/format.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace tandem::profile {

TimeUnit unit_for(double seconds) {
  for (const TimeUnit& unit : {TimeUnit{"s", 1}, TimeUnit{"ms", 1e-3}, TimeUnit{"us", 1e-6}})
    if (seconds >= unit.seconds) return unit;
  return {"ns", 1e-9};
}

std::string significant(double value) {
  if (!std::isfinite(value)) return "n/a";
  const int before = value == 0 ? 1 : static_cast<int>(std::floor(std::log10(std::abs(value)))) + 1;
  return fmt::format("{:.{}f}", value, std::clamp(4 - before, 0, 9));
}

std::string duration(double seconds) {
  if (std::isnan(seconds)) return "n/a";
  const TimeUnit unit = unit_for(seconds);
  return significant(seconds / unit.seconds) + " " + std::string(unit.name);
}

std::string with_prefix(double value) {
  constexpr std::array<std::string_view, 5> kPrefixes = {"", "k", "M", "G", "T"};
  std::size_t i = 0;
  while (value >= 999.5 && i + 1 < kPrefixes.size()) {
    value /= 1000;
    ++i;
  }
  return fmt::format("{:.3g} {}", value, kPrefixes[i]);
}

std::string kibibytes(std::int64_t bytes) {
  if (bytes % (1 << 20) == 0) return fmt::format("{} MiB", bytes >> 20);
  return fmt::format("{:.4g} KiB", static_cast<double>(bytes) / 1024);
}

std::string percent(double fraction) { return std::isnan(fraction) ? "n/a" : fmt::format("{:.1f} %", fraction * 100); }

std::size_t display_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string left(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(text) + std::string(width > used ? width - used : 0, ' ');
}

std::string right(std::string_view text, std::size_t width) {
  const std::size_t used = display_width(text);
  return std::string(width > used ? width - used : 0, ' ') + std::string(text);
}

std::string bar(double fraction, std::size_t width, bool unicode) {
  constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double part = std::isnan(fraction) ? 0 : std::clamp(fraction, 0.0, 1.0);
  const auto eighths = static_cast<std::size_t>(std::lround(part * static_cast<double>(width) * 8));
  std::string text;
  for (std::size_t i = 0; i < eighths / 8; ++i) text += unicode ? "█" : "#";
  if (unicode)
    text += kEighths[eighths % 8];
  else if (eighths % 8 >= 4)
    text += "-";
  return left(text, width);
}

}  // namespace tandem::profile
