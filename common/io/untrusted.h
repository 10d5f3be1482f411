// Values from files that are not trusted: text fit for a message, and sizes whose product is checked.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <tandem/tensor.h>

namespace tandem::io {

/// Text for a message: short, on one line, printable.
std::string printable(std::string_view text);

/// Bytes of `shape` elements of `dtype`, sizes >= 0. Nothing when they pass 2^63 - 1, even if another dimension is 0,
/// so that every stride fits as well.
std::optional<std::int64_t> checked_bytes(DType dtype, const Shape& shape) noexcept;

}  // namespace tandem::io
