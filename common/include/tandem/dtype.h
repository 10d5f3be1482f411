// Element types: their size, name and accumulator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tandem {

/// Element type of a tensor. f32 is IEEE binary32; bf16 and f16 (IEEE binary16) are stored as 16-bit patterns. f16 is
/// for storage: files, copies, transposes and convert take it, no arithmetic does.
enum class DType : std::uint8_t { f32, bf16, f16, s8, u8, s32 };

/// Bytes of one element.
std::size_t size_of(DType dtype) noexcept;

/// "f32", "bf16", "f16", "s8", "u8" or "s32".
std::string_view name(DType dtype) noexcept;

/// The type in which products of `dtype` are accumulated: f32 for the floating types, s32 for the integer ones.
DType accumulator(DType dtype) noexcept;

/// The inverse of name(). Throws Error(invalid_argument) that lists the known names.
DType parse_dtype(std::string_view text);

/// The DType of a C++ element type. bf16 and f16 have no C++20 type: use View::data() for those.
template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::f32;
};
template <>
struct DTypeOf<std::int8_t> {
  static constexpr DType value = DType::s8;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::u8;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::s32;
};

}  // namespace tandem
