// Reading and writing NumPy's .npy files.
#pragma once

#include <cstdint>
#include <string>

#include <tandem/tensor.h>

namespace tandem {

/// The limit of load_npy on the data of one file when the caller names none: 64 GiB.
inline constexpr std::int64_t kNpyMaxBytes = std::int64_t{1} << 36;

/// Reads an .npy file (format 1.0, 2.0 or 3.0) into host memory. The dtypes are f32 '<f4', f16 '<f2', s8 '|i1',
/// u8 '|u1' and s32 '<i4'. A file in Fortran order becomes a tensor with column-major strides; nothing is transposed.
/// Files are not trusted: the header is checked, and the data must have exactly the size that the shape asks for,
/// before memory is taken. Throws Error(io_error) that names the file and the offending value when the file cannot be
/// read, is malformed, has more than kMaxRank dimensions or another dtype (big-endian ones too), or holds more than
/// `max_bytes` of data; Error(out_of_memory).
Tensor load_npy(const std::string& path, std::int64_t max_bytes = kNpyMaxBytes);

/// Writes a host view of any strides as .npy format 1.0: in Fortran order when the view is column-major without gaps
/// (and not row-major too), otherwise in C order. The file is written whole or not at all: into a temporary file in the
/// same folder, which then replaces `path`; when anything fails the old file stays and the temporary one is removed. A
/// symbolic link at `path` is followed; an existing file keeps its permissions. Throws Error(invalid_argument) for a
/// view on a GPU (bring it to the host first), Error(unsupported) for bf16 (NumPy has no such type) and
/// Error(io_error).
void save_npy(const std::string& path, const ConstView& view);

}  // namespace tandem
