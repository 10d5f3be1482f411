#include "common/ops/quantization.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/format.h>

namespace tandem {
namespace {

/// Values on the host, one by one; nothing for values elsewhere.
template <class T, class Visit>
void for_each_value(const ConstView& values, Visit visit) {
  if (!values.device().is_cpu()) return;
  const auto* data = static_cast<const T*>(values.data());
  for (std::int64_t i = 0; i < values.elements(); ++i) visit(i, data[i * values.strides()[0]]);
}

void check_count(std::string_view op, std::string_view what, const ConstView& values, std::int64_t count) {
  if (values.rank() == 1 && (values.shape()[0] == 1 || values.shape()[0] == count)) return;
  throw Error(Code::invalid_argument,
              fmt::format("{}: {} have shape {}, but one{} needed", op, what, to_string(values.shape()),
                          count == 1 ? std::string(" is") : fmt::format(" or {} are", count)));
}

void check_zero_points(std::string_view op, const Quantization& quantization, std::int64_t count) {
  const ConstView zero_points = quantization.zero_points;
  require_dtype(op, "zero points", zero_points, DType::s32);
  check_count(op, "zero points", zero_points, count);
  const IntRange range = range_of(quantization.dtype, quantization.narrow);
  for_each_value<std::int32_t>(zero_points, [&](std::int64_t i, std::int32_t z) {
    if (z < range.low || z > range.high)
      throw Error(Code::invalid_argument,
                  fmt::format("{}: zero point {} is {}, outside [{}, {}]", op, i, z, range.low, range.high));
  });
}

}  // namespace

std::string_view name(Scheme scheme) noexcept { return scheme == Scheme::symmetric ? "symmetric" : "asymmetric"; }

ScaleAndZero scale_from_range(float low, float high, DType dtype, Scheme scheme) noexcept {
  using Limits = std::numeric_limits<float>;
  const IntRange range = range_of(dtype);
  low = std::max(low, Limits::lowest());
  high = std::min(high, Limits::max());
  const bool empty = low == 0 && high == 0;
  if (scheme == Scheme::symmetric) {
    const float scale = empty ? 1.0f : std::max(std::max(-low, high) / 127.0f, Limits::min());
    return {scale, dtype == DType::u8 ? 128 : 0};
  }
  if (empty) return {1.0f, range.low};
  // Halves do not overflow, and give the same bits as (high - low) / 255 where that does not.
  const float scale = std::max((0.5f * high - 0.5f * low) / 127.5f, Limits::min());
  const float zero = std::nearbyint(static_cast<float>(range.low) - low / scale);
  return {scale,
          static_cast<std::int32_t>(std::clamp(zero, static_cast<float>(range.low), static_cast<float>(range.high)))};
}

ValueRange zero_point_range(DType dtype) {
  const IntRange range = range_of(dtype);
  return {static_cast<double>(range.low), static_cast<double>(range.high)};
}

Strides strides_along(const ConstView& values, int axis, int rank) {
  Strides strides;
  for (int d = 0; d < rank; ++d) strides.push_back(d == axis && values.shape()[0] != 1 ? values.strides()[0] : 0);
  return strides;
}

Strides repeated(int rank) {
  Strides strides;
  for (int d = 0; d < rank; ++d) strides.push_back(0);
  return strides;
}

void require_quantized(std::string_view op, std::string_view operand, DType dtype) {
  if (dtype != DType::s8 && dtype != DType::u8)
    throw Error(Code::invalid_argument,
                fmt::format("{}: {} is {}, only s8 and u8 are supported", op, operand, name(dtype)));
}

void check_scales(std::string_view op, std::string_view operand, const ConstView& scales, std::int64_t count) {
  require_dtype(op, operand, scales, DType::f32);
  check_count(op, operand, scales, count);
  for_each_value<float>(scales, [&](std::int64_t i, float s) {
    if (!(s > 0) || !std::isfinite(s))
      throw Error(Code::invalid_argument,
                  fmt::format("{}: {} must be finite and > 0, but number {} is {}", op, operand, i, s));
  });
}

void check_scale_axis(std::string_view op, int axis, const Shape& shape) {
  if (axis < -1 || axis >= shape.rank())
    throw Error(Code::invalid_argument, fmt::format("{}: axis {} is neither -1 (one scale) nor a dimension of shape {}",
                                                    op, axis, to_string(shape)));
}

void check_quantization(std::string_view op, const Quantization& quantization, const Shape& shape) {
  require_quantized(op, "the quantisation", quantization.dtype);
  check_scale_axis(op, quantization.axis, shape);
  const std::int64_t count = quantization.axis < 0 ? 1 : shape[quantization.axis];
  check_scales(op, "scales", quantization.scales, count);
  if (has_zero_points(quantization))
    check_zero_points(op, quantization, count);
  else if (quantization.dtype == DType::u8 && quantization.narrow)
    throw Error(Code::invalid_argument, fmt::format("{}: zero point 0 is outside [1, 255] of narrow u8", op));
}

bool parse_scale_axis(std::string_view op, std::string_view text, const std::string& option, const Shape& shape,
                      int& axis) {
  if (option == "per_token" || option == "per_channel") {
    axis = option == "per_token" ? 0 : shape.rank() - 1;
  } else if (const std::optional<int> given = axis_option(op, text, option)) {
    axis = *given;
  } else {
    return false;
  }
  check_scale_axis(op, axis, shape);
  if (axis < 0)
    throw Error(Code::invalid_argument, fmt::format("{} '{}': there is no axis for '{}'", op, text, option));
  return true;
}

}  // namespace tandem
