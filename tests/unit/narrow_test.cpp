// Layers with fewer units between them against the same layers with those units masked.
#include <tandem/prune.h>

#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/weights.h>

#include "tests/support/models.h"

namespace tandem::test::narrow_test {
namespace {

constexpr std::int64_t kRows = 7, kInputs = 19, kUnits = 40, kOutputs = 11;

struct Layers {
  Tensor w1 = random_tensor({kInputs, kUnits}, 1), b1 = random_tensor({kUnits}, 2),
         w2 = random_tensor({kUnits, kOutputs}, 3), x = random_tensor({kRows, kInputs}, 4);
};

Tensor two_layers(Context& ctx, const Tensor& x, const ConstView& w1, const ConstView& b1, const ConstView& w2) {
  LinearOptions options;
  options.bias = b1;
  options.activation = Activation::gelu_erf;
  return linear(ctx, linear(ctx, x, Weights::dense(ctx, w1), options), Weights::dense(ctx, w2));
}

void expect_near(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.shape(), b.shape());
  for (std::int64_t i = 0; i < a.elements(); ++i) EXPECT_NEAR(a.data<float>()[i], b.data<float>()[i], 2e-5f);
}

TEST(NarrowLayers, GiveWhatMaskedOnesDo) {
  Context ctx;
  const Layers l;
  const PrunedStructure rows = prune_structured(l.w2, {Structure::rows, Importance::l2, 0.6, 4});
  ASSERT_EQ(rows.kept.size(), 16u);
  const NarrowedLayers narrow = narrow_layers(l.w1, l.b1, l.w2, rows.kept);
  EXPECT_EQ(narrow.w1.shape(), (Shape{kInputs, 16}));
  EXPECT_EQ(narrow.b1.shape(), (Shape{16}));
  EXPECT_EQ(narrow.w2.shape(), (Shape{16, kOutputs}));
  const Tensor masked = two_layers(ctx, l.x, l.w1, l.b1, rows.values);
  expect_near(two_layers(ctx, l.x, narrow.w1, narrow.b1, narrow.w2), masked);
  expect_near(two_layers(ctx, l.x, narrow.w1, narrow.b1, rows.dense), masked);
  const NarrowedLayers without_bias = narrow_layers(l.w1, {}, l.w2, rows.kept);
  EXPECT_EQ(without_bias.b1.elements(), 0);
  EXPECT_EQ(without_bias.b1.shape().rank(), 0);
  expect_near(two_layers(ctx, l.x, without_bias.w1, {}, without_bias.w2), two_layers(ctx, l.x, l.w1, {}, rows.values));
}

TEST(NarrowLayers, TakeTheUnitsOfPrunedColumnsAndAnyStrides) {
  Context ctx;
  const Layers l;
  const PrunedStructure columns = prune_structured(l.w1, {Structure::columns, Importance::l1, 0.25, 4});
  const NarrowedLayers narrow = narrow_layers(l.w1, l.b1, l.w2, columns.kept);
  for (std::int64_t i = 0; i < narrow.w1.elements(); ++i)
    EXPECT_EQ(narrow.w1.data<float>()[i], columns.dense.data<float>()[i]);
  const Tensor w1 = transpose(ctx, l.w1), w2 = transpose(ctx, l.w2);
  const NarrowedLayers turned = narrow_layers(w1.view().transposed(), l.b1, w2.view().transposed(), columns.kept);
  for (std::int64_t i = 0; i < narrow.w1.elements(); ++i)
    EXPECT_EQ(turned.w1.data<float>()[i], narrow.w1.data<float>()[i]);
  for (std::int64_t i = 0; i < narrow.w2.elements(); ++i)
    EXPECT_EQ(turned.w2.data<float>()[i], narrow.w2.data<float>()[i]);
  EXPECT_EQ(narrow_layers(l.w1, l.b1, l.w2, {}).w2.shape(), (Shape{0, kOutputs}));
}

TEST(NarrowLayers, BadCallsAreRefusedInASentence) {
  const Layers l;
  const std::vector<std::int64_t> falling = {3, 2}, twice = {3, 3}, beyond = {0, kUnits}, fine = {0, 5};
  Tensor infinite = random_tensor({kUnits}, 1);
  infinite.data<float>()[3] = std::numeric_limits<float>::infinity();
  const std::pair<std::function<void()>, std::string> calls[] = {
      {[&] { narrow_layers(l.w1, l.b1, l.w2, falling); },
       "narrow_layers: unit 2 is kept, but only ascending ones below 40 can be"},
      {[&] { narrow_layers(l.w1, l.b1, l.w2, twice); },
       "narrow_layers: unit 3 is kept, but only ascending ones below 40 can be"},
      {[&] { narrow_layers(l.w1, l.b1, l.w2, beyond); },
       "narrow_layers: unit 40 is kept, but only ascending ones below 40 can be"},
      {[&] { narrow_layers(l.w1, l.b1, l.w1, fine); },
       "narrow_layers: w1 is 19x40 and w2 is 19x40, but the columns of one must be the rows of the other"},
      {[&] { narrow_layers(l.w1, l.x, l.w2, fine); }, "narrow_layers: b1 is 7x19, but w1 has 40 columns"},
  };
  const auto sentence_of = [](const std::function<void()>& call) -> std::string {
    try {
      call();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      return error.what();
    }
    return "no error";
  };
  for (const auto& [call, sentence] : calls) EXPECT_EQ(sentence_of(call), sentence);
  EXPECT_NE(sentence_of([&] { narrow_layers(l.w1, infinite, l.w2, fine); }), "no error");
}

}  // namespace
}  // namespace tandem::test::narrow_test
