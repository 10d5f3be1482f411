// Oracles of Unary, Binary and Convert. Included by common/verify/oracle.h.
#pragma once

#include "common/verify/oracle.h"

namespace tandem::verify {

/// The function in double. GELU and SiLU at -infinity are their limit, zero.
inline double exact(UnaryFn fn, double x) {
  if (std::isnan(x)) return x;
  const auto sigmoid = [](double v) { return v >= 0 ? 1 / (1 + std::exp(-v)) : std::exp(v) / (1 + std::exp(v)); };
  const bool far_left = x == -kInfinity;
  switch (fn) {
    case UnaryFn::relu:
      return x > 0 ? x : 0.0;
    case UnaryFn::exp:
      return std::exp(x);
    case UnaryFn::sigmoid:
      return sigmoid(x);
    case UnaryFn::tanh:
      return std::tanh(x);
    case UnaryFn::silu:
      return far_left ? 0.0 : x * sigmoid(x);
    case UnaryFn::gelu_sigmoid:
      return far_left ? 0.0 : x * sigmoid(1.702 * x);
    case UnaryFn::gelu_erf:
      return far_left ? 0.0 : 0.5 * x * std::erfc(-x * 0.70710678118654752440);
    case UnaryFn::gelu_tanh: {
      // x/2 (1 + tanh z) = x sigmoid(2 z), which loses nothing where tanh z is near -1.
      const double z = 0.79788456080286535588 * (x + 0.044715 * x * x * x);
      return far_left ? 0.0 : x * sigmoid(2 * z);
    }
  }
  return std::numeric_limits<double>::quiet_NaN();
}

inline Expected expected_of(UnaryFn fn, double x) {
  const double y = exact(fn, x);
  return {y, std::isnan(y) ? 0.0 : function_bound(fn, x, y)};
}

template <>
class Oracle<Unary> : public F32Result {
 public:
  Oracle(const UnaryAttributes& attributes, std::span<const View> operands)
      : fn_(attributes.fn), x_(operands[0]), shape_(operands.back().shape()) {}

  std::int64_t elements() const { return x_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    walk<1>(begin, end, shape_, {x_.strides()},
            [&](std::int64_t i, const std::int64_t(&at)[1]) { out[i - begin] = expected_of(fn_, f32_at(x_, at[0])); });
  }

 private:
  UnaryFn fn_;
  ConstView x_;
  Shape shape_;
};

template <>
class Oracle<Binary> : public F32Result {
 public:
  Oracle(const BinaryAttributes& attributes, std::span<const View> operands)
      : fn_(attributes.fn), a_(operands[0]), b_(operands[1]), shape_(operands.back().shape()) {}

  std::int64_t elements() const { return element_count(shape_); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    walk<2>(begin, end, shape_, {stretched(a_, shape_), stretched(b_, shape_)},
            [&](std::int64_t i, const std::int64_t(&at)[2]) {
              out[i - begin] = one(f32_at(a_, at[0]), f32_at(b_, at[1]));
            });
  }

 private:
  // IEEE 754 defines the four operations exactly: correctly rounded. The square of a rounded difference has relative
  // error gamma(3), the difference counting twice.
  Expected one(double a, double b) const {
    switch (fn_) {
      case BinaryFn::add:
        return {a + b, half_ulp(a + b)};
      case BinaryFn::sub:
        return {a - b, half_ulp(a - b)};
      case BinaryFn::mul:
        return {a * b, half_ulp(a * b)};
      case BinaryFn::div:
        return {a / b, half_ulp(a / b)};
      case BinaryFn::squared_difference: {
        const double square = (a - b) * (a - b);
        return {square, std::isfinite(square) ? gamma(3) * square + kDenormal : 0.0};
      }
    }
    return {};
  }

  BinaryFn fn_;
  ConstView a_, b_;
  Shape shape_;
};

/// Exact, as f32 of the types of 16 bits is, or rounded once. Says nothing of the bits of a NaN.
template <>
class Oracle<Convert> : public NumberResult {
 public:
  Oracle(const ConvertAttributes&, std::span<const View> operands) : x_(operands[0]), y_(operands[1]) {}

  std::int64_t elements() const { return y_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    walk<1>(begin, end, y_.shape(), {x_.strides()}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
      const double x = number_at(x_, at[0]);
      const DType to = y_.dtype();
      out[i - begin] = {to == DType::bf16 ? nearest_bf16(x) : to == DType::f16 ? nearest_f16(x) : x, 0};
    });
  }

 private:
  ConstView x_, y_;
};

}  // namespace tandem::verify
