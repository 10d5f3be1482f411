// The header of a safetensors file: parsed from bytes, and printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <tandem/tensor.h>

namespace tandem::io {

/// Longest header text accepted; the limit of the safetensors package.
inline constexpr std::uint64_t kSafetensorsMaxHeader = 100'000'000;
/// Bytes before the header text: its length, little-endian.
inline constexpr std::size_t kSafetensorsPreamble = 8;

struct SafetensorsEntry {
  DType dtype = DType::f32;
  Shape shape;
  std::int64_t begin = 0, end = 0;  ///< its bytes, counted from the first byte after the header
};

struct SafetensorsHeader {
  std::map<std::string, SafetensorsEntry> tensors;
  std::map<std::string, std::string> metadata;
};

/// Length of the header text, from the first bytes of a file of `file_bytes` bytes (all of them, or the preamble).
/// Never more than the file holds. `file` is the name used in messages. Throws Error(io_error).
std::size_t safetensors_header_length(std::string_view start, std::uint64_t file_bytes, std::string_view file);

/// Parses the header text of a file with `data_bytes` bytes behind it. The entries fill [0, data_bytes) exactly, and
/// each has the bytes of its shape. A pure function. Throws Error(io_error).
SafetensorsHeader parse_safetensors_header(std::string_view text, std::uint64_t data_bytes, std::string_view file);

/// Length and text, padded with spaces so that the data start at a multiple of 8; tensors in the order of their
/// bytes. Throws Error(invalid_argument) for a tensor with the name of the metadata, text that is not UTF-8, and a
/// text above kSafetensorsMaxHeader.
std::string print_safetensors_header(const SafetensorsHeader& header, std::string_view file);

}  // namespace tandem::io
