// The loss of distillation, against values worked out by hand and the properties of a divergence.
#include <tandem/distill.h>

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/calls.h"

namespace tandem::distill_test {
namespace {

using test::error_of;
using test::has;

Tensor logits(const Shape& shape, const std::vector<float>& values) {
  Tensor t = Tensor::empty(shape);
  std::copy(values.begin(), values.end(), t.data<float>());
  return t;
}
Tensor labels(const std::vector<std::int32_t>& values) {
  Tensor t = Tensor::empty({static_cast<std::int64_t>(values.size())}, DType::s32);
  std::copy(values.begin(), values.end(), t.data<std::int32_t>());
  return t;
}

TEST(Distillation, TwoClassesByHand) {
  const Tensor student = logits({1, 2}, {0, 0}), teacher = logits({1, 2}, {2 * std::log(3.0f), 0});
  const DistillationLoss loss = distillation_loss(student, teacher, labels({1}), {.temperature = 2, .alpha = 0.25});
  // Teacher at T = 2: 3/4 and 1/4. KL to 1/2, 1/2: log 2 - H(1/4).
  const double kl = 0.75 * std::log(1.5) + 0.25 * std::log(0.5);
  EXPECT_NEAR(loss.hard, std::log(2.0), 1e-12);
  EXPECT_NEAR(loss.soft, kl, 1e-7);
  EXPECT_NEAR(loss.total, 0.25 * std::log(2.0) + 0.75 * 4 * kl, 1e-6);
}

TEST(Distillation, AgreementCostsNothingAndShiftsDoNotMatter) {
  const Tensor teacher = test::filled({20, 10}, test::Fill::reals, 5);
  Context ctx;
  Tensor student = teacher.clone(ctx);
  for (std::int64_t i = 0; i < student.elements(); ++i) student.data<float>()[i] += 4;
  std::vector<std::int32_t> answers(20);
  for (int i = 0; i < 20; ++i) answers[static_cast<std::size_t>(i)] = i % 10;
  const DistillationLoss same = distillation_loss(teacher, teacher, labels(answers), {.alpha = 0});
  EXPECT_EQ(same.soft, 0);
  EXPECT_EQ(same.total, 0);
  EXPECT_NEAR(distillation_loss(student, teacher, labels(answers)).soft, 0, 1e-9);
  EXPECT_GT(distillation_loss(test::filled({20, 10}, test::Fill::reals, 6), teacher, labels(answers)).soft, 0);
}

TEST(Distillation, LargeLogitsStayFinite) {
  const Tensor student = logits({1, 3}, {1000, -1000, 0}), teacher = logits({1, 3}, {-1000, 1000, 0});
  const DistillationLoss loss = distillation_loss(student, teacher, labels({1}), {.temperature = 1});
  EXPECT_NEAR(loss.hard, 2000, 1e-9);
  EXPECT_NEAR(loss.soft, 2000, 1e-9);
}

TEST(Distillation, RefusesWhatMeansNothing) {
  const Tensor two = Tensor::zeros({2, 3});
  const auto message = [&](const ConstView& s, const ConstView& t, const ConstView& l, DistillationOptions o = {}) {
    return std::string(error_of([&] { distillation_loss(s, t, l, o); }).what());
  };
  EXPECT_TRUE(has(message(two, Tensor::zeros({2, 4}), labels({0, 1})), "2x3, 2x4 and 2"));
  EXPECT_TRUE(has(message(two, two, labels({0, 3})), "label 3 of row 1 is none of 3 classes"));
  EXPECT_TRUE(has(message(two, two, labels({-1, 0})), "label -1"));
  EXPECT_TRUE(has(message(two, two, Tensor::zeros({2})), "labels are f32"));
  EXPECT_TRUE(has(message(two, two, labels({0, 1}), {.temperature = 0}), "temperature 0"));
  EXPECT_TRUE(has(message(two, two, labels({0, 1}), {.alpha = 1.5}), "alpha 1.5"));
  EXPECT_TRUE(has(message(Tensor::zeros({0, 3}), Tensor::zeros({0, 3}), labels({})), "no answer"));
  EXPECT_TRUE(has(message(logits({1, 2}, {0, INFINITY}), Tensor::zeros({1, 2}), labels({0})), "distillation_loss"));
}

}  // namespace
}  // namespace tandem::distill_test
