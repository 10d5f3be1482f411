// The header of an .npy file: parsed from bytes, and printed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/tensor.h>

namespace tandem::io {

/// Longest header text accepted; NumPy's own limit for files that are not trusted.
inline constexpr std::size_t kNpyMaxHeader = 10000;
/// Bytes of magic, version and length before the text, at most.
inline constexpr std::size_t kNpyMaxPreamble = 12;

struct NpyHeader {
  DType dtype = DType::f32;
  Shape shape;
  bool fortran_order = false;
  std::size_t data_offset = 0;  ///< first byte of the elements
};

/// Parses the header at the start of `bytes` (the first kNpyMaxPreamble + kNpyMaxHeader bytes of a file are enough).
/// A pure function; `file` is the name used in messages. Throws Error(io_error).
NpyHeader parse_npy_header(std::string_view bytes, std::string_view file);

/// Bytes of the elements that the header describes. Throws Error(io_error) when they pass 2^63 - 1, even
/// if another dimension is 0, so that every stride fits as well.
std::int64_t npy_data_bytes(const NpyHeader& header, std::string_view file);

/// Magic, version 1.0 and text, padded so that the elements start at a multiple of 64; `data_offset` is not used.
/// Throws Error(unsupported) for bf16.
std::string print_npy_header(const NpyHeader& header, std::string_view file);

}  // namespace tandem::io
