// Statistics of the magnitudes of weights.
#include <tandem/magnitudes.h>

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "tests/support/calls.h"

namespace tandem::magnitudes_test {
namespace {

using test::error_of;
using test::has;

TEST(Magnitudes, OfFiveWeights) {
  Tensor w = Tensor::empty({5});
  const float values[5] = {-4, 1, 0, 3, -2};
  std::copy(values, values + 5, w.data<float>());
  const std::array<double, 4> percentiles = {0, 50, 90, 100};
  const std::array<double, 3> thresholds = {0.5, 2, 5};
  const Magnitudes m = magnitudes(w, percentiles, thresholds);
  EXPECT_EQ(m.elements, 5);
  EXPECT_EQ(m.min, 0);
  EXPECT_EQ(m.max, 4);
  EXPECT_DOUBLE_EQ(m.mean, 2);
  EXPECT_DOUBLE_EQ(m.deviation, std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(m.norm, std::sqrt(30.0));
  ASSERT_EQ(m.percentiles.size(), 4u);
  EXPECT_DOUBLE_EQ(m.percentiles[0], 0);
  EXPECT_DOUBLE_EQ(m.percentiles[1], 2);
  EXPECT_DOUBLE_EQ(m.percentiles[2], 3.6);  // numpy.percentile([0, 1, 2, 3, 4], 90)
  EXPECT_DOUBLE_EQ(m.percentiles[3], 4);
  EXPECT_DOUBLE_EQ(m.below[0], 0.2);
  EXPECT_DOUBLE_EQ(m.below[1], 0.4);  // 2 itself is not below 2
  EXPECT_DOUBLE_EQ(m.below[2], 1);
}

TEST(Magnitudes, OfNothingAreZero) {
  const std::array<double, 1> fifty = {50};
  const Magnitudes m = magnitudes(Tensor::empty({0, 3}), fifty, fifty);
  EXPECT_EQ(m.elements, 0);
  EXPECT_EQ(m.max, 0);
  EXPECT_EQ(m.percentiles.at(0), 0);
  EXPECT_EQ(m.below.at(0), 0);
}

TEST(Magnitudes, TakeViewsOfAnyStrides) {
  const Tensor w = test::filled({6, 5}, test::Fill::reals, 9);
  const std::array<double, 1> p = {37.5};
  EXPECT_EQ(magnitudes(w, p).percentiles[0], magnitudes(w.view().transposed(), p).percentiles[0]);
}

TEST(Magnitudes, RefusePercentilesAndWeightsThatMeanNothing) {
  const std::array<double, 1> wrong = {101};
  EXPECT_TRUE(has(error_of([&] { magnitudes(Tensor::zeros({2}), wrong); }).what(), "percentile 101"));
  Tensor w = Tensor::zeros({2});
  w.data<float>()[1] = NAN;
  EXPECT_EQ(error_of([&] { magnitudes(w); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { magnitudes(Tensor::zeros({2}, DType::s8)); }).code(), Code::invalid_argument);
}

}  // namespace
}  // namespace tandem::magnitudes_test
