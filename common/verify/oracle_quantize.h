// Oracles of the operations on integer tensors. Every number is exact: the f32 steps that <tandem/quantize.h> states
// are done in double and rounded to f32 after each (a double holds the product of two floats, and its quotient rounds
// to the float that the division itself would give), sums are 64-bit integers. Only the activations of f32 products
// other than relu have a bound. Included by common/verify/oracle.h.
#pragma once

#include <cmath>
#include <optional>

#include <tandem/quantize.h>

#include "common/verify/oracle.h"
#include "common/verify/oracle_elementwise.h"
#include "common/verify/oracle_matmul.h"
#include "common/verify/oracle_sparse24.h"

namespace tandem::verify {

/// One rounding to f32.
inline double f32(double value) { return static_cast<double>(static_cast<float>(value)); }

inline double lowest_of(DType dtype, bool narrow) { return (dtype == DType::u8 ? 0 : -128) + (narrow ? 1 : 0); }
inline double highest_of(DType dtype) { return dtype == DType::u8 ? 255 : 127; }

/// clamp(rint(v) + z): v is already f32; NaN gives z.
inline double to_integer(double v, double zero_point, double low, double high) {
  if (std::isnan(v)) v = 0;
  return std::min(std::max(std::nearbyint(v) + zero_point, low), high);
}

/// The same as what a result must be, and whether it was clamped to the ends of its type. `low` may lie above the end
/// of the type: a relu is no saturation.
inline Expected expected_integer(double v, double zero_point, double low, double high, double lowest_of_type) {
  const double free = std::isnan(v) ? zero_point : std::nearbyint(v) + zero_point;
  return {to_integer(v, zero_point, low, high), 0, free > high || free < lowest_of_type};
}

/// One number for all, or one for every index along an axis of a tensor of this rank.
inline Strides spread(const ConstView& values, int axis, int rank) {
  Strides strides;
  for (int d = 0; d < rank; ++d) strides.push_back(d == axis && values.shape()[0] > 1 ? values.strides()[0] : 0);
  return strides;
}

/// Quantize and Dequantize.
template <class Op>
class ScaleOracle : public NumberResult {
 public:
  ScaleOracle(const QuantizeAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes), in_(operands[0]), scales_(operands[1]), out_(operands.back()) {
    if (attributes.zero_points) zero_points_ = operands[2];
  }

  std::int64_t elements() const { return out_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    const int rank = out_.rank();
    const Strides s = spread(scales_, attributes_.axis, rank);
    const Strides z = attributes_.zero_points ? spread(zero_points_, attributes_.axis, rank) : s;
    walk<3>(begin, end, out_.shape(), {in_.strides(), s, z}, [&](std::int64_t i, const std::int64_t(&at)[3]) {
      const double zero = attributes_.zero_points ? number_at(zero_points_, at[2]) : 0;
      out[i - begin] = one(number_at(in_, at[0]), f32_at(scales_, at[1]), zero);
    });
  }

 private:
  Expected one(double in, double scale, double zero) const {
    if constexpr (std::is_same_v<Op, Dequantize>) {
      return {f32((in - zero) * scale), 0};
    } else {
      const double low = lowest_of(out_.dtype(), attributes_.narrow);
      return expected_integer(f32(in / scale), zero, low, highest_of(out_.dtype()), low);
    }
  }

  QuantizeAttributes attributes_;
  ConstView in_, scales_, zero_points_, out_;
};
template <>
class Oracle<Quantize> : public ScaleOracle<Quantize> {
  using ScaleOracle::ScaleOracle;
};
template <>
class Oracle<Dequantize> : public ScaleOracle<Dequantize> {
  using ScaleOracle::ScaleOracle;
};

/// Results: scales, zero points, and the integers.
template <>
class Oracle<DynamicQuantize> : public NumberResult {
 public:
  Oracle(const DynamicQuantizeAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes), x_(operands[0]), q_(operands[3]) {
    const std::int64_t channels = attributes.axis < 0 ? 1 : x_.shape()[attributes.axis];
    std::vector<Range> ranges(static_cast<std::size_t>(channels));
    walk<2>(0, x_.elements(), x_.shape(), {x_.strides(), channel_numbers()},
            [&](std::int64_t, const std::int64_t(&at)[2]) {
              const double x = f32_at(x_, at[0]);
              Range& range = ranges[static_cast<std::size_t>(at[1])];
              if (x < range.low) range.low = std::max(x, -kLargest);
              if (x > range.high) range.high = std::min(x, kLargest);
            });
    for (const Range& range : ranges) channels_.push_back(derive(range));
  }

  std::int64_t elements() const { return q_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    const double low = lowest_of(q_.dtype(), attributes_.scheme == Scheme::symmetric);
    walk<2>(begin, end, x_.shape(), {x_.strides(), channel_numbers()}, [&](std::int64_t i, const std::int64_t(&at)[2]) {
      const Channel& channel = channels_[static_cast<std::size_t>(at[1])];
      out[i - begin] = expected_integer(f32(f32_at(x_, at[0]) / channel.scale), channel.zero_point, low,
                                        highest_of(q_.dtype()), low);
    });
  }
  /// All elements of another result: 0 the scales, 1 the zero points.
  void expect_other(std::size_t result, Expected* out) const {
    for (const Channel& channel : channels_) *out++ = {result == 0 ? channel.scale : channel.zero_point, 0};
  }

 private:
  struct Range {
    double low = 0, high = 0;
  };
  struct Channel {
    double scale, zero_point;
  };

  // The index along the axis as if it were an operand.
  Strides channel_numbers() const {
    Strides strides = x_.shape();
    for (int d = 0; d < x_.rank(); ++d) strides[d] = d == attributes_.axis ? 1 : 0;
    return strides;
  }

  Channel derive(const Range& range) const {
    constexpr double kSmallest = 0x1p-126;
    const bool empty = range.low == 0 && range.high == 0;
    const double low = lowest_of(q_.dtype(), false);
    if (attributes_.scheme == Scheme::symmetric) {
      const double largest = std::max(-range.low, range.high);
      return {empty ? 1.0 : std::max(f32(largest / 127), kSmallest), q_.dtype() == DType::u8 ? 128.0 : 0.0};
    }
    if (empty) return {1.0, low};
    const double width = f32(f32(range.high / 2) - f32(range.low / 2));
    const double scale = std::max(f32(width / 127.5), kSmallest);
    return {scale, to_integer(f32(low - f32(range.low / scale)), 0, low, highest_of(q_.dtype()))};
  }

  DynamicQuantizeAttributes attributes_;
  ConstView x_, q_;
  std::vector<Channel> channels_;
};

template <>
class Oracle<Requantize> : public NumberResult {
 public:
  Oracle(const RequantizeAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes), acc_(operands[0]), multipliers_(operands[1]), q_(operands[2]) {}

  std::int64_t elements() const { return q_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    const Strides m = spread(multipliers_, q_.rank() - 1, q_.rank());
    walk<2>(begin, end, q_.shape(), {acc_.strides(), m}, [&](std::int64_t i, const std::int64_t(&at)[2]) {
      const double product = f32(f32(number_at(acc_, at[0])) * f32_at(multipliers_, at[1]));
      const double low = lowest_of(q_.dtype(), false);
      out[i - begin] = expected_integer(product, attributes_.zero_point, low, highest_of(q_.dtype()), low);
    });
  }

 private:
  RequantizeAttributes attributes_;
  ConstView acc_, multipliers_, q_;
};

template <>
class Oracle<QuantizedRelu> : public NumberResult {
 public:
  Oracle(const QuantizedReluAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes), q_(operands[0]) {
    if (attributes.zero_points) zero_points_ = operands[1];
  }

  std::int64_t elements() const { return q_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    const Strides z = attributes_.zero_points ? spread(zero_points_, attributes_.axis, q_.rank()) : q_.strides();
    walk<2>(begin, end, q_.shape(), {q_.strides(), z}, [&](std::int64_t i, const std::int64_t(&at)[2]) {
      const double zero = attributes_.zero_points ? number_at(zero_points_, at[1]) : 0;
      out[i - begin] = {std::max(number_at(q_, at[0]), zero), 0};
    });
  }

 private:
  QuantizedReluAttributes attributes_;
  ConstView q_, zero_points_;
};

template <>
class Oracle<QuantizedMatmul> : public NumberResult {
 public:
  Oracle(const QuantizedMatmulAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes), a_(operands[0]), b_(operands[1]), c_(operands.back()) {
    std::size_t next = 2;
    if (attributes.b_format == MatrixFormat::sparse24) {
      expanded_.emplace(operands[1], operands[next++], a_.shape()[1]);
      b_ = expanded_->view();
    }
    if (c_.dtype() != DType::s32) {
      sa_ = operands[next++];
      sb_ = operands[next++];
    }
    if (attributes.a_zero_points) za_ = operands[next++];
    if (attributes.b_zero_points) zb_ = operands[next++];
    if (attributes.bias != QuantizedBias::none) bias_ = operands[next++];
  }

  std::int64_t m() const { return c_.shape()[0]; }
  std::int64_t n() const { return c_.shape()[1]; }
  std::int64_t k() const { return a_.shape()[1]; }
  std::int64_t batch() const { return 1; }
  std::int64_t elements() const { return m() * n(); }

  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    for (std::int64_t at = begin; at < end; ++at) {
      const std::int64_t i = at / n(), j = at % n();
      std::int64_t sum = dot(i, j);
      if (attributes_.bias == QuantizedBias::s32) sum += static_cast<std::int64_t>(entry(bias_, j));
      *out++ = finish(static_cast<double>(sum), i, j);
    }
  }

 private:
  static double entry(const ConstView& v, std::int64_t i) {
    return number_at(v, v.shape()[0] == 1 ? 0 : i * v.strides()[0]);
  }

  std::int64_t dot(std::int64_t i, std::int64_t j) const {
    return a_.dtype() == DType::u8 ? dot_of<std::uint8_t>(i, j) : dot_of<std::int8_t>(i, j);
  }
  template <class A>
  std::int64_t dot_of(std::int64_t i, std::int64_t j) const {
    const int za = za_.data() ? static_cast<int>(entry(za_, i)) : 0,
              zb = zb_.data() ? static_cast<int>(entry(zb_, j)) : 0;
    const A* a = static_cast<const A*>(a_.data()) + i * a_.strides()[0];
    const std::int8_t* b = static_cast<const std::int8_t*>(b_.data()) + j * b_.strides()[1];
    const std::int64_t a_step = a_.strides()[1], b_step = b_.strides()[0], k = a_.shape()[1];
    std::int64_t sum = 0;
    for (std::int64_t l = 0; l < k; ++l) sum += (a[l * a_step] - za) * (b[l * b_step] - zb);
    return sum;
  }

  Expected finish(double sum, std::int64_t i, std::int64_t j) const {
    const bool relu = attributes_.activation == Activation::relu;
    if (c_.dtype() == DType::s32) return {relu ? std::max(sum, 0.0) : sum, 0};
    const double scale = f32(entry(sa_, i) * entry(sb_, j));
    if (c_.dtype() != DType::f32) {
      const double zero = attributes_.result_zero_point, low = lowest_of(c_.dtype(), false);
      const double multiplier = f32(scale / static_cast<double>(attributes_.result_scale));
      return expected_integer(f32(f32(sum) * multiplier), zero, relu ? std::max(low, zero) : low,
                              highest_of(c_.dtype()), relu ? -kInfinity : low);
    }
    double value = f32(f32(sum) * scale);
    if (attributes_.bias == QuantizedBias::f32) value = f32(value + entry(bias_, j));
    if (attributes_.activation == Activation::none) return {value, 0};
    return expected_of(function_of(attributes_.activation), value);
  }

  QuantizedMatmulAttributes attributes_;
  ConstView a_, b_, c_, sa_, sb_, za_, zb_, bias_;
  std::optional<Expanded24> expanded_;
};

}  // namespace tandem::verify
