// Every operation through its public functions, on the host: shapes and numbers of results, forced kernels, what last()
// and the log say.
#include <cmath>
#include <cstring>

#include "tests/support/calls.h"

namespace tandem::test::calls_test {
namespace {

TEST(Calls, Matmul) {
  Context ctx;
  const Tensor a = filled({5, 7}, Fill::integers, 1), b = filled({7, 3}, Fill::integers, 2),
               bias = filled({3}, Fill::integers, 3);
  const Tensor c = matmul(ctx, a, b);
  EXPECT_EQ(to_string(c.shape()), "5x3");
  EXPECT_EQ(judged<Matmul>({}, {as_operand(a), as_operand(b), as_operand(c)}, c, true), "");
  MatmulOptions options;
  options.alpha = 2;
  options.bias = bias;
  options.activation = Activation::relu;
  const MatmulAttributes attributes{2, 0, Activation::relu, true};
  const Tensor d = matmul(ctx, a, b, options);
  EXPECT_EQ(judged<Matmul>(attributes, {as_operand(a), as_operand(b), as_operand(bias), as_operand(d)}, d, true), "");
  // beta reads the old c, in a transposed view of a larger matrix.
  Tensor memory = filled({4, 9}, Fill::integers, 4);
  const Tensor old = memory.clone(ctx);
  const View into = memory.view().slice(1, 2, 7).slice(0, 1, 4).transposed();  // 5x3
  const ConstView before = old.view().slice(1, 2, 7).slice(0, 1, 4).transposed();
  options.beta = -1;
  matmul_into(ctx, a, b, into, options);
  EXPECT_EQ(judged<Matmul>({2, -1, Activation::relu, true},
                           {as_operand(a), as_operand(b), as_operand(bias), as_operand(before)}, into, true),
            "");
  for (int i = 0; i < 36; ++i) {
    const int row = i / 9, col = i % 9;
    const bool outside = row == 0 || col < 2 || col > 6;
    EXPECT_TRUE(!outside || memory.data<float>()[i] == old.data<float>()[i]) << i;
  }
}

TEST(Calls, MatmulBroadcastsBatches) {
  Context ctx;
  const Tensor a = filled({2, 1, 4, 5}, Fill::integers, 1), b = filled({3, 5, 6}, Fill::integers, 2);
  const Tensor c = matmul(ctx, a, b);
  EXPECT_EQ(to_string(c.shape()), "2x3x4x6");
  EXPECT_EQ(judged<Matmul>({}, {as_operand(a), as_operand(b), as_operand(c)}, c, true), "");
  EXPECT_EQ(to_string(matmul(ctx, filled({0, 4, 5}, Fill::reals, 1), b.view().slice(0, 0, 1)).shape()), "0x4x6");
  const Tensor nothing = matmul(ctx, Tensor::empty({4, 0}), Tensor::empty({0, 3}));
  for (int i = 0; i < 12; ++i) EXPECT_EQ(nothing.data<float>()[i], 0.0f);
}

TEST(Calls, Unary) {
  Context ctx;
  const Tensor x = filled({6, 35}, Fill::reals, 5);
  using Fn = Tensor (*)(Context&, ConstView, const CallOptions&);
  const std::pair<UnaryFn, Fn> functions[] = {{UnaryFn::relu, relu},           {UnaryFn::gelu_erf, gelu_erf},
                                              {UnaryFn::gelu_tanh, gelu_tanh}, {UnaryFn::gelu_sigmoid, gelu_sigmoid},
                                              {UnaryFn::sigmoid, sigmoid},     {UnaryFn::tanh, tanh},
                                              {UnaryFn::silu, silu},           {UnaryFn::exp, exp}};
  for (const auto& [fn, call] : functions) {
    const Tensor y = call(ctx, x, {});
    EXPECT_EQ(judged<Unary>({fn}, {as_operand(x), as_operand(y)}, y), "") << name(fn);
    EXPECT_EQ(ctx.last().op, name(fn));
    const Tensor t = call(ctx, x.view().transposed(), {});
    EXPECT_EQ(to_string(t.shape()), "35x6");
    EXPECT_EQ(judged<Unary>({fn}, {as_operand(x.view().transposed()), as_operand(t)}, t), "") << name(fn);
  }
}

TEST(Calls, Binary) {
  Context ctx;
  const Tensor a = filled({4, 1, 6}, Fill::reals, 5), b = filled({5, 1}, Fill::reals, 6);
  using Fn = Tensor (*)(Context&, ConstView, ConstView, const CallOptions&);
  const std::pair<BinaryFn, Fn> functions[] = {{BinaryFn::add, add},
                                               {BinaryFn::sub, sub},
                                               {BinaryFn::mul, mul},
                                               {BinaryFn::div, div},
                                               {BinaryFn::squared_difference, squared_difference}};
  for (const auto& [fn, call] : functions) {
    const Tensor y = call(ctx, a, b, {});
    EXPECT_EQ(to_string(y.shape()), "4x5x6");
    EXPECT_EQ(judged<Binary>({fn}, {as_operand(a), as_operand(b), as_operand(y)}, y), "") << name(fn);
  }
}

TEST(Calls, SoftmaxAlongEveryAxis) {
  Context ctx;
  const Tensor x = filled({3, 4, 5}, Fill::reals, 7);
  for (int axis = -3; axis < 3; ++axis) {
    const Tensor y = softmax(ctx, x, axis), l = log_softmax(ctx, x, axis);
    EXPECT_EQ(judged<Softmax>({SoftmaxFn::softmax, axis}, {as_operand(x), as_operand(y)}, y), "") << axis;
    EXPECT_EQ(judged<Softmax>({SoftmaxFn::log_softmax, axis}, {as_operand(x), as_operand(l)}, l), "") << axis;
  }
}

TEST(Calls, Reductions) {
  Context ctx;
  const Tensor a = filled({6, 50}, Fill::integers, 8), b = filled({6, 50}, Fill::integers, 9);
  double s = 0, m = -1e9, d = 0, e = 0, aa = 0, bb = 0;
  for (int i = 0; i < 300; ++i) {
    const double x = static_cast<double>(a.data<float>()[i]), y = static_cast<double>(b.data<float>()[i]);
    s += x;
    m = std::max(m, x);
    d += x * y;
    e += (x - y) * (x - y);
    aa += x * x;
    bb += y * y;
  }
  EXPECT_EQ(static_cast<double>(sum(ctx, a)), s);
  EXPECT_EQ(static_cast<double>(max(ctx, a)), m);
  EXPECT_EQ(static_cast<double>(dot(ctx, a, b)), d);
  EXPECT_FLOAT_EQ(euclidean_distance(ctx, a, b), static_cast<float>(std::sqrt(e)));
  EXPECT_FLOAT_EQ(cosine_similarity(ctx, a, b), static_cast<float>(d / std::sqrt(aa) / std::sqrt(bb)));
  for (int axis = -2; axis < 2; ++axis) {
    const Tensor r = reduce(ctx, ReduceFn::sum, a, {}, axis);
    EXPECT_EQ(r.elements(), axis == 0 || axis == -2 ? 50 : 6);
    EXPECT_EQ(judged<Reduce>({ReduceFn::sum, axis}, {as_operand(a), as_operand(r)}, r, true), "");
  }
  EXPECT_EQ(sum(ctx, Tensor::empty({0})), 0.0f);
  EXPECT_EQ(dot(ctx, Tensor::empty({0, 3}), Tensor::empty({0, 3})), 0.0f);
}

TEST(Calls, TransposeOfEveryType) {
  Context ctx;
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::s8, DType::u8, DType::s32}) {
    Tensor x = Tensor::empty({2, 5, 7}, dtype);
    fill(x.view(), Fill::bits, 0, 1, 3);
    const Tensor y = transpose(ctx, x);
    EXPECT_EQ(to_string(y.shape()), "2x7x5");
    EXPECT_EQ(judged<Transpose>({}, {as_operand(x), as_operand(y)}, y, true), "") << name(dtype);
  }
}

// Past the caches too, where whole lines are stored, memory may begin anywhere.
TEST(Calls, LargeTransposesOfAnyAlignment) {
  const auto check = []<class T>(T, DType dtype, std::int64_t rows, std::int64_t cols, std::size_t offset) {
    Context ctx;
    const auto count = static_cast<std::size_t>(rows * cols);
    std::vector<T> x(count);
    for (std::size_t i = 0; i < count; ++i) x[i] = static_cast<T>(i * 2654435761u >> 7);
    std::vector<char> y(count * sizeof(T) + offset + 1, 'x');
    CallOptions call;
    call.kernel = "cpu.transpose.f32.simd";
    transpose_into(ctx, ConstView(x.data(), dtype, {rows, cols}), View(y.data() + offset, dtype, {cols, rows}), call);
    std::size_t wrong = 0;
    for (std::int64_t j = 0; j < cols; ++j)
      for (std::int64_t i = 0; i < rows; ++i)
        wrong += std::memcmp(&x[static_cast<std::size_t>(i * cols + j)],
                             y.data() + offset + static_cast<std::size_t>(j * rows + i) * sizeof(T), sizeof(T)) != 0;
    EXPECT_EQ(wrong, 0u) << name(dtype) << " at " << offset;
    EXPECT_EQ(y.back(), 'x');
  };
  for (const std::size_t offset : {0, 1, 2, 4}) check(std::uint32_t(), DType::s32, 3001, 2811, offset);
  for (const std::size_t offset : {1, 2}) check(std::uint16_t(), DType::bf16, 4101, 4111, offset);
  check(std::uint8_t(), DType::s8, 6001, 5611, 1);
}

TEST(Calls, ForcedByArgumentAndPolicy) {
  Context ctx;
  std::vector<std::string> takers;  // of this problem
  for (const Candidate& c : explain(ctx, "matmul f32:20x10x30").candidates)
    if (c.accepted) takers.push_back(c.kernel);
  const Tensor a = filled({20, 30}, Fill::integers, 1), b = filled({30, 10}, Fill::integers, 2);
  int forced = 0;
  for (const KernelInfo& k : kernels(ctx)) {
    MatmulOptions options;
    options.call.kernel = k.name;
    Policy policy;
    policy.kernels = {k.name};
    if (!k.runnable) {
      const Error error = error_of([&] { matmul(ctx, a, b, options); });
      EXPECT_EQ(error.code(), k.op == "matmul" ? Code::unavailable : Code::invalid_argument) << k.name;
      EXPECT_TRUE(has(error.what(), k.op == "matmul" ? k.reason : "there is no such kernel")) << error.what();
      EXPECT_TRUE(has(error.what(), k.name)) << error.what();
      if (k.op != "matmul") continue;
      ctx.set_policy(policy);  // known, so the policy may name it; the call that needs it fails
      EXPECT_EQ(error_of([&] { matmul(ctx, a, b); }).code(), Code::unavailable);
      ctx.set_policy({});
      continue;
    }
    if (std::find(takers.begin(), takers.end(), k.name) == takers.end()) continue;
    for (const bool by_policy : {false, true}) {
      ctx.set_policy(by_policy ? policy : Policy{});
      const Tensor c = by_policy ? matmul(ctx, a, b) : matmul(ctx, a, b, options);
      EXPECT_EQ(ctx.last().kernel, k.name);
      EXPECT_EQ(ctx.last().why, "this kernel is forced");
      EXPECT_EQ(judged<Matmul>({}, {as_operand(a), as_operand(b), as_operand(c)}, c, true), "") << k.name;
    }
    ctx.set_policy({});
    ++forced;
  }
  EXPECT_GE(forced, 2);
  MatmulOptions other;
  other.call.kernel = "cpu.unary.f32.simd";
  EXPECT_TRUE(has(error_of([&] { matmul(ctx, a, b, other); }).what(), "there is no such kernel for this operation"));
}

TEST(Calls, ForcedBackend) {
  Context ctx;
  const Tensor x = filled({100}, Fill::reals, 1);
  CallOptions call;
  call.backend = Backend::cpu;
  relu(ctx, x, call);
  EXPECT_EQ(ctx.last().backend, Backend::cpu);
  ContextOptions none;
  none.use_gpu = false;
  Context alone(none);
  call.backend = Backend::cuda;
  const Error error = error_of([&] { relu(alone, x, call); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(has(error.what(), "use_gpu = false") || has(error.what(), "not built")) << error.what();
  EXPECT_EQ(alone.stream(), nullptr);
  // What an operation does before its own kernel runs there as well.
  const Tensor a = filled({4, 8}, Fill::reals, 1), b = filled({8, 4}, Fill::reals, 2);
  const Error first = error_of([&] { quantized_matmul(alone, a, b, call); });
  EXPECT_EQ(first.code(), Code::unavailable);
  EXPECT_TRUE(has(first.what(), "dynamic_quantize")) << first.what();
}

TEST(Calls, CopiesTakeAnyStrides) {
  Context ctx;
  const Tensor x = filled({4, 6}, Fill::reals, 1);
  const ConstView turned = x.view().transposed();
  const Tensor y = copy(ctx, turned, Device::cpu());
  EXPECT_EQ(y.shape(), (Shape{6, 4}));
  EXPECT_EQ(y.strides(), row_major({6, 4}));
  Tensor room = Tensor::full({6, 9}, 7);
  const View gaps(room.view().data(), DType::f32, {6, 4}, Strides{9, 2});
  copy_into(ctx, turned, gaps);
  for (std::int64_t i = 0; i < 6; ++i)
    for (std::int64_t j = 0; j < 9; ++j) {
      const bool reached = j % 2 == 0 && j < 8;
      EXPECT_EQ(room.data<float>()[i * 9 + j], reached ? x.data<float>()[j / 2 * 6 + i] : 7.0f);
      if (!reached) continue;
      EXPECT_EQ(y.data<float>()[i * 4 + j / 2], x.data<float>()[j / 2 * 6 + i]);
    }
  const ConstView row(x.view().data(), DType::f32, {3, 6}, Strides{0, 1});  // one row, three times
  const Tensor rows = copy(ctx, row, Device::cpu());
  for (std::int64_t i = 0; i < 18; ++i) EXPECT_EQ(rows.data<float>()[i], x.data<float>()[i % 6]);
  EXPECT_EQ(copy(ctx, x.view().slice(0, 2, 2), Device::cpu()).shape(), (Shape{0, 6}));

  Tensor out = Tensor::empty({6, 4}), half = Tensor::empty({6, 4}, DType::f16);
  const std::pair<std::function<void()>, const char*> bad[] = {
      {[&] { copy_into(ctx, x, out.view()); }, "copy: the result is 6x4, but the source is 4x6"},
      {[&] { copy_into(ctx, turned, half.view()); }, "copy: the result is f16"},
      {[&] {
         copy_into(ctx, row, View(out.view().data(), DType::f32, {3, 6}, Strides{0, 1}));
       },
       "copy: "},
      {[&] { copy_into(ctx, y.view().slice(0, 0, 3), as_operand(y.view().slice(0, 1, 4))); }, "overlaps"}};
  for (const auto& [call, part] : bad) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    EXPECT_TRUE(has(error.what(), part)) << error.what();
  }
}

TEST(Calls, LastAndLog) {
  Context ctx;
  EXPECT_EQ(ctx.last().kernel, "");
  std::vector<std::string> lines;
  ctx.set_log([&](const std::string& line) { lines.push_back(line); });
  const Tensor x = filled({64, 10}, Fill::reals, 1);
  relu(ctx, x);
  softmax(ctx, x);
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_TRUE(has(lines[0], "relu f32:640 -> ")) << lines[0];
  EXPECT_TRUE(has(lines[1], "softmax f32:64x10 -> ")) << lines[1];
  const Decision last = ctx.last();
  EXPECT_EQ(last.op, "softmax");
  EXPECT_TRUE(has(lines[1], last.kernel)) << lines[1];
  EXPECT_GT(last.predicted_seconds, 0);
  EXPECT_EQ(last.threads, ctx.threads());
  EXPECT_TRUE(has(to_string(last), last.kernel));
  ctx.set_log({});
  relu(ctx, x);
  EXPECT_EQ(lines.size(), 2u);
  ctx.set_policy({});  // decisions are dropped, what was run is still known
  EXPECT_EQ(ctx.last().op, "relu");
}

TEST(Calls, ExplainAgreesWithWhatRuns) {
  Context ctx;
  for (const std::int64_t n : {8, 200}) {
    const Tensor a = filled({n, n}, Fill::reals, 1);
    matmul(ctx, a, a);
    const std::string size = std::to_string(n);
    EXPECT_EQ(explain(ctx, "matmul f32:" + size + "x" + size + "x" + size).kernel, ctx.last().kernel);
  }
  relu(ctx, filled({1000}, Fill::reals, 1));
  EXPECT_EQ(explain(ctx, "relu f32:1000").kernel, ctx.last().kernel);
}

}  // namespace
}  // namespace tandem::test::calls_test
