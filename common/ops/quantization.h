// What the operations on integer tensors share: ranges of the types, scales and zero points along an axis.
#pragma once

#include <tandem/quantize.h>

#include "common/ops/operand.h"

namespace tandem {

/// The integers that a quantised value may take.
struct IntRange {
  std::int32_t low = -128;
  std::int32_t high = 127;
};
constexpr IntRange range_of(DType dtype, bool narrow = false) {
  return dtype == DType::u8 ? IntRange{narrow ? 1 : 0, 255} : IntRange{narrow ? -127 : -128, 127};
}

struct ScaleAndZero {
  float scale = 1;
  std::int32_t zero_point = 0;
};
/// Scale and zero point of a scheme for values in [low, high], low <= 0 <= high. The formulas of <tandem/quantize.h>,
/// one f32 operation a step: what every kernel must compute.
ScaleAndZero scale_from_range(float low, float high, DType dtype, Scheme scheme) noexcept;

/// The range of an input of that type, or of its zero points, for OperandSpec.
ValueRange zero_point_range(DType dtype);
/// Scales that the comparison and the tests draw: between 2^-10 and 2^-4, so that values of some units do not all
/// saturate.
inline constexpr ValueRange kScaleRange{0x1p-10, 0x1p-4};

/// Strides over a tensor of rank `rank` of values that are one for all or one for every index along `axis`.
Strides strides_along(const ConstView& values, int axis, int rank);
/// The same for a single value.
Strides repeated(int rank);

/// How scales and zero points lie along the innermost loop over the elements.
enum class ScalePlace : std::uint8_t {
  run,        // the same for the whole of each innermost run
  element,    // another for every element of a run, side by side
  scattered,  // another for every element, with gaps
};
constexpr ScalePlace place_of(std::int64_t inner_stride) {
  return inner_stride == 0 ? ScalePlace::run : inner_stride == 1 ? ScalePlace::element : ScalePlace::scattered;
}

/// Throws naming `op` unless dtype is s8 or u8.
void require_quantized(std::string_view op, std::string_view operand, DType dtype);
/// Throws unless scales and zero points fit a tensor of this shape and, where they are on the host, hold legal values.
void check_quantization(std::string_view op, const Quantization& quantization, const Shape& shape);
/// Throws unless `scales` is f32 [1] or [count] and, on the host, finite and > 0.
void check_scales(std::string_view op, std::string_view operand, const ConstView& scales, std::int64_t count);
/// Throws unless `axis` is -1 or a dimension of a tensor of this shape.
void check_scale_axis(std::string_view op, int axis, const Shape& shape);

/// Also of no channels, whose zero points are none.
inline bool has_zero_points(const Quantization& quantization) { return quantization.zero_points.shape().rank() > 0; }

/// "axis=N", "per_token" (axis 0) and "per_channel" (the last axis) of a problem string; false for another option.
bool parse_scale_axis(std::string_view op, std::string_view text, const std::string& option, const Shape& shape,
                      int& axis);

}  // namespace tandem
