// Oracles of Softmax, Reduce and Transpose. Included by common/verify/oracle.h.
#pragma once

#include "common/verify/oracle.h"

namespace tandem::verify {

inline Dims drop(const Dims& dims, int axis) {
  Dims out;
  for (int d = 0; d < dims.rank(); ++d)
    if (d != axis) out.push_back(dims[d]);
  return out;
}

/// softmax: y = e / S, e = exp(x - m), S = sum of e. In f32 the difference d = x - m has error u |d|, which is a
/// relative error of e; exp adds its own; S is a sum of non-negative terms; the division adds two roundings (a
/// reciprocal counts as well). log_softmax: y = d - log S, where the relative error of S is an absolute one of log S.
template <>
class Oracle<Softmax> : public F32Result {
 public:
  Oracle(const SoftmaxAttributes& attributes, std::span<const View> operands)
      : fn_(attributes.fn),
        x_(operands[0]),
        axis_(attributes.axis < 0 ? attributes.axis + x_.rank() : attributes.axis) {
    const Shape rest = drop(x_.shape(), axis_);
    const std::int64_t length = x_.shape()[axis_], step = x_.strides()[axis_];
    rows_.resize(length == 0 ? 0 : static_cast<std::size_t>(element_count(rest)));
    walk<1>(0, static_cast<std::int64_t>(rows_.size()), rest, {drop(x_.strides(), axis_)},
            [&](std::int64_t row, const std::int64_t(&at)[1]) {
              rows_[static_cast<std::size_t>(row)] = total(at[0], step, length);
            });
  }

  std::int64_t elements() const { return x_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    // Walking the row numbers as if they were an operand: row-major strides of the shape without the axis.
    const Strides of_rest = row_major(drop(x_.shape(), axis_));
    Strides row_number = x_.shape();
    for (int d = 0; d < x_.rank(); ++d) row_number[d] = d == axis_ ? 0 : of_rest[d < axis_ ? d : d - 1];
    walk<2>(begin, end, x_.shape(), {x_.strides(), row_number}, [&](std::int64_t i, const std::int64_t(&at)[2]) {
      out[i - begin] = one(f32_at(x_, at[0]), rows_[static_cast<std::size_t>(at[1])]);
    });
  }

 private:
  struct Row {
    double max = 0, sum = 0;
    double sum_error = 0;  // relative
    bool nan = false;
  };

  static constexpr double kUlps = 2.0;  // an ulp is at most 2 u of the value

  Row total(std::int64_t start, std::int64_t step, std::int64_t length) const {
    Row row{-kInfinity, 0, 0, false};
    for (std::int64_t i = 0; i < length; ++i) {
      const double x = f32_at(x_, start + i * step);
      row.nan = row.nan || std::isnan(x);
      row.max = std::max(row.max, x);
    }
    row.nan = row.nan || std::isinf(row.max);
    if (row.nan) return row;
    double shifted = 0;  // sum of e |d|
    for (std::int64_t i = 0; i < length; ++i) {
      const double d = f32_at(x_, start + i * step) - row.max, e = std::exp(d);
      row.sum += e;
      if (e > 0) shifted += e * -d;
    }
    row.sum_error =
        shifted / row.sum * kUnit + kUlps * accuracy(UnaryFn::exp).ulp * kUnit + gamma(static_cast<double>(length));
    return row;
  }

  Expected one(double x, const Row& row) const {
    if (row.nan) return {std::numeric_limits<double>::quiet_NaN(), 0};
    const double d = x - row.max;
    if (fn_ == SoftmaxFn::softmax) {
      const double y = std::exp(d) / row.sum;
      // Below exp(-104) the result is under the denormals, and no longer depends on d.
      const double relative =
          std::min(-d, 128.0) * kUnit + kUlps * accuracy(UnaryFn::exp).ulp * kUnit + row.sum_error + 3 * kUnit;
      return {y, y * relative * (1 + relative) + (2 + accuracy(UnaryFn::exp).ulp) * kDenormal};
    }
    const double log_sum = std::log(row.sum), y = d - log_sum;
    if (std::isinf(y)) return {y, 0};
    return {y, (-d + std::abs(y)) * kUnit * 1.001 + row.sum_error * 1.001 + kUlps * kLogUlp * kUnit * log_sum +
                   2 * kDenormal};
  }

  SoftmaxFn fn_;
  ConstView x_;
  int axis_;
  std::vector<Row> rows_;
};

/// Sums of n terms: gamma(n) times the sum of magnitudes, in any order. max is exact.
template <>
class Oracle<Reduce> : public F32Result {
 public:
  Oracle(const ReduceAttributes& attributes, std::span<const View> operands)
      : fn_(attributes.fn), a_(operands[0]), b_(takes_two(attributes.fn) ? operands[1] : operands[0]) {
    if (attributes.axis) {
      const int axis = *attributes.axis < 0 ? *attributes.axis + a_.rank() : *attributes.axis;
      outer_ = drop(a_.shape(), axis);
      a_outer_ = drop(a_.strides(), axis);
      b_outer_ = drop(b_.strides(), axis);
      inner_ = Shape{a_.shape()[axis]};
      a_inner_ = Strides{a_.strides()[axis]};
      b_inner_ = Strides{b_.strides()[axis]};
    } else {
      inner_ = a_.shape();
      a_inner_ = a_.strides();
      b_inner_ = b_.strides();
    }
  }

  std::int64_t elements() const { return element_count(outer_); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    walk<2>(begin, end, outer_, {a_outer_, b_outer_},
            [&](std::int64_t i, const std::int64_t(&at)[2]) { out[i - begin] = one(at[0], at[1]); });
  }

 private:
  struct Sums {
    double n = 0, sum = 0, magnitude = 0;               // of a
    double product = 0, product_magnitude = 0;          // of a b
    double a_square = 0, b_square = 0, difference = 0;  // of a^2, b^2, (a - b)^2
    double max = -kInfinity;
    bool nan = false;
  };

  Sums sums(std::int64_t a_start, std::int64_t b_start) const {
    Sums s;
    s.n = static_cast<double>(element_count(inner_));
    walk<2>(0, element_count(inner_), inner_, {a_inner_, b_inner_}, [&](std::int64_t, const std::int64_t(&at)[2]) {
      const double a = f32_at(a_, a_start + at[0]), b = f32_at(b_, b_start + at[1]);
      s.nan = s.nan || std::isnan(a);
      s.max = std::max(s.max, a);
      s.sum += a;
      s.magnitude += std::abs(a);
      s.product += a * b;
      s.product_magnitude += std::abs(a * b);
      s.a_square += a * a;
      s.b_square += b * b;
      s.difference += (a - b) * (a - b);
    });
    return s;
  }

  // An infinity or NaN among the inputs decides the result; overflow on the way leaves it open.
  static Expected summed(double value, double magnitude, double n) {
    if (!std::isfinite(magnitude)) return {value, 0};
    const double bound = gamma(n) * magnitude + n * kDenormal;
    return {value, magnitude + bound > kLargest ? kInfinity : bound};
  }

  Expected one(std::int64_t a_start, std::int64_t b_start) const {
    const Sums s = sums(a_start, b_start);
    switch (fn_) {
      case ReduceFn::sum:
        return summed(s.sum, s.magnitude, s.n);
      case ReduceFn::max:
        return {s.nan ? std::numeric_limits<double>::quiet_NaN() : s.max, 0};
      case ReduceFn::dot:
        return summed(s.product, s.product_magnitude, s.n);
      case ReduceFn::euclidean_distance: {
        // Difference and square: three more roundings. The root halves a relative error and rounds once.
        const Expected square = summed(s.difference, s.difference, s.n + 3);
        const double root = std::sqrt(square.value);
        if (!std::isfinite(square.bound) || !std::isfinite(root) || root == 0) return {root, square.bound};
        return {root, std::sqrt(square.value + square.bound) - root + 2 * half_ulp(root)};
      }
      case ReduceFn::cosine_similarity:
        return cosine(s);
    }
    return {};
  }

  static Expected cosine(const Sums& s) {
    const double norms = std::sqrt(s.a_square) * std::sqrt(s.b_square), value = s.product / norms;
    if (s.a_square == 0 || s.b_square == 0 || std::isnan(value)) return {std::numeric_limits<double>::quiet_NaN(), 0};
    // Squares that leave the normal range of f32 lose more than roundings: nothing is promised.
    const double low = s.n * 0x1p-100;
    for (const double square : {s.a_square, s.b_square, s.a_square * s.b_square})
      if (square < low || square * (1 + gamma(s.n + 4)) > kLargest) return {value, kInfinity};
    return {value,
            (gamma(s.n) * s.product_magnitude + gamma(s.n + 5) * std::abs(s.product)) / norms * (1 + gamma(s.n)) +
                2 * kUnit};
  }

  ReduceFn fn_;
  ConstView a_, b_;
  Shape outer_, inner_;
  Strides a_outer_, b_outer_, a_inner_, b_inner_;
};

/// Elements are moved as they are: compared by their bits, as whole numbers.
template <>
class Oracle<Transpose> {
 public:
  Oracle(const TransposeAttributes&, std::span<const View> operands)
      : x_(operands[0]), shape_(operands.back().shape()), strides_(x_.strides()) {
    const int r = x_.rank();
    std::swap(strides_[r - 1], strides_[r - 2]);
  }

  std::int64_t elements() const { return x_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    walk<1>(begin, end, shape_, {strides_}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
      out[i - begin] = {actual(x_, at[0]), 0};
    });
  }
  static double actual(const ConstView& view, std::int64_t offset) {
    const std::size_t size = size_of(view.dtype());
    std::uint32_t bits = 0;
    std::memcpy(&bits, static_cast<const char*>(view.data()) + offset * static_cast<std::int64_t>(size), size);
    return static_cast<double>(bits);
  }

 private:
  ConstView x_;
  Shape shape_;
  Strides strides_;
};

}  // namespace tandem::verify
