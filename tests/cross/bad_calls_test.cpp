// Every wrong call: an Error of the right kind whose sentence names the operation and the offending values, and nothing
// written. The checks do not depend on assertions: this holds in release builds as well.
#include <functional>
#include <limits>

#include "tests/support/calls.h"

namespace tandem::test::bad_calls_test {
namespace {

struct BadCall {
  const char* what;
  std::function<void(Context&)> call;
  Code code;
  std::vector<const char*> parts;  // of the sentence; the first one begins it
};

float memory[4096];

View view(const Shape& shape) { return View(memory, shape); }
View other(const Shape& shape) { return View(memory + 2048, shape); }
View typed(DType dtype, const Shape& shape) { return View(memory, dtype, shape); }

MatmulOptions with_bias(const ConstView& bias) {
  MatmulOptions options;
  options.bias = bias;
  return options;
}
CallOptions kernel(const char* name) { return {name, {}}; }

const std::vector<BadCall>& bad_calls() {
  static const std::vector<BadCall> calls = {
      {"inner dimensions",
       [](Context& c) {
         matmul(c, view({64, 32}), other({31, 16}));
       },
       Code::invalid_argument,
       {"matmul: ", "inner dimensions differ", "64x32", "31x16"}},
      {"rank of a",
       [](Context& c) {
         matmul(c, view({32}), other({32, 16}));
       },
       Code::invalid_argument,
       {"matmul: ", "two dimensions", "32", "32x16"}},
      {"rank of b",
       [](Context& c) {
         matmul(c, view({4, 4}), other({4}));
       },
       Code::invalid_argument,
       {"matmul: ", "two dimensions", "4x4"}},
      {"type of a",
       [](Context& c) {
         matmul(c, typed(DType::s8, {4, 4}), other({4, 4}));
       },
       Code::invalid_argument,
       {"matmul: ", "a is s8", "f32"}},
      {"type of b",
       [](Context& c) {
         matmul(c, view({4, 4}), typed(DType::bf16, {4, 4}));
       },
       Code::invalid_argument,
       {"matmul: ", "b is bf16", "f32"}},
      {"batches",
       [](Context& c) {
         matmul(c, view({2, 4, 4}), other({3, 4, 4}));
       },
       Code::invalid_argument,
       {"matmul: ", "2 meets 3"}},
      {"length of bias",
       [](Context& c) {
         matmul(c, view({4, 5}), other({5, 6}), with_bias(view({5})));
       },
       Code::invalid_argument,
       {"matmul: ", "bias is 5", "6 columns", "5x6"}},
      {"rank of bias",
       [](Context& c) {
         matmul(c, view({4, 5}), other({5, 6}), with_bias(view({1, 6})));
       },
       Code::invalid_argument,
       {"matmul: ", "bias is 1x6"}},
      {"beta without c",
       [](Context& c) {
         MatmulOptions options;
         options.beta = 0.5f;
         matmul(c, view({4, 5}), other({5, 6}), options);
       },
       Code::invalid_argument,
       {"matmul: ", "beta is 0.5", "matmul_into"}},
      {"shape of c",
       [](Context& c) {
         matmul_into(c, view({4, 5}), view({5, 6}), other({6, 4}));
       },
       Code::invalid_argument,
       {"matmul: ", "c is 6x4", "4x6", "4x5", "5x6"}},
      {"type of c",
       [](Context& c) {
         matmul_into(c, view({4, 5}), view({5, 6}), View(memory + 2048, DType::s32, {4, 6}));
       },
       Code::invalid_argument,
       {"matmul: ", "the result is s32"}},
      {"shape of y",
       [](Context& c) {
         unary_into(c, UnaryFn::tanh, view({4, 5}), other({5, 4}));
       },
       Code::invalid_argument,
       {"tanh: ", "y is 5x4", "x is 4x5"}},
      {"type of x",
       [](Context& c) { gelu_erf(c, typed(DType::u8, {7})); },
       Code::invalid_argument,
       {"gelu_erf: ", "x is u8", "f32"}},
      {"broadcast",
       [](Context& c) {
         add(c, view({3, 4}), other({3}));
       },
       Code::invalid_argument,
       {"add: ", "3x4", "4 meets 3"}},
      {"shape of out",
       [](Context& c) {
         binary_into(c, BinaryFn::div, view({3, 1}), view({4}), other({3, 5}));
       },
       Code::invalid_argument,
       {"div: ", "out is 3x5", "3x4"}},
      {"type of b in add",
       [](Context& c) { squared_difference(c, view({3}), typed(DType::s32, {3})); },
       Code::invalid_argument,
       {"squared_difference: ", "b is s32"}},
      {"axis too large",
       [](Context& c) {
         softmax(c, view({3, 4}), 2);
       },
       Code::invalid_argument,
       {"softmax: ", "axis 2", "3x4"}},
      {"axis too small",
       [](Context& c) {
         log_softmax(c, view({3, 4}), -3);
       },
       Code::invalid_argument,
       {"log_softmax: ", "axis -3", "3x4"}},
      {"axis of a scalar",
       [](Context& c) { softmax(c, view({})); },
       Code::invalid_argument,
       {"softmax: ", "axis -1", "scalar"}},
      {"axis of a sum",
       [](Context& c) {
         reduce(c, ReduceFn::sum, view({3, 4}), {}, 5);
       },
       Code::invalid_argument,
       {"sum: ", "axis 5", "3x4"}},
      {"shapes of a dot",
       [](Context& c) { dot(c, view({3}), other({4})); },
       Code::invalid_argument,
       {"dot: ", "a is 3", "b is 4"}},
      {"one operand too many",
       [](Context& c) { reduce(c, ReduceFn::sum, view({3}), other({3})); },
       Code::invalid_argument,
       {"sum: ", "one operand"}},
      {"one operand too few",
       [](Context& c) { reduce(c, ReduceFn::cosine_similarity, view({3})); },
       Code::invalid_argument,
       {"cosine_similarity: ", "b is an empty view"}},
      {"max of nothing",
       [](Context& c) {
         max(c, view({0, 4}));
       },
       Code::invalid_argument,
       {"max: ", "0x4"}},
      {"max along nothing",
       [](Context& c) {
         reduce(c, ReduceFn::max, view({3, 0}), {}, 1);
       },
       Code::invalid_argument,
       {"max: ", "3x0"}},
      {"shape of a sum",
       [](Context& c) {
         reduce_into(c, ReduceFn::sum, view({3, 4}), {}, other({4}), 1);
       },
       Code::invalid_argument,
       {"sum: ", "out is 4", "3"}},
      {"transpose of a vector",
       [](Context& c) { transpose(c, view({3})); },
       Code::invalid_argument,
       {"transpose: ", "two dimensions", "3"}},
      {"shape of a transpose",
       [](Context& c) {
         transpose_into(c, view({3, 4}), other({3, 4}));
       },
       Code::invalid_argument,
       {"transpose: ", "y is 3x4", "4x3"}},
      {"type of a transpose",
       [](Context& c) {
         transpose_into(c, view({3, 4}), View(memory + 2048, DType::s32, {4, 3}));
       },
       Code::invalid_argument,
       {"transpose: ", "y is s32", "f32"}},
      {"unknown kernel",
       [](Context& c) { relu(c, view({3}), kernel("cpu.unary.f32.quantum")); },
       Code::invalid_argument,
       {"relu f32:3: ", "cpu.unary.f32.quantum", "no such kernel"}},
      {"kernel of another operation",
       [](Context& c) { relu(c, view({3}), kernel("cpu.softmax.f32.simd")); },
       Code::invalid_argument,
       {"relu f32:3: ", "cpu.softmax.f32.simd", "no such kernel for this operation"}},
      {"reuse that is no number",
       [](Context& c) {
         relu(c, view({3}), {"", {}, {}, nullptr, std::numeric_limits<float>::quiet_NaN()});
       },
       Code::invalid_argument,
       {"relu: ", "expected_reuse is nan"}},
      {"scales of a 2:4 product",
       [](Context& c) {
         quantized_matmul_2_4(c, typed(DType::s8, {4, 4}), {}, to_2_4(Tensor::zeros({4, 4}, DType::s8)), {});
       },
       Code::invalid_argument,
       {"quantized_matmul_2_4: ", "scales"}},
      {"no data", [](Context& c) { relu(c, ConstView()); }, Code::invalid_argument, {"relu: "}},
      {"result too large to count",
       [](Context& c) {
         const ConstView wide(memory, DType::f32, {std::int64_t{1} << 31, 1}, {0, 0});
         const ConstView flat(memory, DType::f32, {1, std::int64_t{1} << 31}, {0, 0});
         matmul(c, wide, flat);
       },
       Code::invalid_argument,
       {"shape 2147483648x2147483648 "}},
      {"broadcast too large to count",
       [](Context& c) {
         const ConstView a(memory, DType::f32, {std::int64_t{1} << 31, 1}, {0, 0});
         const ConstView b(memory, DType::f32, {std::int64_t{1} << 31}, {0});
         add(c, a, b);
       },
       Code::invalid_argument,
       {"shape 2147483648x2147483648 "}},
      {"more memory than there is",
       [](Context& c) {
         const ConstView a(memory, DType::f32, {std::int64_t{1} << 57}, {0});
         exp(c, a);
       },
       Code::out_of_memory,
       {""}},
  };
  return calls;
}

TEST(BadCalls, EachIsAnErrorThatNamesTheValues) {
  Context ctx;
  fill(view({4096}), Fill::reals, 0, 1, 5);
  const Tensor before = Tensor::from<float>({4096}, std::span<const float>(memory));
  for (const BadCall& bad : bad_calls()) {
    const Error error = error_of([&] { bad.call(ctx); });
    const std::string what = error.what();
    EXPECT_EQ(error.code(), bad.code) << bad.what << ": " << what;
    EXPECT_EQ(what.substr(0, std::string(bad.parts[0]).size()), bad.parts[0]) << bad.what;
    for (const char* part : bad.parts)
      EXPECT_TRUE(has(what, part)) << bad.what << ": \"" << what << "\" lacks \"" << part << '"';
    EXPECT_TRUE(std::equal(memory, memory + 4096, before.data<float>())) << bad.what << " wrote something";
  }
  EXPECT_EQ(relu(ctx, view({4})).elements(), 4);  // the context is as good as before
}

TEST(BadCalls, ViewsOfAGpuAreRefusedWithoutOne) {
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  const View there(memory, DType::f32, {4, 4}, Device::cuda());
  for (const auto& call : {std::function<void()>([&] { relu(ctx, there); }), std::function<void()>([&] {
                             matmul(ctx, there, view({4, 4}));
                           }),
                           std::function<void()>([&] { Tensor::empty(ctx, {4}, DType::f32, Device::cuda()); })}) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::unavailable) << error.what();
    EXPECT_TRUE(has(error.what(), "use_gpu = false")) << error.what();
  }
}

TEST(BadCalls, PolicyNamesWhatItCannotDo) {
  Context ctx;
  Policy policy;
  policy.kernels = {"cpu.matmul.f32.quantum"};
  EXPECT_TRUE(has(error_of([&] { ctx.set_policy(policy); }).what(), "cpu.matmul.f32.quantum"));
  EXPECT_TRUE(has(error_of([&] { explain(ctx, "matmul f32:3x4"); }).what(), "three sizes"));
}

TEST(BadCalls, AResultOutOfReachIsRefusedByTheOperation) {
  ContextOptions options;
  options.use_gpu = false;
  options.policy.result = Device::cuda();
  Context ctx(options);
  const Tensor m = Tensor::full({4, 4}, 1.0f);
  const Weights weights = Weights::dense(ctx, m);
  const std::pair<std::string, std::function<void()>> calls[] = {
      {"relu", [&] { relu(ctx, m); }},
      {"add", [&] { add(ctx, m, m); }},
      {"log_softmax", [&] { log_softmax(ctx, m); }},
      {"sum", [&] { reduce(ctx, ReduceFn::sum, m, {}, 0); }},
      {"transpose", [&] { transpose(ctx, m); }},
      {"convert", [&] { convert(ctx, m, DType::bf16); }},
      {"matmul", [&] { matmul(ctx, m, m); }},
      {"spmm", [&] { spmm(ctx, to_csr(m), m); }},
      {"dynamic_quantize", [&] { dynamic_quantize(ctx, m); }},
      {"linear", [&] { linear(ctx, m, weights); }},
  };
  for (const auto& [op, call] : calls) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::unavailable) << op;
    EXPECT_EQ(std::string(error.what()).rfind(op + ": memory of cuda:0 is out of reach", 0), 0u) << error.what();
  }
}

}  // namespace
}  // namespace tandem::test::bad_calls_test
