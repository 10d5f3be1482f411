// The oracle against values worked out by hand, and the judges against results that are wrong on purpose: a judge that
// passes everything would make every kernel look right.
#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/data.h"
#include "tests/support/verify.h"

namespace tandem::test::oracle_test {
namespace {

View view_of(std::vector<float>& data, const Shape& shape) { return View(data.data(), shape); }

TEST(Oracle, ProductWithBiasAlphaBetaAndActivation) {
  std::vector<float> a = {1, 2, 3, 4}, b = {5, -6, 7, 8}, bias = {1, -100}, c = {10, 20, 30, 40};
  const std::vector<View> operands = {view_of(a, {2, 2}), view_of(b, {2, 2}), view_of(bias, {2}), view_of(c, {2, 2})};
  MatmulAttributes attributes;
  attributes.alpha = 2;
  attributes.beta = 0.5f;
  attributes.bias = true;
  attributes.activation = Activation::relu;
  const Oracle<Matmul> oracle(attributes, operands);
  std::vector<Expected> out(4);
  oracle.expect(0, 4, out.data());
  // a b = {19, 10; 43, 14}; times 2, plus c / 2, plus bias: {44, -70; 102, -52}
  EXPECT_EQ(out[0].value, 44);
  EXPECT_EQ(out[1].value, 0);
  EXPECT_EQ(out[2].value, 102);
  EXPECT_EQ(out[3].value, 0);
  // gamma(2 + 4) times 2 * (1*5 + 2*7) + 5 + 1.
  EXPECT_NEAR(out[0].bound, 6 * 0x1p-24 * 44, 1e-9);
  std::vector<Expected> last(1);  // a range that starts inside a row
  oracle.expect(3, 4, last.data());
  EXPECT_EQ(last[0].value, 0);
}

TEST(Oracle, ProductOfTransposedViewsAndBroadcastBatches) {
  std::vector<float> a(2 * 3 * 4), b(4 * 5), c(2 * 3 * 5);
  fill_integers(a, 1, -3, 3);
  fill_integers(b, 2, -3, 3);
  const View wide_a(a.data(), DType::f32, Shape{2, 3, 4}, Strides{12, 1, 3});  // each item stored by columns
  const std::vector<View> operands = {wide_a, view_of(b, {4, 5}), view_of(c, {2, 3, 5})};
  const Oracle<Matmul> oracle({}, operands);
  ASSERT_EQ(oracle.elements(), 30);
  std::vector<Expected> out(30);
  oracle.expect(0, 30, out.data());
  for (std::size_t item = 0; item < 2; ++item)
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 5; ++j) {
        double sum = 0;
        for (std::size_t l = 0; l < 4; ++l) sum += static_cast<double>(a[item * 12 + l * 3 + i] * b[l * 5 + j]);
        EXPECT_EQ(out[(item * 3 + i) * 5 + j].value, sum);
      }
}

TEST(Oracle, FunctionsAtKnownPoints) {
  const double inf = std::numeric_limits<double>::infinity();
  EXPECT_EQ(exact(UnaryFn::relu, -2), 0);
  EXPECT_FALSE(std::signbit(exact(UnaryFn::relu, -0.0)));
  EXPECT_DOUBLE_EQ(exact(UnaryFn::sigmoid, 0), 0.5);
  EXPECT_DOUBLE_EQ(exact(UnaryFn::silu, 1), 1 / (1 + std::exp(-1.0)));
  EXPECT_NEAR(exact(UnaryFn::gelu_erf, 1), 0.84134474606854293, 1e-15);           // Phi(1)
  EXPECT_NEAR(exact(UnaryFn::gelu_erf, -6), -6 * 9.8658764503769809e-10, 1e-22);  // Phi(-6): nothing cancels
  EXPECT_NEAR(exact(UnaryFn::gelu_tanh, 1), 0.5 * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * 1.044715)), 1e-15);
  EXPECT_NEAR(exact(UnaryFn::gelu_sigmoid, 1), 1 / (1 + std::exp(-1.702)), 1e-15);
  for (const UnaryFn fn : {UnaryFn::gelu_erf, UnaryFn::gelu_tanh, UnaryFn::gelu_sigmoid, UnaryFn::silu}) {
    EXPECT_EQ(exact(fn, -inf), 0) << name(fn);
    EXPECT_EQ(exact(fn, inf), inf) << name(fn);
    EXPECT_TRUE(std::isnan(exact(fn, std::nan("")))) << name(fn);
  }
}

TEST(Oracle, SoftmaxAlongBothAxes) {
  std::vector<float> x = {0, 1, 2, 3, 3, 3}, y(6);
  const std::vector<View> operands = {view_of(x, {2, 3}), view_of(y, {2, 3})};
  std::vector<Expected> out(6);
  Oracle<Softmax>({SoftmaxFn::softmax, -1}, operands).expect(0, 6, out.data());
  const double sum = 1 + std::exp(-1.0) + std::exp(-2.0);
  EXPECT_DOUBLE_EQ(out[0].value, std::exp(-2.0) / sum);
  EXPECT_DOUBLE_EQ(out[2].value, 1 / sum);
  EXPECT_DOUBLE_EQ(out[4].value, 1.0 / 3);
  Oracle<Softmax>({SoftmaxFn::log_softmax, 0}, operands).expect(0, 6, out.data());
  EXPECT_DOUBLE_EQ(out[0].value, -3 - std::log(1 + std::exp(-3.0)));
  EXPECT_DOUBLE_EQ(out[5].value, -std::log(1 + std::exp(-1.0)));
  x[1] = -std::numeric_limits<float>::infinity();
  Oracle<Softmax>({SoftmaxFn::softmax, 1}, operands).expect(0, 6, out.data());
  EXPECT_EQ(out[1].value, 0);
  x[0] = x[2] = x[1];
  Oracle<Softmax>({SoftmaxFn::softmax, 1}, operands).expect(0, 6, out.data());
  EXPECT_TRUE(std::isnan(out[0].value));
  EXPECT_FALSE(std::isnan(out[3].value));
}

TEST(Oracle, ReductionsOfAllAndAlongAnAxis) {
  std::vector<float> a = {1, -2, 3, 4, 5, -6}, b = {2, 2, 2, 1, 1, 1}, scalar(1), three(3);
  const auto all = [&](ReduceFn fn) {
    std::vector<View> operands = {view_of(a, {2, 3}), view_of(b, {2, 3}), view_of(scalar, {})};
    if (!takes_two(fn)) operands.erase(operands.begin() + 1);
    Expected out;
    Oracle<Reduce>({fn, {}}, operands).expect(0, 1, &out);
    return out;
  };
  EXPECT_EQ(all(ReduceFn::sum).value, 5);
  EXPECT_NEAR(all(ReduceFn::sum).bound, 6 * 0x1p-24 * 21, 1e-10);
  EXPECT_EQ(all(ReduceFn::max).value, 5);
  EXPECT_EQ(all(ReduceFn::max).bound, 0);
  EXPECT_EQ(all(ReduceFn::dot).value, 7);
  EXPECT_DOUBLE_EQ(all(ReduceFn::euclidean_distance).value, std::sqrt(1 + 16 + 1 + 9 + 16 + 49));
  EXPECT_DOUBLE_EQ(all(ReduceFn::cosine_similarity).value, 7 / std::sqrt(91.0) / std::sqrt(15.0));
  std::vector<Expected> out(3);
  const std::vector<View> columns = {view_of(a, {2, 3}), view_of(three, {3})};
  Oracle<Reduce>({ReduceFn::sum, 0}, columns).expect(0, 3, out.data());
  EXPECT_EQ(out[0].value, 5);
  EXPECT_EQ(out[1].value, 3);
  EXPECT_EQ(out[2].value, -3);
}

TEST(ErrorRatio, NaNsInfinitiesAndTheEdgeOfTheRange) {
  const double inf = kInfinity, nan = std::nan("");
  EXPECT_EQ(error_ratio({nan, 0}, nan), 0);
  EXPECT_EQ(error_ratio({nan, 0}, 1), inf);
  EXPECT_EQ(error_ratio({1, 1}, nan), inf);
  EXPECT_EQ(error_ratio({inf, 0}, inf), 0);
  EXPECT_EQ(error_ratio({inf, 0}, -inf), inf);
  EXPECT_EQ(error_ratio({inf, 0}, kLargest), inf);
  EXPECT_EQ(error_ratio({1e39, 1e32}, inf), 0);
  EXPECT_EQ(error_ratio({1e39, 1e32}, -inf), inf);
  EXPECT_EQ(error_ratio({1e30, 1e20}, inf), inf);
  EXPECT_EQ(error_ratio({2, 0}, 2), 0);
  EXPECT_EQ(error_ratio({2, 0}, std::nextafter(2, 3)), inf);
  EXPECT_DOUBLE_EQ(error_ratio({2, 0.5}, 2.25), 0.5);
  EXPECT_EQ(error_ratio({2, inf}, nan), 0);
}

/// The product in double, rounded once: right under any bound.
std::vector<float> product(const std::vector<View>& operands) {
  const Oracle<Matmul> oracle({}, operands);
  std::vector<Expected> expected(static_cast<std::size_t>(oracle.elements()));
  oracle.expect(0, oracle.elements(), expected.data());
  std::vector<float> values;
  for (const Expected& e : expected) values.push_back(static_cast<float>(e.value));
  return values;
}

TEST(ErrorRatio, WhereANaNIsExpectedNothingElseIsRight) {
  const float inf = std::numeric_limits<float>::infinity();
  std::vector<float> a = {inf, inf, 0, std::nanf("")}, b = {inf, 1, 0, 1}, c(4);
  const auto expect_nan = [](const Expected& e) {
    EXPECT_TRUE(std::isnan(e.value));
    EXPECT_EQ(error_ratio(e, std::nan("")), 0);
    EXPECT_EQ(error_ratio(e, 1), std::numeric_limits<double>::infinity());
  };
  const std::vector<View> operands = {view_of(a, {4}), view_of(b, {4}), view_of(c, {4})};
  std::vector<Expected> out(4);
  Oracle<Binary>({BinaryFn::sub}, operands).expect(0, 4, out.data());
  for (const std::size_t i : {0, 3}) expect_nan(out[i]);
  Oracle<Binary>({BinaryFn::div}, operands).expect(0, 4, out.data());
  for (const std::size_t i : {0, 2, 3}) expect_nan(out[i]);
  for (const UnaryFn fn : {UnaryFn::exp, UnaryFn::tanh, UnaryFn::gelu_erf}) {
    Oracle<Unary>({fn}, std::vector<View>{operands[0], operands[2]}).expect(0, 4, out.data());
    expect_nan(out[3]);
  }
}

TEST(Checker, SampledProductsStillShowOneWrongElementAnywhere) {
  constexpr std::int64_t kM = 67, kN = 131, kK = 40;
  std::vector<float> a(kM * kK), b(kK * kN), c(kM * kN);
  fill_uniform(a, 1);
  fill_uniform(b, 2);
  const std::vector<View> operands = {view_of(a, {kM, kK}), view_of(b, {kK, kN}), view_of(c, {kM, kN})};
  const std::vector<float> right = product(operands);
  const Checker<Matmul> checker({}, operands, 1, 40000);  // a ninth of the work
  EXPECT_NE(checker.method().find("sampled"), std::string::npos) << checker.method();
  c = right;
  const Check good = checker(operands[2]);
  EXPECT_TRUE(good.ok()) << good.complaint;
  EXPECT_LT(good.worst_ratio, 1);
  Random random(5);
  for (int i = 0; i < 50; ++i) {
    const auto at = static_cast<std::size_t>(random.integer(0, kM * kN - 1));
    c = right;
    c[at] += 0.25f;
    EXPECT_FALSE(checker(operands[2]).ok()) << "element " << at;
    c[at] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_FALSE(checker(operands[2]).ok()) << "NaN at " << at;
  }
}

TEST(Checker, SampledRunsFindAnUnwrittenElement) {
  std::vector<float> x(100000), y(100000);
  fill_uniform(x, 1);
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = std::max(x[i], 0.0f);
  const std::vector<View> operands = {view_of(x, {100000}), view_of(y, {100000})};
  const Checker<Unary> checker({UnaryFn::relu}, operands, 1, 10000);
  EXPECT_TRUE(checker(operands[1]).ok());
  y[54321] = std::bit_cast<float>(0xffffffffu);
  const Check check = checker(operands[1]);
  EXPECT_FALSE(check.ok());
  EXPECT_EQ(check.complaint, "element (54321) was never written");
}

TEST(Checker, ComplaintNamesTheElementAndTheNumbers) {
  std::vector<float> x = {1, 2, 3, 4, 5, 6}, y = {1, 2, 3, 4, 5.5f, 6};
  const std::vector<View> operands = {view_of(x, {2, 3}), view_of(y, {2, 3})};
  const Checker<Unary> checker({UnaryFn::relu}, operands, 1);
  EXPECT_EQ(checker.method(), "every element");
  const Check check = checker(operands[1]);
  EXPECT_EQ(check.wrong, 1);
  EXPECT_EQ(check.compared, 6);
  EXPECT_EQ(check.max_abs_error, 0.5);
  EXPECT_EQ(check.complaint, "element (1, 1) is 5.5, expected 5 +- 0");
}

}  // namespace
}  // namespace tandem::test::oracle_test
