// Oracle of Spmm. Included by common/verify/oracle.h.
#pragma once

#include "common/verify/oracle.h"
#include "common/verify/oracle_matmul.h"

namespace tandem::verify {

/// Sums over the stored elements of a row alone: gamma of their number, and one rounding for the bias.
template <>
class Oracle<Spmm> : public F32Result {
 public:
  Oracle(const SpmmAttributes& attributes, std::span<const View> operands)
      : attributes_(attributes),
        offsets_(operands[0]),
        columns_(operands[1]),
        values_(operands[2]),
        b_(operands[3]),
        c_(operands.back()) {
    if (attributes.bias) bias_ = operands[4];
  }

  std::int64_t elements() const { return c_.elements(); }
  void expect(std::int64_t begin, std::int64_t end, Expected* out) const {
    const std::int64_t n = c_.shape()[1];
    for (std::int64_t e = begin; e < end; ++e) *out++ = one(e / n, e % n);
  }

 private:
  Expected one(std::int64_t i, std::int64_t j) const {
    const std::int64_t first = whole(offsets_, i), last = whole(offsets_, i + 1);
    double value = 0, scale = 0, roundings = static_cast<double>(last - first);
    for (std::int64_t p = first; p < last; ++p) {
      const double product = f32_at(values_, p * values_.strides()[0]) *
                             f32_at(b_, whole(columns_, p) * b_.strides()[0] + j * b_.strides()[1]);
      value += product;
      scale += std::abs(product);
    }
    if (attributes_.bias) {
      const double bias = f32_at(bias_, (bias_.rank() == 2 ? i : j) * bias_.strides()[0]);
      value += bias;
      scale += std::abs(bias);
      roundings += 1;
    }
    double bound = 0;
    if (std::isfinite(scale)) {
      bound = gamma(roundings) * scale + roundings * kDenormal;
      if (scale + bound > kLargest) bound = kInfinity;  // it may overflow on the way
    }
    return activated(attributes_.activation, {value, bound}, scale);
  }

  static std::int64_t whole(const ConstView& v, std::int64_t i) {
    return static_cast<const std::int32_t*>(v.data())[i * v.strides()[0]];
  }

  SpmmAttributes attributes_;
  ConstView offsets_, columns_, values_, b_, c_, bias_;
};

}  // namespace tandem::verify
