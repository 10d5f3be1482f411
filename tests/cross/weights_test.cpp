// Weights and linear: each form against the operation that it stands for and against the oracle of products, any
// strides, what is refused, and handles that threads share.
#include <tandem/weights.h>

#include <array>
#include <cstring>
#include <functional>
#include <thread>

#include "common/core/bf16.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "tests/support/calls.h"

namespace tandem::test::weights_test {
namespace {

constexpr std::int64_t kRows = 9, kInputs = 37, kOutputs = 22;

Weights in_form(Context& ctx, const ConstView& w, WeightForm form) {
  switch (form) {
    case WeightForm::bf16:
      return Weights::dense(ctx, w, {DType::bf16});
    case WeightForm::s8:
      return Weights::quantized(ctx, w);
    case WeightForm::csr:
      return Weights::csr(ctx, w);
    default:
      return Weights::dense(ctx, w);
  }
}
constexpr WeightForm kAllForms[] = {WeightForm::f32, WeightForm::bf16, WeightForm::s8, WeightForm::csr};

struct Case {
  Tensor x = filled({kRows, kInputs}, Fill::reals, 1), w = filled({kInputs, kOutputs}, Fill::reals, 2),
         bias = filled({kOutputs}, Fill::reals, 3);

  LinearOptions options(bool with_bias) const {
    LinearOptions options;
    if (with_bias) options.bias = bias;
    options.activation = with_bias ? Activation::relu : Activation::none;
    return options;
  }
  /// Empty when y is activation(x @ w + bias) within the bound of an f32 product.
  std::string judge(const Tensor& y, bool with_bias) const {
    const MatmulAttributes attributes{1, 0, with_bias ? Activation::relu : Activation::none, with_bias};
    std::vector<View> operands = {as_operand(x), as_operand(w)};
    if (with_bias) operands.push_back(as_operand(bias));
    operands.push_back(as_operand(y));
    return judged<Matmul>(attributes, operands, y);
  }
};

TEST(Weights, FloatFormsGiveTheProduct) {
  Context ctx;
  Case c;
  for (std::int64_t i = 0; i < c.w.elements(); ++i)
    if (i % 3 != 0) c.w.data<float>()[i] = 0;
  for (const bool with_bias : {false, true})
    for (const WeightForm form : {WeightForm::f32, WeightForm::csr})
      EXPECT_EQ(c.judge(linear(ctx, c.x, in_form(ctx, c.w, form), c.options(with_bias)), with_bias), "") << name(form);
}

TEST(Weights, Bf16RoundsBothOperandsOnce) {
  Context ctx;
  Case c;
  const Weights weights = Weights::dense(ctx, c.w, {DType::bf16});
  const auto rounded = [](const Tensor& t) {
    Tensor out = Tensor::empty(t.shape(), DType::bf16);
    for (std::int64_t i = 0; i < t.elements(); ++i)
      static_cast<Bf16*>(out.view().data())[i] = to_bf16(t.data<float>()[i]);
    return out;
  };
  const Tensor x = rounded(c.x), w = rounded(c.w);
  for (const DType result : {DType::f32, DType::bf16}) {
    MatmulOptions product;
    product.bias = c.bias;
    product.activation = Activation::relu;
    product.result = result;
    const Tensor expected = matmul(ctx, x, w, product);
    LinearOptions options = c.options(true);
    options.result = result;
    EXPECT_TRUE(same_bits(linear(ctx, c.x, weights, options), expected));
    EXPECT_TRUE(same_bits(linear(ctx, x, weights, options), expected));
    EXPECT_TRUE(same_bits(linear(ctx, x, Weights::dense(ctx, w, {DType::bf16}), options), expected));
  }
}

TEST(Weights, IntegersQuantiseTheInputByRowOrAsGiven) {
  Context ctx;
  Case c;
  const Quantization input = calibrate_min_max(ctx, c.x);
  for (const bool per_channel : {true, false}) {
    const Weights weights = Weights::quantized(ctx, c.w, {per_channel});
    const QuantizedTensor w = dynamic_quantize(ctx, c.w, {DType::s8, Scheme::symmetric, per_channel ? 1 : -1, {}});
    QuantizedMatmulOptions product;
    product.bias = c.bias;
    product.activation = Activation::relu;
    LinearOptions options = c.options(true);
    const QuantizedTensor by_row = dynamic_quantize(ctx, c.x, {DType::s8, Scheme::symmetric, 0, {}});
    EXPECT_TRUE(same_bits(linear(ctx, c.x, weights, options), quantized_matmul(ctx, by_row.values, by_row.quantization,
                                                                               w.values, w.quantization, product)));
    const Tensor q = quantize(ctx, c.x, input);
    const Tensor expected = quantized_matmul(ctx, q, input, w.values, w.quantization, product);
    options.input = &input;
    EXPECT_TRUE(same_bits(linear(ctx, c.x, weights, options), expected));
    EXPECT_TRUE(same_bits(linear(ctx, q, weights, options), expected)) << "integers as they are";
    EXPECT_FALSE(same_bits(linear(ctx, c.x, weights, c.options(true)), expected)) << "the two differ";
  }
}

// Of few outputs, b is read beside its panels, and so is expanded after all; other products leave the workspace dirty.
TEST(Weights, IntegersIn24OfFewOutputs) {
  Context ctx;
  for (const std::int64_t k : {31, 32, 64, 200, 256})
    for (std::int64_t outputs = 1; outputs <= 9; ++outputs) {
      Tensor x = Tensor::empty({100, k}, DType::f32), w = Tensor::empty({outputs, k}, DType::f32);
      fill_uniform({x.data<float>(), static_cast<std::size_t>(x.elements())}, 1);
      fill_uniform({w.data<float>(), static_cast<std::size_t>(w.elements())}, 2);
      const Tensor pruned = prune_2_4(w).values;
      const ConstView w24 = pruned.view().transposed();
      QuantizedWeightsOptions plain;
      plain.pack = false;
      const Weights packed = Weights::quantized_2_4(ctx, w24), bare = Weights::quantized_2_4(ctx, w24, plain);
      const Tensor expected = linear(ctx, x, bare);
      for (const KernelInfo& kernel : kernels(ctx)) {
        if (kernel.op != "quantized_matmul" || !kernel.runnable || kernel.backend != Backend::cpu) continue;
        if (!kernel.name.ends_with("24")) continue;
        (void)matmul(ctx, x.view().transposed(), x);
        LinearOptions options;
        options.call.kernel = kernel.name;
        EXPECT_TRUE(same_bits(linear(ctx, x, packed, options), expected)) << outputs << "x" << k << kernel.name;
      }
      (void)matmul(ctx, x.view().transposed(), x);
      EXPECT_TRUE(same_bits(linear(ctx, x, packed), expected)) << outputs << "x" << k;
    }
}

// Few outputs are dot products with b itself, though panels of it are there.
TEST(Weights, IntegersOfFewOutputsAreThoseOfThePlainProduct) {
  Context ctx;
  for (const std::int64_t outputs : {1, 3, 8}) {
    Tensor x = Tensor::empty({70, 200}, DType::f32), w = Tensor::empty({200, outputs}, DType::f32);
    fill_uniform({x.data<float>(), static_cast<std::size_t>(x.elements())}, 1);
    fill_uniform({w.data<float>(), static_cast<std::size_t>(w.elements())}, 2);
    for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric}) {
      const QuantizedTensor qx = dynamic_quantize(ctx, x, {DType::s8, scheme, -1, {}});
      const QuantizedTensor qw = dynamic_quantize(ctx, w, {DType::s8, Scheme::symmetric, 1, {}});
      LinearOptions options;
      options.input = &qx.quantization;
      CallOptions reference;
      reference.kernel = "cpu.quantized_matmul.s8.reference";
      QuantizedMatmulOptions product;
      product.call = reference;
      EXPECT_TRUE(same_bits(linear(ctx, qx.values, Weights::quantized(ctx, w), options),
                            quantized_matmul(ctx, qx.values, qx.quantization, qw.values, qw.quantization, product)))
          << outputs;
    }
  }
}

TEST(Weights, PanelsOfIntegersIn24SaveTheExpansionAndChangeNoBit) {
  Context ctx;
  for (const std::int64_t rows : {1, 7, 40}) {
    Tensor x = Tensor::empty({rows, 46}, DType::f32), w = Tensor::empty({46, 37}, DType::f32);
    fill_uniform({x.data<float>(), static_cast<std::size_t>(x.elements())}, 1);
    fill_uniform({w.data<float>(), static_cast<std::size_t>(w.elements())}, 2);
    const Tensor pruned = prune_2_4(w.view().transposed()).values;
    const ConstView w24 = pruned.view().transposed();
    QuantizedWeightsOptions plain;
    plain.pack = false;
    const Weights bare = Weights::quantized_2_4(ctx, w24, plain), packed = Weights::quantized_2_4(ctx, w24);
    const Tensor negative = mul(ctx, w24, Tensor::full({1}, -1));
    const Weights other = Weights::quantized_2_4(ctx, negative, plain);
    EXPECT_EQ(bare.bytes().packed, 0);
    EXPECT_EQ(packed.bytes().packed, Weights::quantized(ctx, w24).bytes().packed);
    const Tensor expected = linear(ctx, x, bare);
    EXPECT_TRUE(same_bits(expected, linear(ctx, x, packed))) << rows;
    EXPECT_TRUE(same_bits(linear(ctx, x, Weights::quantized(ctx, w24)), expected)) << rows;
    const std::string problem =
        "quantized_matmul s8:" + std::to_string(rows) + "x37x46,out=f32,per_token,per_channel,2:4";
    for (const Candidate& candidate : explain(ctx, problem).candidates) {
      if (!candidate.accepted) continue;
      LinearOptions forced;
      forced.call.kernel = candidate.kernel;
      linear(ctx, x, other, forced);  // stays in the scratch memory, for who reads it without having filled it
      EXPECT_TRUE(same_bits(linear(ctx, x, packed, forced), expected)) << candidate.kernel << ' ' << rows;
    }
  }
}

TEST(Weights, IntegersMayStayIntegers) {
  Context ctx;
  Case c;
  const Weights weights = Weights::quantized(ctx, c.w);
  const QuantizedTensor w = dynamic_quantize(ctx, c.w, {DType::s8, Scheme::symmetric, 1, {}});
  const Quantization input = calibrate_min_max(ctx, c.x, {DType::u8, Scheme::asymmetric, -1, {}});
  const Tensor q = quantize(ctx, c.x, input);
  for (const DType result : {DType::s8, DType::u8, DType::s32}) {
    LinearOptions options;
    options.input = &input;
    options.result = result;
    options.result_scale = 0.75f;
    options.result_zero_point = 3;
    options.activation = Activation::relu;
    QuantizedMatmulOptions product;
    product.result = result;
    product.result_scale = 0.75f;
    product.result_zero_point = 3;
    product.activation = Activation::relu;
    EXPECT_TRUE(
        same_bits(linear(ctx, q, weights, options), quantized_matmul(ctx, q, input, w.values, w.quantization, product)))
        << name(result);
  }
}

TEST(Weights, AnyStridesInAndOut) {
  Context ctx;
  Case c;
  const Tensor x = transpose(ctx, c.x), w = transpose(ctx, c.w);  // views of them turned back are column-major
  const Tensor double_bias = Tensor::full({2 * kOutputs}, 100);
  const View every_second = as_operand(double_bias).slice(0, 0, 2 * kOutputs, 2);
  for (std::int64_t j = 0; j < kOutputs; ++j) every_second.as<float>()[2 * j] = c.bias.data<float>()[j];
  for (const WeightForm form : kAllForms) {
    const Tensor plain = linear(ctx, c.x, in_form(ctx, c.w, form), c.options(true));
    LinearOptions options = c.options(true);
    options.bias = every_second;
    Tensor wide = Tensor::full({kRows, 2 * kOutputs}, -7);
    const View y = wide.view().slice(1, 1, 2 * kOutputs, 2);
    linear_into(ctx, x.view().transposed(), in_form(ctx, w.view().transposed(), form), y, options);
    for (std::int64_t i = 0; i < kRows; ++i)
      for (std::int64_t j = 0; j < kOutputs; ++j) {
        EXPECT_NEAR(wide.data<float>()[(i * kOutputs + j) * 2 + 1], plain.data<float>()[i * kOutputs + j], 1e-4f)
            << name(form);
        EXPECT_EQ(wide.data<float>()[(i * kOutputs + j) * 2], -7) << name(form) << ": a gap was written";
      }
  }
}

TEST(Weights, NothingInIsNothingOut) {
  Context ctx;
  Case c;
  for (const WeightForm form : kAllForms) {
    EXPECT_EQ(linear(ctx, Tensor::empty({0, kInputs}), in_form(ctx, c.w, form)).shape(), (Shape{0, kOutputs}));
    EXPECT_EQ(linear(ctx, c.x, in_form(ctx, Tensor::empty({kInputs, 0}), form)).shape(), (Shape{kRows, 0}));
    const Tensor y =
        linear(ctx, Tensor::empty({2, 0}), in_form(ctx, Tensor::empty({0, kOutputs}), form), c.options(true));
    for (std::int64_t i = 0; i < 2 * kOutputs; ++i)
      EXPECT_EQ(y.data<float>()[i], std::max(c.bias.data<float>()[i % kOutputs], 0.0f)) << name(form);
  }
}

TEST(Weights, PackedOnesGiveTheSameBits) {
  Context ctx;
  for (const auto& [m, k, n] : {std::array<std::int64_t, 3>{1, 64, 48}, {3, 37, 22}, {40, 130, 70}, {200, 64, 128}}) {
    const Tensor x = filled({m, k}, Fill::reals, 1), w = filled({k, n}, Fill::reals, 2);
    const Weights packed = Weights::quantized(ctx, w), plain = Weights::quantized(ctx, w, {.pack = false});
    EXPECT_EQ(plain.bytes().packed, 0);
    EXPECT_EQ(packed.bytes().packed > 0, cpu::packed_layout(ctx.machine().cpu, DType::s8, k, n).panel > 0);
    EXPECT_TRUE(same_bits(linear(ctx, x, packed), linear(ctx, x, plain))) << m << 'x' << n << 'x' << k;
    const Weights bf16 = Weights::dense(ctx, w, {.dtype = DType::bf16}),
                  plain16 = Weights::dense(ctx, w, {.dtype = DType::bf16, .pack = false});
    EXPECT_EQ(plain16.bytes().packed, 0);
    EXPECT_EQ(bf16.bytes().packed > 0, cpu::packed_layout(ctx.machine().cpu, DType::bf16, k, n).panel > 0);
    EXPECT_TRUE(same_bits(linear(ctx, x, bf16), linear(ctx, x, plain16))) << m << 'x' << n << 'x' << k;
  }
}

// The panels of another matrix betray whether a product reads them.
TEST(Weights, PanelsAreReadOnlyWhereTheyFit) {
  ContextOptions host;
  host.use_gpu = false;
  Context ctx(host);
  constexpr std::int64_t kK = 64, kN = 96, kM = 30;
  const CpuInfo& info = ctx.machine().cpu;
  const cpu::PackedLayout layout = cpu::packed_layout(info, DType::s8, kK, kN);
  if (layout.panel == 0) GTEST_SKIP() << "no product of 8-bit integers here reads panels";
  Tensor x = Tensor::empty({kM, kK}, DType::s8), b = Tensor::empty({kK, kN}, DType::s8);
  std::memset(x.view().data(), 1, kM * kK);
  std::memset(b.view().data(), 2, kK * kN);
  Tensor twice = Tensor::empty({kK, kN}, DType::s8);
  std::memset(twice.view().data(), 4, kK * kN);
  const std::shared_ptr<void> panels = allocate_host(layout.bytes, 64, "test");
  cpu::pack_b(info, DType::s8, kK, kN, twice.view().data(), kN, 1, panels.get());
  const Quantization one{DType::s8, -1, Tensor::full({1}, 1.0f), {}, false};
  const auto first = [&](const PackedMatrix& packed, const ConstView& of) {
    QuantizedMatmulOptions options;
    options.call.kernel = "cpu.quantized_matmul.s8.simd";
    options.call.packed = packed.panels ? &packed : nullptr;
    return quantized_matmul(ctx, x, one, of, one, options).data<float>()[0];
  };
  EXPECT_EQ(first({}, b), 2 * kK);
  EXPECT_EQ(first({b, panels.get(), layout.panel, layout.bytes}, b), 4 * kK);
  EXPECT_EQ(first({twice, panels.get(), layout.panel, layout.bytes}, b), 2 * kK);  // another matrix
  EXPECT_EQ(first({b, panels.get(), layout.panel + 1, layout.bytes}, b), 2 * kK);  // for another CPU
  EXPECT_EQ(first({b, panels.get(), layout.panel, layout.bytes + 4}, b), 2 * kK);
}

TEST(Weights, HandlesAreCountedInBytesAndOutliveTheirMatrix) {
  Context ctx;
  Weights f32, bf16, s8, one_scale, csr;
  EXPECT_TRUE(f32.empty());
  EXPECT_EQ(f32.bytes().total(), 0);
  {
    Tensor w = Tensor::zeros({kInputs, kOutputs});
    for (std::int64_t i = 0; i < 5; ++i) w.data<float>()[i * 31] = 1;
    f32 = Weights::dense(ctx, w);
    bf16 = in_form(ctx, w, WeightForm::bf16);
    s8 = in_form(ctx, w, WeightForm::s8);
    one_scale = Weights::quantized(ctx, w, {false});
    csr = in_form(ctx, w, WeightForm::csr);
    for (std::int64_t i = 0; i < w.elements(); ++i) w.data<float>()[i] = 5;
  }
  constexpr std::int64_t kElements = kInputs * kOutputs;
  EXPECT_EQ(f32.bytes().total(), 4 * kElements);
  EXPECT_EQ(bf16.bytes().host, 2 * kElements);
  EXPECT_EQ(s8.bytes().host, kElements + 4 * kOutputs);
  EXPECT_EQ(one_scale.bytes().host, kElements + 4);
  EXPECT_EQ(csr.bytes().total(), 4 * (kOutputs + 1) + 8 * 5);
  const Tensor ones = Tensor::full({1, kInputs}, 1);
  for (const Weights& weights : {f32, bf16, s8, one_scale, csr}) {
    EXPECT_FALSE(weights.empty());
    EXPECT_EQ(weights.inputs(), kInputs);
    EXPECT_EQ(weights.outputs(), kOutputs);
    EXPECT_NEAR(sum(ctx, linear(ctx, ones, weights)), 5, 1e-5) << name(weights.form());
  }
  EXPECT_EQ(s8.form(), WeightForm::s8);
}

TEST(Weights, AForcedKernelRuns) {
  Context ctx;
  Case c;
  LinearOptions options;
  options.call.kernel = "cpu.matmul.f32.naive";
  linear(ctx, c.x, Weights::dense(ctx, c.w), options);
  EXPECT_EQ(ctx.last().kernel, options.call.kernel);
  EXPECT_EQ(error_of([&] { linear(ctx, c.x, Weights::csr(ctx, c.w), options); }).code(), Code::invalid_argument);
}

TEST(Weights, BadCallsAreRefusedInASentence) {
  Context ctx;
  Case c;
  const Weights f32 = Weights::dense(ctx, c.w), s8 = Weights::quantized(ctx, c.w), none;
  const Tensor q = Tensor::zeros({kRows, kInputs}, DType::s8);
  const Quantization input = calibrate_min_max(ctx, c.x),
                     unsigned_input = calibrate_min_max(ctx, c.x, {DType::u8, Scheme::symmetric, -1, {}});
  LinearOptions long_bias, result, given, other_input, no_gelu;
  long_bias.bias = c.x.view().reshaped({kRows * kInputs});
  result.result = DType::s8;
  given.input = &input;
  other_input.input = &unsigned_input;
  no_gelu.result = DType::s8;
  no_gelu.activation = Activation::gelu_erf;
  Tensor y = Tensor::zeros({kRows, kOutputs}), small = Tensor::zeros({kRows, 3});
  const View within_x = as_operand(c.x).slice(1, 0, kOutputs);
  const View repeated(y.view().data(), DType::f32, {kRows, kOutputs}, {0, 1});
  const std::pair<std::function<void()>, std::string> calls[] = {
      {[&] { linear(ctx, c.x, none); }, "linear: the weights hold no matrix"},
      {[&] { linear(ctx, small, f32); }, "linear: x is 9x3, but the weights are 37x22"},
      {[&] { linear(ctx, c.bias, f32); }, "linear: x is 22, but the weights are 37x22"},
      {[&] { linear(ctx, c.x, f32, long_bias); }, "linear: the bias is 333, but the weights have 22 outputs"},
      {[&] { linear(ctx, c.x, f32, result); }, "linear: the result is s8, but weights in f32 need f32"},
      {[&] { linear(ctx, q, f32); }, "linear: x is s8, but weights in f32 need f32"},
      {[&] { linear(ctx, q, s8); }, "linear: x is s8, but no input quantisation says what it means"},
      {[&] { linear(ctx, q, s8, other_input); }, "linear: x is s8, but the input quantisation is for u8"},
      {[&] { linear(ctx, c.x, f32, given); }, "linear: there is an input quantisation, but the weights are in f32"},
      {[&] { linear_into(ctx, c.x, f32, small.view()); }, "linear: y is 9x3, but the result is 9x22"},
      {[&] { linear_into(ctx, c.x, f32, as_operand(q)); }, "linear: y is s8, only f32 is supported"},
      {[&] { linear_into(ctx, c.x, s8, within_x); }, "linear: the result (shape 9x22) overlaps an input (shape 9x37)"},
      {[&] { linear_into(ctx, c.x, s8, repeated); },
       "linear: the result's strides 0x1 reach an element of shape 9x22 twice"},
      {[&] { Weights::dense(ctx, c.bias); },
       "Weights::dense: the weights have shape 22, but two dimensions are needed"},
      {[&] { Weights::dense(ctx, c.w, {DType::s8}); },
       "Weights::dense: the dtype is s8, but dense weights are f32 or bf16"},
      {[&] { Weights::dense(ctx, q); }, "Weights::dense: w is s8, only f32 is supported"},
      {[&] { Weights::quantized(ctx, q); }, "Weights::quantized: w is s8, only f32 is supported"},
      {[&] { Weights::csr(ctx, q); }, "Weights::csr: w is s8, only f32 is supported"},
      {[&] { Weights::sparse_2_4(ctx, q); }, "Weights::sparse_2_4: w is s8, only f32 is supported"},
      {[&] { Weights::sparse_2_4(ctx, c.bias); },
       "Weights::sparse_2_4: the weights have shape 22, but two dimensions are needed"},
      {[&] { Weights::sparse_2_4(ctx, c.w); },
       "Weights::sparse_2_4: output 0, inputs 0 to 3 hold 4 nonzero elements, 2:4 allows 2"},
      {[&] { Weights::quantized_2_4(ctx, c.w); },
       "Weights::quantized_2_4: output 0, inputs 0 to 3 hold 4 nonzero elements, 2:4 allows 2"},
      {[&] { Weights::quantized_2_4(ctx, q); }, "Weights::quantized_2_4: w is s8, only f32 is supported"},
      {[&] { Weights::quantized_2_4(ctx, c.bias); },
       "Weights::quantized_2_4: the weights have shape 22, but two dimensions are needed"},
  };
  for (const auto& [call, sentence] : calls) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::invalid_argument) << sentence;
    EXPECT_EQ(error.what(), sentence);
  }
  EXPECT_EQ(error_of([&] { linear(ctx, c.x, s8, no_gelu); }).code(), Code::invalid_argument);
  for (std::int64_t i = 0; i < y.elements(); ++i) EXPECT_EQ(y.data<float>()[i], 0);
}

TEST(Weights, EightThreadsShareHandlesOfEveryForm) {
  Case c;
  std::vector<Weights> handles;
  std::vector<Tensor> expected;
  ContextOptions host;  // as the threads' contexts: sums on a GPU have another order
  host.use_gpu = false;
  {
    Context ctx(host);
    for (const WeightForm form : kAllForms) {
      handles.push_back(in_form(ctx, c.w, form));
      expected.push_back(linear(ctx, c.x, handles.back(), c.options(true)));
    }
  }  // the context that prepared them is gone
  std::vector<std::thread> threads;
  std::vector<int> wrong(8, 0);
  for (std::size_t t = 0; t < wrong.size(); ++t)
    threads.emplace_back([&, t] {
      ContextOptions mine = host;
      mine.threads = t % 2 == 0 ? 1 : 2;
      Context ctx(mine);
      for (int round = 0; round < 20; ++round)
        for (std::size_t f = 0; f < handles.size(); ++f) {
          const Weights copy = handles[f];
          wrong[t] += same_bits(linear(ctx, c.x, copy, c.options(true)), expected[f]) ? 0 : 1;
        }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(8, 0));
}

}  // namespace
}  // namespace tandem::test::weights_test
