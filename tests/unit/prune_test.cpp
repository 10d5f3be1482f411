// Pruning: exact counts, ties, structures, reports, refusals, and the examples of TinyTorch with the right answers.
#include <tandem/prune.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/context.h>
#include <tandem/error.h>

#include "tests/support/data.h"
#include "tests/support/guarded_buffer.h"

namespace tandem::prune_test {
namespace {

using test::Random;

std::vector<float> values_of(const ConstView& view) {
  EXPECT_TRUE(view.is_contiguous());
  const float* data = view.as<float>();
  return {data, data + view.elements()};
}
std::vector<int> mask_of(const Tensor& mask) {
  const std::uint8_t* data = mask.data<std::uint8_t>();
  return {data, data + mask.elements()};
}
std::int64_t kept_of(const Tensor& mask) {
  const std::vector<int> bits = mask_of(mask);
  return std::count(bits.begin(), bits.end(), 1);
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "no error";
}

// What must come out, by a full sort: the `kept` largest magnitudes, the first of equal ones.
std::vector<int> sorted_mask(const std::vector<float>& weights, std::int64_t kept) {
  std::vector<std::size_t> order(weights.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return std::abs(weights[a]) > std::abs(weights[b]); });
  std::vector<int> mask(weights.size(), 0);
  for (std::size_t i = 0; i < static_cast<std::size_t>(kept); ++i) mask[order[i]] = 1;
  return mask;
}

TEST(PruneMagnitude, CountsAreExactForEveryCountAndTiesKeepTheFirst) {
  Random random(1);
  for (const std::int64_t size : {0, 1, 2, 3, 7, 16, 33, 100}) {
    for (const std::int64_t distinct : {1, 3, 1000}) {  // of few distinct values, most are equal to others
      std::vector<float> weights(static_cast<std::size_t>(size));
      for (float& w : weights) w = static_cast<float>(random.integer(-distinct, distinct)) * 0.25f;
      const ConstView view(weights.data(), {size});
      for (std::int64_t count = 0; count <= size; ++count) {
        SCOPED_TRACE(std::to_string(count) + " of " + std::to_string(size));
        const Pruned pruned = prune_magnitude_count(view, count);
        ASSERT_EQ(kept_of(pruned.mask), size - count);
        ASSERT_EQ(mask_of(pruned.mask), sorted_mask(weights, size - count));
        const std::vector<float> values = values_of(pruned.values);
        for (std::size_t i = 0; i < weights.size(); ++i)
          ASSERT_EQ(values[i], mask_of(pruned.mask)[i] ? weights[i] : 0.0f);
        if (size > 0) {
          ASSERT_DOUBLE_EQ(pruned.report.achieved, static_cast<double>(count) / static_cast<double>(size));
        }
      }
    }
  }
}

TEST(PruneMagnitude, RoundsTheCountToTheNearestHalvesUp) {
  EXPECT_EQ(pruned_count(0.0, 10), 0);
  EXPECT_EQ(pruned_count(1.0, 10), 10);
  EXPECT_EQ(pruned_count(0.25, 50), 13);  // 12.5
  EXPECT_EQ(pruned_count(0.24, 50), 12);
  EXPECT_EQ(pruned_count(0.3, 10), 3);
  EXPECT_EQ(pruned_count(0.5, 0), 0);
  EXPECT_EQ(pruned_count(0.9, 1), 1);
  EXPECT_EQ(pruned_count(1.0, std::numeric_limits<std::int64_t>::max()), std::numeric_limits<std::int64_t>::max());
  EXPECT_LE(pruned_count(std::nextafter(1.0, 0.0), std::numeric_limits<std::int64_t>::max()),
            std::numeric_limits<std::int64_t>::max());
  for (std::int64_t elements = 1; elements <= 200; ++elements)
    for (std::int64_t count = 0; count <= elements; ++count)
      ASSERT_EQ(pruned_count(static_cast<double>(count) / static_cast<double>(elements), elements), count);
}

TEST(PruneMagnitude, KeepsBitsAndWritesPositiveZero) {
  const float weights[] = {-0.0f, 3.0f, -0.5f, 0x1p-149f, -0x1p-149f};
  const std::vector<float> half = values_of(prune_magnitude_count(ConstView(weights, {5}), 2).values);
  EXPECT_FALSE(std::signbit(half[0]));  // pruned
  EXPECT_EQ(half[3], 0x1p-149f);        // the first of two equal denormals
  EXPECT_EQ(half[4], 0.0f);
  EXPECT_TRUE(std::signbit(values_of(prune_magnitude_count(ConstView(weights, {5}), 0).values)[0]));
}

TEST(PruneMagnitude, TakesAnyStrides) {
  const float matrix[] = {1, -6, 3, 4, -5, 2};
  const Pruned pruned = prune_magnitude(ConstView(matrix, {2, 3}).transposed(), 0.5);
  EXPECT_EQ(pruned.values.shape(), (Shape{3, 2}));
  EXPECT_EQ(values_of(pruned.values), (std::vector<float>{0, 4, -6, -5, 0, 0}));
  EXPECT_EQ(mask_of(pruned.mask), (std::vector<int>{0, 1, 1, 1, 0, 0}));
}

TEST(PruneMagnitude, ReportsWhatItDid) {
  const float weights[] = {3, 0, 0, 4, 0, 1, 0, 0};
  const PruneReport report = prune_magnitude(ConstView(weights, {2, 4}), 0.25).report;
  EXPECT_EQ(report.requested, 0.25);
  EXPECT_EQ(report.achieved, 0.25);
  EXPECT_EQ(report.zeros, 0.625);  // five zeros, of which only two count as pruned
  EXPECT_EQ(report.compression_ratio, 8.0 / 6.0);
  EXPECT_EQ(report.norm_kept, 1.0);
  const PruneReport most = prune_magnitude(ConstView(weights, {2, 4}), 0.875).report;
  EXPECT_EQ(most.compression_ratio, 8.0);
  EXPECT_DOUBLE_EQ(most.norm_kept, 4 / std::sqrt(26.0));
  const PruneReport all = prune_magnitude(ConstView(weights, {2, 4}), 1).report;
  EXPECT_EQ(all.norm_kept, 0.0);
  EXPECT_TRUE(std::isinf(all.compression_ratio));
  const PruneReport none = prune_magnitude(ConstView(weights, {0, 4}), 0.5).report;
  EXPECT_EQ(none.achieved, 0.0);
  EXPECT_EQ(none.compression_ratio, 1.0);
}

TEST(PruneMagnitude, RanksTheWholeModelTogether) {
  const float small[] = {0.1f, -0.2f, 0.3f, 1.0f}, large[] = {5, -6, 1.0f, 0.05f};
  const ConstView model[] = {ConstView(small, {4}), ConstView(large, {2, 2})};
  const PrunedModel pruned = prune_magnitude(model, 0.5);
  EXPECT_EQ(mask_of(pruned.tensors[0].mask), (std::vector<int>{0, 0, 0, 1}));
  EXPECT_EQ(mask_of(pruned.tensors[1].mask), (std::vector<int>{1, 1, 1, 0}));
  EXPECT_EQ(pruned.report.achieved, 0.5);
  EXPECT_EQ(pruned.tensors[0].report.achieved, 0.75);
  EXPECT_EQ(pruned.tensors[1].report.achieved, 0.25);
  // Of the two equal weights, that of the first tensor stays.
  const PrunedModel tie = prune_magnitude(model, 0.625);
  EXPECT_EQ(mask_of(tie.tensors[0].mask), (std::vector<int>{0, 0, 0, 1}));
  EXPECT_EQ(mask_of(tie.tensors[1].mask), (std::vector<int>{1, 1, 0, 0}));
  EXPECT_TRUE(prune_magnitude(std::span<const ConstView>(), 0.5).tensors.empty());
}

TEST(PruneMagnitude, CountsOverAModelAreExactForEveryCount) {
  Random random(2);
  std::vector<float> a(13), b(8), c;
  for (float& w : a) w = static_cast<float>(random.integer(-2, 2));
  for (float& w : b) w = static_cast<float>(random.integer(-4, 4));
  const ConstView model[] = {ConstView(a.data(), {13}), ConstView(c.data(), {0, 3}), ConstView(b.data(), {2, 4})};
  std::vector<float> all = a;
  all.insert(all.end(), b.begin(), b.end());
  for (std::int64_t count = 0; count <= 21; ++count) {
    const PrunedModel pruned = prune_magnitude(model, static_cast<double>(count) / 21);
    std::vector<int> mask = mask_of(pruned.tensors[0].mask), rest = mask_of(pruned.tensors[2].mask);
    mask.insert(mask.end(), rest.begin(), rest.end());
    ASSERT_EQ(mask, sorted_mask(all, 21 - count)) << count;
  }
}

// The library that this one comes from prunes by a percentile: with `>` the least weight goes even at ratio 0 and all
// ties go at once; with `>=` none of the ties goes.
TEST(PruneMagnitude, TinyTorchExamples) {
  const float matrix[] = {0.5f, -0.1f, 0.8f, 0.05f, -0.9f, 0.2f, -0.3f, 0.02f, 0.7f};
  const Pruned half = prune_magnitude(ConstView(matrix, {3, 3}), 0.5);  // 4.5 of 9, halves up
  EXPECT_EQ(kept_of(half.mask), 4);
  EXPECT_EQ(mask_of(half.mask), (std::vector<int>{1, 0, 1, 0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(kept_of(prune_magnitude(ConstView(matrix, {3, 3}), 0).mask), 9);
  const float equal[] = {1, -1, 1, -1};
  EXPECT_EQ(mask_of(prune_magnitude(ConstView(equal, {2, 2}), 0.5).mask), (std::vector<int>{1, 1, 0, 0}));
  std::vector<float> layer(100 * 50);
  test::fill_uniform(layer, 3);
  const PruneReport report = prune_magnitude(ConstView(layer.data(), {100, 50}), 0.8).report;
  EXPECT_EQ(report.achieved, 0.8);
  EXPECT_EQ(report.compression_ratio, 5.0);  // they ask for 4 at least
  EXPECT_EQ(prune_magnitude(ConstView(layer.data(), {100, 50}), 0.3).report.achieved, 0.3);
  EXPECT_EQ(sparsity(Tensor::zeros({10, 5})), 1.0);
  EXPECT_EQ(sparsity(ConstView(matrix, {3, 3})), 0.0);
  EXPECT_EQ(sparsity(Tensor::zeros({0})), 0.0);
}

TEST(PruneMagnitude, RefusesWhatHasNoOrder) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const float weights[] = {1, nan, 2}, infinite[] = {1, 2, -inf};
  const ConstView view(weights, {3}), three(infinite, {3});
  EXPECT_EQ(message_of([&] { prune_magnitude(view, 0.5); }),
            "prune_magnitude: element 1 of the tensor of weights, shape 3, is nan");
  EXPECT_EQ(message_of([&] { prune_magnitude(three, 0.5); }),
            "prune_magnitude: element 2 of the tensor of weights, shape 3, is -inf");
  EXPECT_EQ(message_of([&] { prune_2_4(view); }), "prune_2_4: element 1 of the tensor of weights, shape 3, is nan");
  EXPECT_EQ(message_of([&] { prune_structured(view); }),
            "prune_structured: element 1 of the tensor of weights, shape 3, is nan");
  const ConstView good(infinite, {2});
  for (const double bad : {-0.1, 1.5, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_NE(message_of([&] { prune_magnitude(good, bad); }).find("is not in [0, 1]"), std::string::npos);
    EXPECT_NE(message_of([&] { prune_magnitude(std::span(&good, 1), bad); }).find("not in"), std::string::npos);
    EXPECT_NE(message_of([&] { prune_structured(good, {.sparsity = bad}); }).find("not in"), std::string::npos);
  }
  EXPECT_EQ(message_of([&] { prune_magnitude_count(good, 3); }),
            "prune_magnitude_count: 3 of 2 weights (shape 2) cannot be pruned");
  EXPECT_EQ(message_of([&] { prune_magnitude_count(good, -1); }),
            "prune_magnitude_count: -1 of 2 weights (shape 2) cannot be pruned");
  const std::int8_t bytes[] = {1};
  EXPECT_EQ(message_of([&] { prune_magnitude(ConstView(bytes, {1}), 0.5); }),
            "prune_magnitude: the tensor of weights is s8, only f32 is supported");
  const ConstView on_gpu(infinite, DType::f32, {2}, Device::cuda(0));
  EXPECT_EQ(message_of([&] { prune_magnitude(on_gpu, 0.5); }),
            "prune_magnitude: the tensor of weights is on cuda:0; bring it to the host first");
}

TEST(PruneStructured, RowsAndColumnsByEveryImportance) {
  //                       l1   l2^2  variance
  const float matrix[] = {3,  3,  3,   // 9   27   0
                          0,  5,  0,   // 5   25   5.56
                          -4, 4,  0,   // 8   32   10.67
                          1,  -1, 1};  // 3   3    0.89
  const ConstView view(matrix, {4, 3});
  const auto kept = [&](const ConstView& v, Structure structure, Importance importance) {
    return prune_structured(v, {.structure = structure, .importance = importance, .sparsity = 0.5}).kept;
  };
  using Kept = std::vector<std::int64_t>;
  EXPECT_EQ(kept(view, Structure::rows, Importance::l1), (Kept{0, 2}));
  EXPECT_EQ(kept(view, Structure::rows, Importance::l2), (Kept{0, 2}));
  EXPECT_EQ(kept(view, Structure::rows, Importance::variance), (Kept{1, 2}));
  EXPECT_EQ(kept(view.transposed(), Structure::columns, Importance::l1), (Kept{0, 2}));
  EXPECT_EQ(kept(view.transposed(), Structure::columns, Importance::variance), (Kept{1, 2}));

  const PrunedStructure rows = prune_structured(view, {.importance = Importance::variance});
  EXPECT_EQ(values_of(rows.values), (std::vector<float>{0, 0, 0, 0, 5, 0, -4, 4, 0, 0, 0, 0}));
  EXPECT_EQ(mask_of(rows.mask), (std::vector<int>{0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0}));
  EXPECT_EQ(rows.dense.shape(), (Shape{2, 3}));
  EXPECT_EQ(values_of(rows.dense), (std::vector<float>{0, 5, 0, -4, 4, 0}));
  EXPECT_EQ(rows.report.compression_ratio, 2.0);
  EXPECT_DOUBLE_EQ(rows.report.norm_kept, std::sqrt(57.0 / 87.0));

  const PrunedStructure columns = prune_structured(view, {.structure = Structure::columns, .sparsity = 1.0 / 3});
  EXPECT_EQ(columns.kept, (Kept{0, 1}));
  EXPECT_EQ(columns.dense.shape(), (Shape{4, 2}));
  EXPECT_EQ(values_of(columns.dense), (std::vector<float>{3, 3, 0, 5, -4, 4, 1, -1}));
}

TEST(PruneStructured, BlocksWithSmallerOnesAtTheEdges) {
  const float matrix[] = {1, 1, 9, 9, 2,  //
                          1, 1, 0, 0, 2,  //
                          7, 0, 3, 3, 8};
  const PrunedStructure blocks =
      prune_structured(ConstView(matrix, {3, 5}),
                       {.structure = Structure::blocks, .importance = Importance::l1, .sparsity = 0.5, .block = 2});
  // l1 of the six blocks: 4, 18, 4; 7, 6, 8.
  EXPECT_EQ(blocks.kept, (std::vector<std::int64_t>{1, 3, 5}));
  EXPECT_EQ(values_of(blocks.values), (std::vector<float>{0, 0, 9, 9, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 8}));
  EXPECT_EQ(blocks.dense.shape(), (Shape{3, 2, 2}));
  EXPECT_EQ(values_of(blocks.dense), (std::vector<float>{9, 9, 0, 0, 7, 0, 0, 0, 8, 0, 0, 0}));
  EXPECT_EQ(kept_of(blocks.mask), 7);
  EXPECT_DOUBLE_EQ(blocks.report.achieved, 8.0 / 15);
  const PrunedStructure one =
      prune_structured(ConstView(matrix, {3, 5}), {.structure = Structure::blocks, .block = 100});
  EXPECT_EQ(one.kept, (std::vector<std::int64_t>{0}));
  EXPECT_EQ(one.dense.shape(), (Shape{1, 100, 100}));
}

// Every number of units, and ties: what stays are the first units of the largest importance, and the dense tensor
// holds exactly them.
TEST(PruneStructured, KeepsAsManyUnitsAsPromised) {
  Random random(5);
  for (const Structure structure : {Structure::rows, Structure::columns})
    for (const std::int64_t units : {1, 2, 7, 20}) {
      std::vector<float> weights(static_cast<std::size_t>(units * 3));
      for (float& w : weights) w = static_cast<float>(random.integer(-1, 1));
      const bool rows = structure == Structure::rows;
      ConstView view(weights.data(), {units, 3});
      if (!rows) view = view.transposed();
      std::vector<float> worth;
      for (std::int64_t u = 0; u < units; ++u) {
        const float* w = weights.data() + u * 3;
        worth.push_back(std::abs(w[0]) + std::abs(w[1]) + std::abs(w[2]));
      }
      for (std::int64_t count = 0; count <= units; ++count) {
        const PrunedStructure pruned =
            prune_structured(view, {.structure = structure,
                                    .importance = Importance::l1,
                                    .sparsity = static_cast<double>(count) / static_cast<double>(units)});
        const std::vector<int> expected = sorted_mask(worth, std::max<std::int64_t>(1, units - count));
        std::vector<std::int64_t> kept;
        for (std::int64_t u = 0; u < units; ++u)
          if (expected[static_cast<std::size_t>(u)]) kept.push_back(u);
        ASSERT_EQ(pruned.kept, kept);
        for (std::size_t slot = 0; slot < kept.size(); ++slot) {
          const auto at = static_cast<std::int64_t>(slot);
          const ConstView dense = pruned.dense.view().slice(rows ? 0 : 1, at, at + 1);
          for (std::int64_t i = 0; i < 3; ++i)
            ASSERT_EQ(static_cast<const float*>(dense.data())[i * dense.strides()[rows ? 1 : 0]],
                      weights[static_cast<std::size_t>(kept[slot] * 3 + i)]);
        }
      }
    }
}

TEST(PruneStructured, TinyTorchExamples) {
  std::vector<float> layer(100 * 50);
  test::fill_uniform(layer, 4);
  const PrunedStructure neurons =
      prune_structured(ConstView(layer.data(), {100, 50}),
                       {.structure = Structure::columns, .importance = Importance::l1, .sparsity = 0.25});
  EXPECT_EQ(neurons.kept.size(), 37u);  // 13 of 50 removed
  EXPECT_EQ(neurons.dense.shape(), (Shape{100, 37}));
  std::vector<float> filters(8 * 3 * 3 * 3);
  test::fill_uniform(filters, 5);
  const PrunedStructure half = prune_structured(ConstView(filters.data(), {8, 3, 3, 3}));
  EXPECT_EQ(half.dense.shape(), (Shape{4, 3, 3, 3}));
  for (std::size_t slot = 0; slot < 4; ++slot)
    EXPECT_TRUE(std::equal(filters.begin() + half.kept[slot] * 27, filters.begin() + (half.kept[slot] + 1) * 27,
                           half.dense.data<float>() + slot * 27));
  EXPECT_EQ(prune_structured(ConstView(layer.data(), {100, 50}), {.sparsity = 1}).kept.size(), 1u);  // never none
}

TEST(PruneStructured, EmptyWeightsAndRefusals) {
  const float value = 1;
  EXPECT_TRUE(prune_structured(ConstView(&value, {0, 5})).kept.empty());
  EXPECT_EQ(prune_structured(ConstView(&value, {0, 5})).dense.shape(), (Shape{0, 5}));
  EXPECT_TRUE(prune_structured(ConstView(&value, {0, 5}), {.structure = Structure::blocks}).kept.empty());
  EXPECT_EQ(message_of([&] { prune_structured(ConstView(&value, Shape{})); }),
            "prune_structured: rows of shape scalar: one dimension is needed");
  EXPECT_EQ(message_of([&] { prune_structured(ConstView(&value, {1}), {.structure = Structure::columns}); }),
            "prune_structured: columns and blocks of shape 1: a matrix is needed");
  EXPECT_EQ(message_of([&] {
              prune_structured(ConstView(&value, {1, 1}), {.structure = Structure::blocks, .block = 0});
            }),
            "prune_structured: blocks of 0 x 0 elements");
}

TEST(Prune24, KeepsTheTwoLargestOfEachFour) {
  const float row[] = {1, -3, 2, 0.5f, /**/ 5, 5, 5, 5, /**/ 0, 0, -1, 0};
  const Pruned pruned = prune_2_4(ConstView(row, {1, 12}));
  EXPECT_EQ(mask_of(pruned.mask), (std::vector<int>{0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 0}));
  EXPECT_EQ(values_of(pruned.values), (std::vector<float>{0, -3, 2, 0, 5, 5, 0, 0, 0, 0, -1, 0}));
  EXPECT_EQ(pruned.report.achieved, 0.5);
  EXPECT_EQ(pruned.report.requested, 0.5);
  EXPECT_EQ(pruned.report.compression_ratio, 2.0);
}

TEST(Prune24, AgreesWithASortOfEveryGroupAlongEveryAxis) {
  Random random(6);
  for (const Shape& shape :
       {Shape{3, 8}, Shape{8, 3}, Shape{5, 7}, Shape{6, 1}, Shape{2, 9, 3}, Shape{1}, Shape{0, 4}}) {
    std::vector<float> weights(static_cast<std::size_t>(element_count(shape)));
    for (float& w : weights) w = static_cast<float>(random.integer(-3, 3));
    const ConstView view(weights.data(), shape);
    for (int axis = -shape.rank(); axis < shape.rank(); ++axis) {
      const Pruned pruned = prune_2_4(view, axis);
      const int at = axis < 0 ? axis + shape.rank() : axis;
      const std::int64_t step = view.strides()[at], size = shape[at];
      const std::vector<int> mask = mask_of(pruned.mask);
      for (std::int64_t i = 0; i < view.elements(); ++i) {
        if (i / step % size % 4 != 0) continue;  // the first of a group
        std::vector<float> group;
        std::vector<int> stays;
        for (std::int64_t p = 0; p < std::min<std::int64_t>(4, size - i / step % size); ++p) {
          group.push_back(weights[static_cast<std::size_t>(i + p * step)]);
          stays.push_back(mask[static_cast<std::size_t>(i + p * step)]);
        }
        ASSERT_EQ(stays, sorted_mask(group, std::min<std::int64_t>(2, static_cast<std::int64_t>(group.size()))))
            << to_string(shape) << " axis " << axis << " element " << i;
      }
    }
  }
}

TEST(Prune24, ATailOfOneOrTwoStaysWhole) {
  const float row[] = {1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(mask_of(prune_2_4(ConstView(row, {5})).mask), (std::vector<int>{0, 0, 1, 1, 1}));
  EXPECT_EQ(mask_of(prune_2_4(ConstView(row, {6})).mask), (std::vector<int>{0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(mask_of(prune_2_4(ConstView(row, {7})).mask), (std::vector<int>{0, 0, 1, 1, 0, 1, 1}));
  EXPECT_DOUBLE_EQ(prune_2_4(ConstView(row, {7})).report.achieved, 3.0 / 7);
  EXPECT_THROW(prune_2_4(ConstView(row, {7}), 1), Error);
}

TEST(PruneOutput, MeasuresTheErrorOfTheOutputs) {
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  const float x[] = {1, 2}, weights[] = {3, 1, 4, 2}, pruned[] = {3, 0, 4, 0};
  const OutputError error =
      output_error(ctx, ConstView(x, {1, 2}), ConstView(weights, {2, 2}), ConstView(pruned, {2, 2}));
  EXPECT_EQ(error.max_abs, 5.0);  // [11, 5] and [11, 0]
  EXPECT_EQ(error.mean_abs, 2.5);
  EXPECT_DOUBLE_EQ(error.relative, 5 / std::sqrt(146.0));
  const OutputError none =
      output_error(ctx, ConstView(x, {1, 2}), ConstView(weights, {2, 2}), ConstView(weights, {2, 2}));
  EXPECT_EQ(none.max_abs, 0.0);
  EXPECT_EQ(none.relative, 0.0);
  EXPECT_EQ(message_of([&] {
              output_error(ctx, ConstView(x, {1, 2}), ConstView(weights, {2, 2}), ConstView(pruned, {2, 1}));
            }),
            "output_error: x is 1x2, the weights 2x2 and the pruned ones 2x1; [..., k], [k, n] and [k, n] are needed");
}

TEST(PruneOutput, RefusesWhatItCannotMeasure) {
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  const float good[] = {3, 1, 4, 2, 3, 1, 4, 2};
  float nan[] = {3, 1, NAN, 2}, infinite[] = {3, 1, 4, INFINITY};
  const ConstView x(good, {1, 2}), w(good, {2, 2}), batch(good, {2, 2, 2});
  const ConstView bf16(good, DType::bf16, {2, 2}), there(good, DType::f32, {2, 2}, Device::cuda());
  const auto message = [&](const ConstView& a, const ConstView& b, const ConstView& c) {
    return message_of([&] { output_error(ctx, a, b, c); });
  };
  EXPECT_EQ(message(x, ConstView(nan, {2, 2}), w),
            "output_error: element 2 of the tensor of weights, shape 2x2, is nan");
  EXPECT_EQ(message(x, w, ConstView(infinite, {2, 2})),
            "output_error: element 3 of the tensor of pruned weights, shape 2x2, is inf");
  EXPECT_EQ(message(ConstView(infinite, {2, 2}), w, w), "output_error: element 3 of x, shape 2x2, is inf");
  EXPECT_EQ(message(x, bf16, bf16), "output_error: the tensor of weights is bf16, only f32 is supported");
  EXPECT_EQ(message(x, there, there), "output_error: the tensor of weights is on cuda:0; bring it to the host first");
  EXPECT_EQ(
      message(x, batch, batch),
      "output_error: x is 1x2, the weights 2x2x2 and the pruned ones 2x2x2; [..., k], [k, n] and [k, n] are needed");
}

TEST(PruneOutput, AnOverflowIsNoPerfectResult) {
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  const float x[] = {3e38f, 3e38f}, weights[] = {2, 0, 2, 0}, pruned[] = {0, 0, 2, 0};
  const OutputError error =
      output_error(ctx, ConstView(x, {1, 2}), ConstView(weights, {2, 2}), ConstView(pruned, {2, 2}));
  EXPECT_FALSE(std::isfinite(error.max_abs));
  EXPECT_FALSE(std::isfinite(error.mean_abs));
  EXPECT_FALSE(std::isfinite(error.relative));
}

}  // namespace
}  // namespace tandem::prune_test
