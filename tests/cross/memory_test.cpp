// Memory that runs out at any moment, and tensors of more than 2^31 elements.
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "tests/support/calls.h"
#include "tests/support/failing_allocations.h"
#include "tests/support/models.h"

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

TEST(OutOfMemory, InIntegersIsAnError) {
  const Tensor a = filled({33, 64}, Fill::reals, 1), b = filled({64, 48}, Fill::reals, 2);
  const Tensor acc = Tensor::zeros({33, 48}, DType::s32), multipliers = Tensor::full({48}, 0.5f);
  Context once(on_host(1));
  const QuantizedTensor qa = dynamic_quantize(once, a, {DType::u8, Scheme::asymmetric, 0, {}});
  const QuantizedTensor qb = dynamic_quantize(once, b, {DType::s8, Scheme::symmetric, 1, {}});
  const Sparse24 sparse = to_2_4(Tensor::zeros({48, 64}, DType::s8));
  const QuantizeOptions by_column{DType::s8, Scheme::asymmetric, 1, {}};
  survives("quantize", [&](Context& c) { quantize(c, a, qa.quantization); });
  survives("dequantize", [&](Context& c) { dequantize(c, qa.values, qa.quantization); });
  survives("quantized_relu", [&](Context& c) { quantized_relu(c, qa.values, qa.quantization); });
  survives("requantize", [&](Context& c) { requantize(c, acc, multipliers, 3, DType::u8); });
  survives("dynamic_quantize", [&](Context& c) { dynamic_quantize(c, a, by_column); });
  survives("calibrate_min_max", [&](Context& c) { calibrate_min_max(c, a, by_column); });
  survives("calibrate_percentile", [&](Context& c) { calibrate_percentile(c, a, 99, by_column); });
  survives("quantized_matmul",
           [&](Context& c) { quantized_matmul(c, qa.values, qa.quantization, qb.values, qb.quantization); });
  survives("quantized_matmul of f32", [&](Context& c) { quantized_matmul(c, a, b); });
  survives("quantized_matmul_2_4",
           [&](Context& c) { quantized_matmul_2_4(c, qa.values, qa.quantization, sparse, qb.quantization); });
}

TEST(OutOfMemory, OfSparseAndPreparedMatricesIsAnError) {
  const Tensor a = filled({33, 64}, Fill::reals, 1), b = filled({64, 48}, Fill::reals, 2),
               bias = filled({48}, Fill::reals, 3);
  const Tensor pruned = prune_2_4(b, 0).values;
  const Csr csr = to_csr(pruned);
  const Sparse24 sparse = to_2_4(pruned.view().transposed());
  survives("to_csr and back", [&](Context&) { to_dense(to_csr(pruned)); });
  survives("to_2_4 and back", [&](Context&) { to_dense(to_2_4(pruned.view().transposed())); });
  survives("spmm", [&](Context& c) { spmm(c, csr, a.view().transposed().slice(0, 0, 48)); });
  survives("matmul_2_4", [&](Context& c) { matmul_2_4(c, a, sparse); });
  LinearOptions options;
  options.bias = bias;
  const std::function<Weights(Context&)> forms[] = {
      [&](Context& c) { return Weights::dense(c, b); },
      [&](Context& c) { return Weights::dense(c, b, {DType::bf16}); },
      [&](Context& c) { return Weights::quantized(c, b); },
      [&](Context& c) { return Weights::csr(c, pruned); },
      [&](Context& c) { return Weights::sparse_2_4(c, pruned); },
      [&](Context& c) { return Weights::quantized_2_4(c, pruned); },
  };
  for (const auto& form : forms) {
    Context once(on_host(1));
    const Weights weights = form(once);
    const std::string words(name(weights.form()));
    survives(("weights in " + words).c_str(), [&](Context& c) { form(c); });
    survives(("linear in " + words).c_str(), [&](Context& c) { linear(c, a, weights, options); });
  }
  const Model model = random_model({64, 48, 10}, Activation::relu, 4);
  survives("Network", [&](Context& c) { Network(c, model, {WeightForm::s8, calibrate(c, model, a)}).run(c, a); });
}

TEST(OutOfMemory, OfPruningIsAnError) {
  const Tensor a = filled({33, 64}, Fill::reals, 1), w = filled({64, 48}, Fill::reals, 2);
  const Tensor pruned = prune_2_4(w, 0).values;
  const std::vector<std::int64_t> kept = {0, 5, 47};
  const double percentiles[] = {5, 50};
  survives("prune_magnitude", [&](Context&) { prune_magnitude(w, 0.5); });
  survives("prune_structured", [&](Context&) { prune_structured(w); });
  survives("prune_2_4", [&](Context&) { prune_2_4(w); });
  survives("narrow_layers", [&](Context&) { narrow_layers(w, {}, w.view().transposed(), kept); });
  survives("output_error", [&](Context& c) { output_error(c, a, w, pruned); });
  survives("magnitudes", [&](Context&) { magnitudes(w, percentiles, percentiles); });
  survives("low_rank_approximate", [&](Context&) { low_rank_approximate(w, 3); });
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
