// Approximation of low rank: known decompositions, the best error, refusals.
#include <tandem/low_rank.h>

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/context.h>
#include <tandem/ops.h>

#include "tests/support/calls.h"

namespace tandem::low_rank_test {
namespace {

using test::error_of;
using test::has;

/// left @ right in double.
std::vector<double> product(const LowRank& f) {
  const std::int64_t k = f.left.shape()[0], n = f.right.shape()[1];
  std::vector<double> out(static_cast<std::size_t>(k * n), 0);
  for (std::int64_t i = 0; i < k; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      for (std::int64_t r = 0; r < f.rank; ++r)
        out[static_cast<std::size_t>(i * n + j)] += static_cast<double>(f.left.data<float>()[i * f.rank + r]) *
                                                    static_cast<double>(f.right.data<float>()[r * n + j]);
  return out;
}

double distance(const std::vector<double>& a, const Tensor& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = a[i] - static_cast<double>(b.data<float>()[i]);
    sum += d * d;
  }
  return std::sqrt(sum);
}

TEST(LowRank, ADiagonalMatrixKeepsItsLargestEntries) {
  Tensor w = Tensor::zeros({4, 3});
  const float values[3] = {2, 5, -3};
  for (int i = 0; i < 3; ++i) w.data<float>()[i * 3 + i] = values[i];
  const LowRank one = low_rank_approximate(w, 1);
  const std::vector<double> p = product(one);
  for (std::size_t i = 0; i < p.size(); ++i) EXPECT_NEAR(p[i], i == 4 ? 5.0 : 0.0, 1e-6) << i;
  EXPECT_NEAR(one.norm_kept, 5 / std::sqrt(38.0), 1e-12);
  EXPECT_NEAR(one.relative_error, std::sqrt(13.0 / 38.0), 1e-12);
  EXPECT_DOUBLE_EQ(one.compression_ratio, 12.0 / 7);
  const LowRank all = low_rank_approximate(w, 3);
  EXPECT_LE(distance(product(all), w), 1e-6);
  EXPECT_NEAR(all.norm_kept, 1, 1e-12);
}

TEST(LowRank, TheErrorIsWhatTheReportSaysAndFallsWithTheRank) {
  const Tensor w = test::filled({37, 53}, test::Fill::reals, 7);
  double norm = 0;
  for (std::int64_t i = 0; i < w.elements(); ++i) norm += std::pow(static_cast<double>(w.data<float>()[i]), 2);
  norm = std::sqrt(norm);
  double last = 1;
  for (const std::int64_t rank : {1, 5, 20, 36, 37}) {
    const LowRank f = low_rank_approximate(w, rank);
    EXPECT_NEAR(distance(product(f), w) / norm, f.relative_error, 1e-5) << rank;
    EXPECT_LT(f.relative_error, last);
    last = f.relative_error;
  }
  EXPECT_LE(last, 1e-6);
}

TEST(LowRank, TakesViewsOfAnyStrides) {
  const Tensor w = test::filled({12, 9}, test::Fill::reals, 3);
  const LowRank plain = low_rank_approximate(w, 4), turned = low_rank_approximate(w.view().transposed(), 4);
  EXPECT_EQ(turned.left.shape(), (Shape{9, 4}));
  EXPECT_NEAR(plain.relative_error, turned.relative_error, 1e-12);
}

TEST(LowRank, TwoSmallProductsStandForTheLargeOne) {
  Context ctx;
  const Tensor x = test::filled({8, 37}, test::Fill::reals, 1), w = test::filled({37, 53}, test::Fill::reals, 2);
  const LowRank f = low_rank_approximate(w, 37);
  const Tensor direct = matmul(ctx, x, w), thin = matmul(ctx, matmul(ctx, x, f.left), f.right);
  for (std::int64_t i = 0; i < direct.elements(); ++i)
    EXPECT_NEAR(thin.data<float>()[i], direct.data<float>()[i], 1e-3f) << i;
}

TEST(LowRank, RankOfARatio) {
  EXPECT_EQ(low_rank_of(0.5, 8, 6), 3);
  EXPECT_EQ(low_rank_of(0.01, 8, 6), 1);
  EXPECT_EQ(low_rank_of(1, 8, 6), 6);
  EXPECT_EQ(low_rank_of(0.5, 0, 6), 0);
  EXPECT_TRUE(has(error_of([] { low_rank_of(0, 2, 2); }).what(), "ratio 0"));
}

TEST(LowRank, RefusesWhatHasNoDecomposition) {
  const Tensor w = Tensor::zeros({4, 3});
  EXPECT_TRUE(has(error_of([&] { low_rank_approximate(w, 4); }).what(), "rank 4 of a matrix of 4x3 is not in [1, 3]"));
  EXPECT_TRUE(has(error_of([&] { low_rank_approximate(w, 0); }).what(), "rank 0"));
  EXPECT_TRUE(has(error_of([&] { low_rank_approximate(Tensor::zeros({3}), 1); }).what(), "no matrix"));
  Tensor bad = Tensor::zeros({2, 2});
  bad.data<float>()[3] = NAN;
  EXPECT_EQ(error_of([&] { low_rank_approximate(bad, 1); }).code(), Code::invalid_argument);
  const LowRank zero = low_rank_approximate(w, 2);  // of nothing: all is kept
  EXPECT_EQ(zero.norm_kept, 1);
  EXPECT_EQ(zero.relative_error, 0);
}

}  // namespace
}  // namespace tandem::low_rank_test
