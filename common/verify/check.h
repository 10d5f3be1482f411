// Judging a kernel's result by the oracle: every element where that is affordable, a seeded sample of a large result.
#pragma once

#include <bit>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/verify/oracle.h"
#include "common/verify/random.h"

namespace tandem::verify {

/// What was found. A result is right when no compared number was out of its bound.
struct Check {
  double worst_ratio = 0;    // |error| / bound; infinity for a NaN or infinity in the wrong place
  double max_abs_error = 0;  // of finite numbers
  std::int64_t compared = 0;
  std::int64_t wrong = 0;
  std::int64_t saturated = 0;  // of the compared numbers of the main result: integers that had to be clamped
  std::string complaint;       // about the first wrong number; empty when all are right
  bool ok() const { return wrong == 0; }
};

/// The error of `actual` as a fraction of the bound: above 1 it is wrong.
inline double error_ratio(const Expected& expected, double actual) {
  if (std::isinf(expected.bound)) return 0;
  if (std::isnan(expected.value) || std::isnan(actual))
    return std::isnan(expected.value) && std::isnan(actual) ? 0 : kInfinity;
  if (expected.value == actual) return 0;
  if (std::isinf(expected.value)) return kInfinity;
  if (std::isinf(actual)) {  // right where rounding, or the permitted error, passes the largest float
    const bool same_side = std::signbit(actual) == std::signbit(expected.value);
    return same_side && std::abs(expected.value) + expected.bound >= kLargest ? 0 : kInfinity;
  }
  return std::abs(actual - expected.value) / expected.bound;  // bound 0: infinity
}

/// Adds one comparison; `where` makes the name of the element for the complaint.
template <class Where>
void compare(Check& check, const Expected& expected, double actual, Where where) {
  const double ratio = error_ratio(expected, actual);
  ++check.compared;
  check.worst_ratio = std::max(check.worst_ratio, ratio);
  const double error = std::abs(actual - expected.value);
  if (std::isfinite(error) && !std::isinf(expected.bound)) check.max_abs_error = std::max(check.max_abs_error, error);
  if (ratio <= 1) return;
  if (check.wrong++ > 0) return;
  char text[160];
  std::snprintf(text, sizeof text, " is %.9g, expected %.9g +- %.3g", actual, expected.value, expected.bound);
  check.complaint = where() + text;
}

/// "element (3, 5)" of a shape.
inline std::string element_name(std::int64_t index, const Shape& shape) {
  std::string text;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    text = std::to_string(index % shape[d]) + (text.empty() ? "" : ", ") + text;
    index /= shape[d];
  }
  return "element (" + text + ")";
}

/// Half-open ranges of elements, in row-major order of the result.
using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// Compares results of one problem with the oracle. What is expected is computed once, so that many kernels can be
/// judged. Above `budget` multiplications (products) or elements (all else) it takes a sample: whole rows and columns
/// of a product, runs of elements elsewhere, the ends always among them. Then every element is searched for poison (all
/// bits set, what an unwritten result holds), and plain products of f32 are checked as a whole by ProductChecksum. Of
/// an operation with several results all are judged, those before the last in full.
template <class Op>
class Checker {
 public:
  static constexpr bool kProduct = std::is_same_v<Op, Matmul> || std::is_same_v<Op, QuantizedMatmul>;
  static constexpr double kBudget = kProduct ? 0x1p27 : 0x1p22;

  /// The operands (inputs, then the result with its old contents) must keep their values while this lives.
  Checker(const typename Op::Attributes& attributes, std::span<const View> operands, std::uint64_t seed,
          double budget = kBudget)
      : oracle_(attributes, operands), shape_(operands.back().shape()) {
    Random random(seed);
    if constexpr (kProduct) {
      const double cost = static_cast<double>(oracle_.elements()) * static_cast<double>(oracle_.k());
      sampled_ = cost > budget;
      if (sampled_) sample_product(random, budget / static_cast<double>(oracle_.k()));
      if constexpr (std::is_same_v<Op, Matmul>)
        if (sampled_ && operands[0].dtype() == DType::f32 && ProductChecksum::applies(attributes))
          checksum_ =
              std::make_unique<ProductChecksum>(oracle_, attributes.bias ? &operands[2] : nullptr, seed, budget);
    } else if constexpr (!std::is_same_v<Op, Reduce>) {
      sampled_ = static_cast<double>(oracle_.elements()) > budget;
      if (sampled_) sample_runs(random, static_cast<std::int64_t>(budget));
    }
    if (!sampled_) ranges_.emplace_back(0, oracle_.elements());
    for (const auto& [begin, end] : ranges_) {
      const std::size_t at = expected_.size();
      expected_.resize(at + static_cast<std::size_t>(end - begin));
      oracle_.expect(begin, end, expected_.data() + at);
    }
    if constexpr (result_count<Op>() > 1) {
      for (std::size_t r = 0; r + 1 < result_count<Op>(); ++r) {
        const View& other = operands[operands.size() - result_count<Op>() + r];
        others_.emplace_back(static_cast<std::size_t>(other.elements()));
        oracle_.expect_other(r, others_.back().data());
      }
    }
  }

  Check operator()(const ConstView& result) const requires(result_count<Op>() == 1) {
    Check check;
    judge_main(check, result);
    return check;
  }
  /// All results, the main one last.
  Check operator()(std::span<const View> results) const {
    Check check;
    for (std::size_t r = 0; r < others_.size(); ++r) {
      const ConstView result = results[r];
      const Expected* expected = others_[r].data();
      walk<1>(0, result.elements(), result.shape(), {result.strides()},
              [&](std::int64_t i, const std::int64_t(&at)[1]) {
                compare(check, *expected++, Oracle<Op>::actual(result, at[0]),
                        [&] { return "result " + std::to_string(r + 1) + ", " + element_name(i, result.shape()); });
              });
    }
    judge_main(check, results.back());
    return check;
  }

  /// "every element", or what was sampled.
  std::string method() const {
    if (!sampled_) return "every element";
    std::string text = std::to_string(expected_.size()) + " sampled elements";
    if (checksum_) text += ", all in signed sums of " + std::to_string(checksum_->width());
    return text;
  }

 private:
  void judge_main(Check& check, const ConstView& result) const {
    const Expected* expected = expected_.data();
    for (const auto& [begin, end] : ranges_)
      walk<1>(begin, end, shape_, {result.strides()}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
        check.saturated += expected->saturated ? 1 : 0;
        compare(check, *expected++, Oracle<Op>::actual(result, at[0]), [&] { return element_name(i, shape_); });
      });
    if (sampled_ && result.dtype() == DType::f32) find_poison(check, result);
    if (checksum_) check_sums(check, result);
  }

  void sample_product(Random& random, double elements) requires kProduct {
    const std::int64_t m = oracle_.m(), n = oracle_.n(), rows = oracle_.batch() * m;
    const auto half = [&](std::int64_t length) {
      return std::max<std::int64_t>(2, static_cast<std::int64_t>(elements / 2 / static_cast<double>(length)));
    };
    for (const std::int64_t i : choose(random, rows, half(n))) ranges_.emplace_back(i * n, (i + 1) * n);
    for (const std::int64_t j : choose(random, n, half(rows)))
      for (std::int64_t i = 0; i < rows; ++i) ranges_.emplace_back(i * n + j, i * n + j + 1);
  }

  void sample_runs(Random& random, std::int64_t elements) {
    constexpr std::int64_t kRun = 4096;
    const std::int64_t total = oracle_.elements(), runs = (total + kRun - 1) / kRun;
    for (const std::int64_t run : choose(random, runs, std::max<std::int64_t>(2, elements / kRun)))
      ranges_.emplace_back(run * kRun, std::min(total, (run + 1) * kRun));
  }

  // The first, the last, and others drawn with replacement.
  static std::vector<std::int64_t> choose(Random& random, std::int64_t from, std::int64_t count) {
    std::vector<std::int64_t> chosen = {0, from - 1};
    while (static_cast<std::int64_t>(chosen.size()) < std::min(count, from))
      chosen.push_back(random.integer(0, from - 1));
    return chosen;
  }

  void find_poison(Check& check, const ConstView& result) const {
    walk<1>(0, result.elements(), shape_, {result.strides()}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
      const float value = static_cast<const float*>(result.data())[at[0]];
      if (std::bit_cast<std::uint32_t>(value) != 0xffffffffu) return;
      check.worst_ratio = kInfinity;
      if (check.wrong++ == 0) check.complaint = element_name(i, shape_) + " was never written";
    });
  }

  void check_sums(Check& check, const ConstView& result) const {
    Check sums;  // their errors are not those of single elements
    for (std::int64_t i = 0; i < checksum_->count(); ++i)
      compare(sums, checksum_->expected(i), checksum_->actual(result, i), [&] {
        return "a signed sum of " + std::to_string(checksum_->width()) + " elements of row " +
               std::to_string(checksum_->row(i)) + " from column " + std::to_string(checksum_->first_column(i));
      });
    check.worst_ratio = std::max(check.worst_ratio, sums.worst_ratio);
    if (check.wrong == 0) check.complaint = sums.complaint;
    check.wrong += sums.wrong;
  }

  Oracle<Op> oracle_;
  Shape shape_;
  bool sampled_ = false;
  Ranges ranges_;
  std::vector<Expected> expected_;
  std::vector<std::vector<Expected>> others_;  // of the results before the last one
  std::unique_ptr<ProductChecksum> checksum_;
};

}  // namespace tandem::verify
