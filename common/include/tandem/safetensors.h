// Reading and writing safetensors files: named tensors, and text about them, in one file.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <tandem/tensor.h>

namespace tandem {

/// The limit of load_safetensors on the data of one file when the caller names none: 64 GiB.
inline constexpr std::int64_t kSafetensorsMaxBytes = std::int64_t{1} << 36;

/// What one file holds.
struct SafetensorsFile {
  std::map<std::string, Tensor> tensors;        ///< row-major, on the host
  std::map<std::string, std::string> metadata;  ///< the file's "__metadata__"; empty when it has none
};

/// Reads all tensors of a safetensors file into host memory. The dtypes are f32 F32, bf16 BF16, f16 F16, s8 I8, u8 U8
/// and s32 I32. Files are not trusted: the header (at most 100 MB of JSON) is checked, no name and no key may appear
/// twice, and the tensors must fill the data exactly, without gaps, overlaps or trailing bytes, before memory is taken
/// for them. Throws Error(io_error) that names the file and the offending value when the file cannot be read, is
/// malformed, has a tensor of another dtype or of more than kMaxRank dimensions, or holds more than `max_bytes`
/// of data; Error(out_of_memory).
SafetensorsFile load_safetensors(const std::string& path, std::int64_t max_bytes = kSafetensorsMaxBytes);

/// Writes host views of any strides, in C order. The order in the file is that of the safetensors package: the largest
/// element type first (F32, I32, BF16, F16, I8, U8), then by name; the same input gives the same bytes. The file is
/// written whole or not at all, as save_npy does it. Throws Error(invalid_argument) for a view on a GPU (bring it to
/// the host first), a tensor named "__metadata__", text that is not UTF-8, and a header above 100 MB; Error(io_error).
void save_safetensors(const std::string& path, const std::map<std::string, ConstView>& tensors,
                      const std::map<std::string, std::string>& metadata = {});

}  // namespace tandem
