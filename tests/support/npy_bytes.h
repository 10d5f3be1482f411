// .npy files made by hand, right or wrong.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tandem::test {

/// Magic, version, length (of `length` instead of the text's own when given) and text, then the data.
inline std::string npy_bytes(std::string_view text, std::string_view data, int major = 1, long length = -1) {
  const unsigned long stored = length >= 0 ? static_cast<unsigned long>(length) : text.size();
  std::string out = "\x93NUMPY";
  out += static_cast<char>(major);
  out += '\0';
  for (int byte = 0; byte < (major == 1 ? 2 : 4); ++byte) out += static_cast<char>(stored >> (8 * byte) & 0xff);
  out += text;
  out += data;
  return out;
}

}  // namespace tandem::test
