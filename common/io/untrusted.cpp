#include "common/io/untrusted.h"

#include <algorithm>

#include <fmt/format.h>

namespace tandem::io {

std::string printable(std::string_view text) {
  constexpr std::size_t kLongest = 40;
  std::string out;
  for (const char c : text.substr(0, kLongest)) {
    if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > kLongest) out += "...";
  return out;
}

std::optional<std::int64_t> checked_bytes(DType dtype, const Shape& shape) noexcept {
  std::int64_t reach = static_cast<std::int64_t>(size_of(dtype));
  bool empty = false;
  for (const std::int64_t size : shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(reach, std::max<std::int64_t>(size, 1), &reach)) return std::nullopt;
  }
  return empty ? 0 : reach;
}

}  // namespace tandem::io
