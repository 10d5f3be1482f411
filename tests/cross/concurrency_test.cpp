// Contexts of several threads at once, with weights that they share; and a process that forks.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/support/calls.h"

namespace tandem::test::concurrency_test {
namespace {

TEST(Concurrency, ContextsOfEightThreadsShareWeights) {
  const Tensor weights = filled({64, 48}, Fill::integers, 1), bias = filled({48}, Fill::integers, 2);
  const Tensor input = filled({33, 64}, Fill::integers, 3);
  Context alone;
  MatmulOptions options;
  options.bias = bias;
  options.activation = Activation::relu;
  const Tensor expected = matmul(alone, input, weights, options);
  const float expected_sum = sum(alone, expected);
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      ContextOptions mine;
      mine.threads = t % 2 == 0 ? 1 : 2;
      mine.use_gpu = false;
      Context ctx(mine);
      for (int round = 0; round < 20; ++round) {
        const Tensor c = matmul(ctx, input, weights, options);
        if (!std::equal(c.data<float>(), c.data<float>() + c.elements(), expected.data<float>())) ++wrong[t];
        if (sum(ctx, c) != expected_sum) ++wrong[t];
        const Tensor s = softmax(ctx, c), r = relu(ctx, s);
        if (!std::equal(r.data<float>(), r.data<float>() + r.elements(), s.data<float>())) ++wrong[t];
        if (explain(ctx, "matmul f32:33x48x64,bias,act=relu").kernel.empty()) ++wrong[t];
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (std::size_t t = 0; t < 8; ++t) EXPECT_EQ(wrong[t], 0) << "thread " << t;
}

TEST(Concurrency, ContextsMoveBetweenThreads) {
  ContextOptions options;
  options.threads = 3;
  Context ctx(options);
  const Tensor x = filled({200, 300}, Fill::integers, 1);
  const float before = sum(ctx, x);
  float during = 0, after = 0;
  std::thread([&] { during = sum(ctx, x); }).join();
  Context moved = std::move(ctx);
  std::thread([&] { after = sum(moved, x); }).join();
  EXPECT_EQ(before, during);
  EXPECT_EQ(before, after);
}

TEST(Concurrency, ContextsComeAndGo) {
  const Tensor a = filled({80, 80}, Fill::integers, 1);
  for (int round = 0; round < 30; ++round) {
    ContextOptions options;
    options.threads = 1 + round % 4;
    Context ctx(options);
    if (round % 3 != 0) matmul(ctx, a, a);  // some never start a thread
  }
}

// Threads do not survive a fork: the child has to start its own, in a context of the parent too.
TEST(Fork, ChildComputes) {
#if defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a child of several threads is beyond this sanitizer";
#endif
  ContextOptions options;
  options.threads = 2;
  options.use_gpu = false;
  Context parent(options);
  const Tensor a = filled({150, 150}, Fill::integers, 1);
  const float expected = sum(parent, matmul(parent, a, a));
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::alarm(60);
    int status = 1;
    try {
      Context ctx(options);
      status = sum(ctx, matmul(ctx, a, a)) == expected && sum(parent, matmul(parent, a, a)) == expected ? 0 : 2;
    } catch (...) {
      status = 3;
    }
    ::_exit(status);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << "signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(sum(parent, matmul(parent, a, a)), expected);
}

}  // namespace
}  // namespace tandem::test::concurrency_test
