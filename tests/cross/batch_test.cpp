// parallel_batch: order, exceptions, small batches, nested use, and never more threads than the context has.
#include <atomic>
#include <set>
#include <thread>

#include "tests/support/calls.h"

namespace tandem::test::batch_test {
namespace {

Context context_of(int threads) {
  ContextOptions options;
  options.threads = threads;
  return Context(options);
}

std::vector<Tensor> items_of(std::size_t count) {
  std::vector<Tensor> items;
  for (std::size_t i = 0; i < count; ++i) items.push_back(Tensor::full({3, 5}, static_cast<float>(i)));
  return items;
}
std::vector<ConstView> views_of(const std::vector<Tensor>& items) { return {items.begin(), items.end()}; }

TEST(ParallelBatch, KeepsTheOrder) {
  for (const int threads : {1, 2, 3, 5})
    for (const std::size_t count : {0, 1, 2, 4, 37}) {
      Context ctx = context_of(threads);
      const std::vector<Tensor> items = items_of(count);
      const std::vector<Tensor> results =
          parallel_batch(ctx, views_of(items), [](Context& c, ConstView x) { return add(c, x, x); });
      ASSERT_EQ(results.size(), count);
      for (std::size_t i = 0; i < count; ++i)
        for (int e = 0; e < 15; ++e) EXPECT_EQ(results[i].data<float>()[e], 2 * static_cast<float>(i));
    }
}

TEST(ParallelBatch, NeverUsesMoreThreadsThanTheContextHas) {
  for (const int threads : {1, 2, 3}) {
    Context ctx = context_of(threads);
    const std::vector<Tensor> items = items_of(40);
    std::atomic<int> running{0}, most{0}, widest{0};
    parallel_batch(ctx, views_of(items), [&](Context& c, ConstView x) {
      const int now = ++running;
      int seen = most;
      while (seen < now && !most.compare_exchange_weak(seen, now)) {
      }
      if (c.threads() > widest) widest = c.threads();
      Tensor y = relu(c, x);
      --running;
      return y;
    });
    EXPECT_LE(most, threads);
    EXPECT_EQ(widest, 1);
  }
}

TEST(ParallelBatch, FewItemsGetAllThreads) {
  Context ctx = context_of(3);
  const std::vector<Tensor> items = items_of(2);
  parallel_batch(ctx, views_of(items), [](Context& c, ConstView x) {
    EXPECT_EQ(c.threads(), 3);
    return relu(c, x);
  });
}

TEST(ParallelBatch, BringsTheEarliestExceptionAndSurvives) {
  for (const int threads : {1, 2, 5}) {
    Context ctx = context_of(threads);
    const std::vector<Tensor> items = items_of(30);
    const auto run = [&](int bad) {
      std::atomic<int> calls{0};
      try {
        parallel_batch(ctx, views_of(items), [&](Context& c, ConstView x) -> Tensor {
          ++calls;
          if (x.as<float>()[0] == static_cast<float>(bad)) throw std::runtime_error("item " + std::to_string(bad));
          return relu(c, x);
        });
        ADD_FAILURE() << "no exception of item " << bad;
      } catch (const std::runtime_error& error) {
        EXPECT_EQ(std::string(error.what()), "item " + std::to_string(bad));
      }
      EXPECT_GE(calls, 1);
    };
    for (const int bad : {0, 13, 29}) run(bad);
    // Errors of the library come through as they are.
    const Error error = error_of(
        [&] { parallel_batch(ctx, views_of(items), [](Context& c, ConstView x) { return matmul(c, x, x); }); });
    EXPECT_EQ(error.code(), Code::invalid_argument);
    EXPECT_TRUE(has(error.what(), "inner dimensions differ")) << error.what();
    EXPECT_EQ(parallel_batch(ctx, views_of(items), [](Context& c, ConstView x) { return relu(c, x); }).size(), 30u);
  }
}

TEST(ParallelBatch, OfTwoFailingItemsTheEarlierOneIsReported) {
  Context ctx = context_of(2);
  const std::vector<Tensor> items = items_of(2);
  std::atomic<int> arrived{0};
  try {
    parallel_batch(ctx, views_of(items), [&](Context&, ConstView x) -> Tensor {
      ++arrived;
      // Both items are being worked on before either fails.
      for (int i = 0; i < 10000 && arrived < 2; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      throw std::runtime_error("item " + std::to_string(static_cast<int>(x.as<float>()[0])));
    });
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "item 0");
  }
}

TEST(ParallelBatch, MayBeNested) {
  Context ctx = context_of(3);
  const std::vector<Tensor> items = items_of(12);
  const auto double_rows = [](Context& c, ConstView x) {
    std::vector<ConstView> rows;
    for (int r = 0; r < 3; ++r) rows.push_back(x.slice(0, r, r + 1));
    const std::vector<Tensor> doubled =
        parallel_batch(c, rows, [](Context& inner, ConstView row) { return add(inner, row, row); });
    return doubled[2].clone(c);
  };
  const std::vector<Tensor> results = parallel_batch(ctx, views_of(items), double_rows);
  for (std::size_t i = 0; i < items.size(); ++i) EXPECT_EQ(results[i].data<float>()[4], 2 * static_cast<float>(i));
}

TEST(ParallelBatch, LargeProductsGiveTheBitsOfSingleCalls) {
  Context one = context_of(1), many = context_of(3);
  std::vector<Tensor> items;
  for (std::uint64_t i = 0; i < 7; ++i) items.push_back(filled({90, 90}, Fill::reals, i));
  const Tensor weights = filled({90, 64}, Fill::reals, 99);
  const auto product = [&](Context& c, ConstView x) { return matmul(c, x, weights); };
  const std::vector<Tensor> results = parallel_batch(many, views_of(items), product);
  for (std::size_t i = 0; i < items.size(); ++i) {
    const Tensor alone = product(one, items[i]);
    EXPECT_TRUE(std::equal(alone.data<float>(), alone.data<float>() + alone.elements(), results[i].data<float>())) << i;
  }
}

TEST(ParallelBatch, LogsToTheParentOneLineAtATime) {
  const std::vector<Tensor> items = items_of(40);
  for (const int threads : {1, 3}) {
    Context ctx = context_of(threads);
    std::size_t lines = 0;
    std::atomic<int> inside{0}, most{0};
    ctx.set_log([&](const std::string& line) {
      most = std::max(most.load(), ++inside);
      lines += has(line, "relu f32:15 -> ");
      --inside;
    });
    const auto run = [&] { parallel_batch(ctx, views_of(items), [](Context& c, ConstView x) { return relu(c, x); }); };
    run();
    run();
    EXPECT_EQ(lines, 2 * items.size()) << threads;
    EXPECT_EQ(most, 1);
    ctx.set_log({});
    run();
    EXPECT_EQ(lines, 2 * items.size()) << threads;
  }
}

TEST(ParallelBatch, UsesTheParentsPolicy) {
  Context ctx = context_of(2);
  const std::vector<Tensor> items = items_of(8);
  for (const KernelInfo& k : kernels(ctx)) {
    if (!k.runnable || k.op != "unary" || k.backend != Backend::cpu) continue;
    Policy policy;
    policy.kernels = {k.name};
    ctx.set_policy(policy);
    parallel_batch(ctx, views_of(items), [&](Context& c, ConstView x) {
      Tensor y = relu(c, x);
      EXPECT_EQ(c.last().kernel, k.name);
      return y;
    });
  }
}

}  // namespace
}  // namespace tandem::test::batch_test
