// Oracle of Matmul, and a check of all elements of a large product at a fraction of its cost. Included by
// common/verify/oracle.h.
#pragma once

#include <algorithm>
#include <optional>

#include "common/verify/oracle.h"
#include "common/verify/oracle_elementwise.h"
#include "common/verify/oracle_sparse24.h"
#include "common/verify/random.h"

namespace tandem::verify {

/// The elementwise function of an activation; `none` has none.
inline UnaryFn function_of(Activation activation) {
  switch (activation) {
    case Activation::none:
    case Activation::relu:
      return UnaryFn::relu;
    case Activation::gelu_erf:
      return UnaryFn::gelu_erf;
    case Activation::gelu_tanh:
      return UnaryFn::gelu_tanh;
    case Activation::gelu_sigmoid:
      return UnaryFn::gelu_sigmoid;
    case Activation::sigmoid:
      return UnaryFn::sigmoid;
    case Activation::tanh:
      return UnaryFn::tanh;
    case Activation::silu:
      return UnaryFn::silu;
  }
  return UnaryFn::relu;
}

/// The activation of a sum that is known within a bound. `scale` is the sum of the magnitudes of its terms.
inline Expected activated(Activation activation, const Expected& before, double scale) {
  if (activation == Activation::none || std::isinf(before.bound)) return before;
  const UnaryFn fn = function_of(activation);
  Expected after = expected_of(fn, before.value);
  if (std::isfinite(scale)) {
    const double grown = steepness(fn) * before.bound;
    // The function is evaluated at a neighbour of the exact argument: its own error is taken at the larger value.
    after.bound = grown + function_bound(fn, std::abs(before.value) + before.bound, std::abs(after.value) + grown);
  }
  return after;
}

template <>
class Oracle<Matmul> : public NumberResult {
 public:
  Oracle(const MatmulAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes), a_(operands[0]), b_(operands[1]), c_(operands.back()) {
    sparse_ = attributes.b_format == MatrixFormat::sparse24;
    if (sparse_) {
      expanded_.emplace(operands[1], operands[2], a_.shape().back());
      b_ = expanded_->view();
    }
    if (attributes.bias) bias_ = operands[sparse_ ? 3 : 2];
    const int r = c_.rank() - 2;
    batch_ = Shape(std::span(c_.shape().begin(), static_cast<std::size_t>(r)));
    m_ = c_.shape()[r];
    n_ = c_.shape()[r + 1];
    k_ = a_.shape().back();
    const auto leading = [&](const ConstView& v) {
      const std::size_t own = static_cast<std::size_t>(v.rank() - 2);
      return stretched(ConstView(v.data(), v.dtype(), Shape(std::span(v.shape().begin(), own)),
                                 Strides(std::span(v.strides().begin(), own))),
                       batch_);
    };
    a_batch_ = leading(a_);
    b_batch_ = leading(b_);
  }

  std::int64_t m() const { return m_; }
  std::int64_t n() const { return n_; }
  std::int64_t k() const { return k_; }
  std::int64_t batch() const { return element_count(batch_); }
  std::int64_t elements() const { return batch() * m_ * n_; }
  const MatmulAttributes& attributes() const { return attributes_; }

  /// a(i, l) and b(l, j) of one batch item.
  double a(std::int64_t item, std::int64_t i, std::int64_t l) const {
    return number_at(a_, offset_of(item, batch_, a_batch_, batch_.rank()) + i * a_.strides()[a_.rank() - 2] +
                             l * a_.strides()[a_.rank() - 1]);
  }
  double b(std::int64_t item, std::int64_t l, std::int64_t j) const {
    return number_at(b_, offset_of(item, batch_, b_batch_, batch_.rank()) + l * b_.strides()[b_.rank() - 2] +
                             j * b_.strides()[b_.rank() - 1]);
  }

  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    while (begin < end) {  // one piece of a row at a time
      const std::int64_t row = begin / n_, first = begin % n_;
      const std::int64_t last = std::min(n_, first + (end - begin));
      if (is_bf16())
        expect_row<std::uint16_t>(row / m_, row % m_, first, last, out);
      else
        expect_row<float>(row / m_, row % m_, first, last, out);
      out += last - first;
      begin += last - first;
    }
  }

 private:
  // With b in 2:4 storage nothing is promised about rows of a that are not finite.
  bool is_free(std::int64_t item, std::int64_t i) const {
    if (!sparse_) return false;
    for (std::int64_t l = 0; l < k_; ++l)
      if (!std::isfinite(a(item, i, l))) return true;
    return false;
  }

  bool is_bf16() const { return a_.dtype() == DType::bf16; }
  static double number(float element) { return static_cast<double>(element); }
  static double number(std::uint16_t element) { return bf16_value(element); }
  static bool is_denormal(double value) { return value != 0 && std::abs(value) < kNormal; }

  // Sums along l with j innermost, so that both operands are walked in memory order where they are row-major.
  template <class T>
  void expect_row(std::int64_t item, std::int64_t i, std::int64_t first, std::int64_t last, Expected* out) const {
    if (is_free(item, i)) {
      std::fill(out, out + (last - first), Expected{0, kInfinity});
      return;
    }
    const auto count = static_cast<std::size_t>(last - first);
    std::vector<double> sum(count, 0.0), magnitude(count, 0.0), flushed(count, 0.0);
    const std::int64_t a_step = a_.strides()[a_.rank() - 1];
    const std::int64_t b_row = b_.strides()[b_.rank() - 2], b_col = b_.strides()[b_.rank() - 1];
    const T* pa = static_cast<const T*>(a_.data()) + offset_of(item, batch_, a_batch_, batch_.rank()) +
                  i * a_.strides()[a_.rank() - 2];
    const T* pb = static_cast<const T*>(b_.data()) + offset_of(item, batch_, b_batch_, batch_.rank()) + first * b_col;
    for (std::int64_t l = 0; l < k_; ++l) {
      const double x = number(pa[l * a_step]);
      const T* row = pb + l * b_row;
      for (std::size_t j = 0; j < count; ++j) {
        const double y = number(row[static_cast<std::int64_t>(j) * b_col]), product = x * y;
        sum[j] += product;
        magnitude[j] += std::abs(product);
        if (std::is_same_v<T, std::uint16_t> && (is_denormal(x) || is_denormal(y))) flushed[j] += std::abs(product);
      }
    }
    for (std::size_t j = 0; j < count; ++j)
      out[j] = finish(item, i, first + static_cast<std::int64_t>(j), sum[j], magnitude[j], flushed[j]);
  }

  // activation(alpha * sum + beta * c + bias). A path from an input to the result has at most k roundings in the sum
  // and one each for alpha, beta * c, its addition, and the bias; sums of bf16 products may be truncated, which counts
  // as two. Products of bf16 may flush the denormals among operands (`flushed`: what these may add) and at each step of
  // a sum; where one of them meets an infinity nothing is promised.
  Expected finish(std::int64_t item, std::int64_t i, std::int64_t j, double sum, double magnitude,
                  double flushed) const {
    if (std::isinf(flushed)) return {0, kInfinity};
    if (is_bf16()) flushed += static_cast<double>(k_) * kNormal;
    double value = sum, scale = magnitude;
    double roundings = static_cast<double>(k_) * (is_bf16() ? 2 : 1);
    if (attributes_.alpha != 1.0f && k_ > 0) {
      value *= static_cast<double>(attributes_.alpha);
      scale *= std::abs(static_cast<double>(attributes_.alpha));
      flushed *= std::abs(static_cast<double>(attributes_.alpha));
      roundings += 1;
    }
    if (attributes_.beta != 0.0f) {
      const double old = static_cast<double>(attributes_.beta) * number_at(c_, offset_of((item * m_ + i) * n_ + j, c_));
      value += old;
      scale += std::abs(old);
      roundings += 2;
    }
    if (attributes_.bias) {
      const double bias = f32_at(bias_, j * bias_.strides()[0]);
      value += bias;
      scale += std::abs(bias);
      roundings += 1;
    }
    Expected before{value, sum_bound(roundings, scale, std::max(scale, magnitude))};
    if (std::isfinite(scale)) before.bound += flushed;
    Expected after = activated(attributes_.activation, before, scale);
    if (c_.dtype() == DType::bf16 && std::isfinite(after.value)) after.bound += half_ulp_bf16(after);
    return after;
  }

  // What the rounding of a result to bf16 may lose.
  static double half_ulp_bf16(const Expected& e) { return 0x1p16 * half_ulp(std::abs(e.value) + e.bound); }

  // Above the largest float a partial sum may overflow although the result does not (a small alpha comes too late);
  // then nothing is promised. `on_the_way` is the larger of the magnitudes before and after alpha. A NaN or an infinity
  // among the inputs makes `scale` NaN or infinite, and the double result says what must come out.
  static double sum_bound(double roundings, double scale, double on_the_way) {
    if (!std::isfinite(scale)) return 0.0;
    const double largest = on_the_way * (1 + gamma(roundings)) + roundings * kDenormal;
    return largest > kLargest ? kInfinity : gamma(roundings) * scale + roundings * kDenormal;
  }

  MatmulAttributes attributes_;
  ConstView a_, b_, c_, bias_;
  Shape batch_;
  Strides a_batch_, b_batch_;
  std::int64_t m_ = 0, n_ = 0, k_ = 0;
  bool sparse_ = false;
  std::optional<Expanded24> expanded_;
};

/// Every element of alpha a b + bias, without computing it: columns are added up in groups with random signs s, and
/// C s is compared with A (B s) for every row (Freivalds' check), within the sum of the bounds of the group's elements.
/// One wrong element in a group is seen whenever its error passes that sum; of several, the signs let at most half of
/// all combinations cancel. For activation none and beta 0.
class ProductChecksum {
 public:
  static bool applies(const MatmulAttributes& attributes) {
    return attributes.activation == Activation::none && attributes.beta == 0.0f &&
           attributes.b_format == MatrixFormat::dense;
  }

  /// `bias` is null when there is none. `multiplications` is what may be spent.
  ProductChecksum(const Oracle<Matmul>& product, const ConstView* bias, std::uint64_t seed, double multiplications)
      : m_(product.m()), n_(product.n()), items_(product.batch()) {
    const double all = static_cast<double>(m_) * static_cast<double>(n_) * static_cast<double>(product.k()) *
                       static_cast<double>(items_);
    width_ = std::max<std::int64_t>(8, static_cast<std::int64_t>(all / multiplications));
    width_ = std::min(width_, std::max<std::int64_t>(n_, 1));
    groups_ = (n_ + width_ - 1) / width_;
    Random random(seed);
    for (std::int64_t j = 0; j < n_; ++j) signs_.push_back(random.integer(0, 1) == 0 ? -1.0 : 1.0);
    for (std::int64_t item = 0; item < items_; ++item) add_item(product, bias, item);
  }

  std::int64_t width() const { return width_; }
  std::int64_t count() const { return static_cast<std::int64_t>(sums_.size()); }
  /// The row, counted over all items, and the first column of sum `index`.
  std::int64_t row(std::int64_t index) const { return index / groups_; }
  std::int64_t first_column(std::int64_t index) const { return index % groups_ * width_; }
  const Expected& expected(std::int64_t index) const { return sums_[static_cast<std::size_t>(index)]; }
  /// The signed sum of the same elements of a result.
  double actual(const ConstView& result, std::int64_t index) const {
    const std::int64_t begin = first_column(index), end = std::min(n_, begin + width_);
    const std::int64_t step = result.strides()[result.rank() - 1];
    const std::int64_t start = offset_of(row(index) * n_, result);
    double sum = 0;
    for (std::int64_t j = begin; j < end; ++j)
      sum += signs_[static_cast<std::size_t>(j)] * number_at(result, start + j * step);
    return sum;
  }

 private:
  void add_item(const Oracle<Matmul>& product, const ConstView* bias, std::int64_t item) {
    const std::int64_t k = product.k();
    const auto slots = static_cast<std::size_t>(k * groups_);
    std::vector<double> b_sum(slots, 0.0), b_magnitude(slots, 0.0);  // [l][group]
    for (std::int64_t l = 0; l < k; ++l)
      for (std::int64_t j = 0; j < n_; ++j) {
        const auto at = static_cast<std::size_t>(l * groups_ + j / width_);
        const double b = product.b(item, l, j);
        b_sum[at] += signs_[static_cast<std::size_t>(j)] * b;
        b_magnitude[at] += std::abs(b);
      }
    std::vector<double> bias_sum(static_cast<std::size_t>(groups_), 0.0), bias_magnitude = bias_sum;
    if (bias)
      for (std::int64_t j = 0; j < n_; ++j) {
        const double b = f32_at(*bias, j * bias->strides()[0]);
        bias_sum[static_cast<std::size_t>(j / width_)] += signs_[static_cast<std::size_t>(j)] * b;
        bias_magnitude[static_cast<std::size_t>(j / width_)] += std::abs(b);
      }
    const auto alpha = static_cast<double>(product.attributes().alpha);
    const double roundings = static_cast<double>(k) + (alpha != 1 ? 1 : 0) + (bias ? 1 : 0);
    for (std::int64_t i = 0; i < m_; ++i) {
      std::vector<double> sum(static_cast<std::size_t>(groups_), 0.0), magnitude = sum;
      for (std::int64_t l = 0; l < k; ++l) {
        const double a = product.a(item, i, l);
        for (std::size_t g = 0; g < sum.size(); ++g) {
          sum[g] += a * b_sum[static_cast<std::size_t>(l * groups_) + g];
          magnitude[g] += std::abs(a) * b_magnitude[static_cast<std::size_t>(l * groups_) + g];
        }
      }
      for (std::size_t g = 0; g < sum.size(); ++g) {
        const double scale = std::abs(alpha) * magnitude[g] + bias_magnitude[g];
        // Beyond the bounds of the elements there is the rounding of these sums in double. Where infinities or overflow
        // are possible nothing is claimed: the sampled elements are judged one by one.
        const double slack = static_cast<double>(width_) * roundings * kDenormal + 0x1p-50 * (roundings + 64) * scale;
        const bool tame = scale < kLargest;  // not for NaN
        sums_.push_back({alpha * sum[g] + bias_sum[g], tame ? gamma(roundings) * scale + slack : kInfinity});
      }
    }
  }

  std::int64_t m_, n_, items_;
  std::int64_t width_ = 0, groups_ = 0;
  std::vector<double> signs_;
  std::vector<Expected> sums_;  // [item][row][group]
};

}  // namespace tandem::verify
