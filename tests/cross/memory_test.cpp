// Memory that runs out at any moment, and tensors of more than 2^31 elements.
#include <unistd.h>

#include <cstdlib>

#include "tests/support/calls.h"
#include "tests/support/failing_allocations.h"

namespace tandem::test::memory_test {
namespace {

ContextOptions on_host(int threads) {
  ContextOptions options;
  options.threads = threads;
  options.use_gpu = false;
  return options;
}

// Every call is made on a new context with its first allocation failing, then its second, and so on: selection, caches,
// pool, workspace and result are all still to be made. Afterwards that context must work.
template <class Call>
void survives(const char* what, const Call& call) {
  Context reference(on_host(2));  // what a process makes once is there
  call(reference);
  std::unique_ptr<Context> ctx = std::make_unique<Context>(on_host(2));
  const long failures = fail_every_allocation([&] { call(*ctx); },
                                              [&] {
                                                const Tensor one = Tensor::full({2, 2}, 1.0f);
                                                EXPECT_EQ(matmul(*ctx, one, one).data<float>()[3], 2.0f) << what;
                                                call(*ctx);
                                                ctx = std::make_unique<Context>(on_host(2));
                                              });
  EXPECT_GE(failures, 1) << what << " allocates nothing: the test shows nothing";
}

TEST(OutOfMemory, OfEveryAllocationIsAnErrorAndLeavesTheContextUsable) {
  const Tensor a = filled({70, 300}, Fill::reals, 1), b = filled({300, 90}, Fill::reals, 2),
               bias = filled({90}, Fill::reals, 3);
  MatmulOptions options;
  options.bias = bias;
  survives("matmul", [&](Context& c) { matmul(c, a, b, options); });
  survives("a product of two batches", [&](Context& c) { matmul(c, a.view().reshaped({7, 10, 300}), b); });
  survives("gelu", [&](Context& c) { gelu_erf(c, a); });
  survives("add", [&](Context& c) { add(c, a, a.view().slice(0, 0, 1)); });
  survives("softmax", [&](Context& c) { softmax(c, a, 0); });
  survives("sum", [&](Context& c) { sum(c, a); });
  survives("reduce", [&](Context& c) { reduce(c, ReduceFn::cosine_similarity, a, a, 1); });
  survives("transpose", [&](Context& c) { transpose(c, a); });
  survives("clone", [&](Context& c) { a.clone(c); });
  survives("explain", [&](Context& c) { explain(c, "matmul f32:64x64x64"); });
  survives("kernels", [&](Context& c) { kernels(c); });
  survives("parallel_batch", [&](Context& c) {
    const std::vector<ConstView> batch(5, a.view());
    parallel_batch(c, batch, [](Context& inner, ConstView x) { return relu(inner, x); });
  });
  survives("set_policy", [&](Context& c) {
    Policy policy;
    policy.backend = Backend::cpu;
    c.set_policy(policy);
    relu(c, a);
    c.set_policy({});
  });
}

TEST(OutOfMemory, OfANewContextIsAnError) {
  const Tensor one = Tensor::full({2, 2}, 1.0f);
  Context first(on_host(1));  // what a process makes once is there
  const long failures = fail_every_allocation([] { Context ctx(on_host(3)); },
                                              [&] { EXPECT_EQ(matmul(first, one, one).data<float>()[0], 2.0f); });
  EXPECT_GE(failures, 1);
}

TEST(OutOfMemory, MatmulIntoOfAKnownProblemAllocatesNothing) {
  Context ctx(on_host(1));
  const Tensor a = filled({8, 8}, Fill::reals, 1), b = filled({8, 8}, Fill::reals, 2);
  Tensor c = Tensor::zeros({8, 8});
  matmul_into(ctx, a, b, c.view());
  const FailAllocation guard(0);
  for (int i = 0; i < 10; ++i) matmul_into(ctx, a, b, c.view());
  EXPECT_FALSE(guard.happened());
}

std::int64_t free_memory() {
  const long pages = ::sysconf(_SC_AVPHYS_PAGES), size = ::sysconf(_SC_PAGESIZE);
  return static_cast<std::int64_t>(pages) * size;
}

// 2^31 + 2^17 elements: indices in 32 bits wrap. Takes 17 GB and half a minute, so it is asked for by name.
TEST(Large, MoreThanTwoToTheThirtyOneElements) {
  const char* wanted = std::getenv("TANDEM_TEST_LARGE");
  if (wanted == nullptr || std::string(wanted) != "1") GTEST_SKIP() << "TANDEM_TEST_LARGE=1 runs it";
  const std::int64_t n = (std::int64_t{1} << 31) + (std::int64_t{1} << 17);
  if (free_memory() < 2 * n * 4 + (std::int64_t{1} << 30)) GTEST_SKIP() << "needs 18 GB of free memory";
  Context ctx(on_host(0));
  Tensor x = Tensor::zeros({n}), y = Tensor::empty({n});
  float* p = x.data<float>();
  for (const std::int64_t i : {std::int64_t{0}, n / 2, n - 101, n - 1}) p[i] = static_cast<float>(i % 1000 + 1);
  unary_into(ctx, UnaryFn::relu, x, y.view());
  for (const std::int64_t i : {std::int64_t{0}, n / 2, n - 101, n - 1})
    EXPECT_EQ(y.data<float>()[i], static_cast<float>(i % 1000 + 1)) << i;
  EXPECT_EQ(y.data<float>()[n - 2], 0.0f);
  binary_into(ctx, BinaryFn::add, x, y, y.view());
  EXPECT_EQ(y.data<float>()[n - 1], 2 * p[n - 1]);
  double expected = 0;
  for (const std::int64_t i : {std::int64_t{0}, n / 2, n - 101, n - 1}) expected += static_cast<double>(p[i]);
  EXPECT_EQ(static_cast<double>(sum(ctx, x)), expected);
  // A product whose result has more than 2^31 elements.
  const std::int64_t cols = std::int64_t{1} << 15, rows = (std::int64_t{1} << 16) + 3;
  Tensor a = Tensor::full({rows, 1}, 1.0f), b = Tensor::full({1, cols}, 3.0f);
  a.data<float>()[rows - 1] = 5;
  const View c(y.view().data(), DType::f32, {rows, cols});
  ASSERT_LE(c.elements(), n);
  matmul_into(ctx, a, b, c);
  EXPECT_EQ(y.data<float>()[rows * cols - 1], 15.0f);
  EXPECT_EQ(y.data<float>()[(rows - 1) * cols - 1], 3.0f);
}

}  // namespace
}  // namespace tandem::test::memory_test
