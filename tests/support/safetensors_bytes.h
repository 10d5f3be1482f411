// safetensors files made by hand, right or wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tandem::test {

/// Length (of `length` instead of the text's own when given), text, then the data.
inline std::string safetensors_bytes(std::string_view text, std::string_view data, std::int64_t length = -1) {
  const auto stored = length >= 0 ? static_cast<std::uint64_t>(length) : std::uint64_t{text.size()};
  std::string out;
  for (int byte = 0; byte < 8; ++byte) out += static_cast<char>(stored >> (8 * byte) & 0xff);
  out += text;
  out += data;
  return out;
}

}  // namespace tandem::test
