// Products of 8-bit integers: the extremes of the types, the limits of k, TinyTorch's examples, refusals. Random
// shapes, strides and options are in tests/kernels.
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/quantize.h>

#include "common/ops/quantized_matmul.h"
#include "tests/support/data.h"

namespace tandem::test::quantized_matmul_test {
namespace {

Quantization scale_of(DType dtype, float scale = 1) {
  Quantization q;
  q.dtype = dtype;
  q.scales = Tensor::full(Shape{1}, scale);
  return q;
}
Tensor ints(std::vector<std::int32_t> values) {
  return Tensor::from(Shape{static_cast<std::int64_t>(values.size())}, std::span<const std::int32_t>(values));
}
Quantization with_zero(DType dtype, std::int32_t zero_point, float scale = 1) {
  Quantization q = scale_of(dtype, scale);
  q.zero_points = ints({zero_point});
  return q;
}

/// A matrix of s8 or u8 from a function of the element's number.
Tensor matrix(DType dtype, std::int64_t rows, std::int64_t cols, const std::function<int(std::int64_t)>& value) {
  Tensor t = Tensor::empty(Shape{rows, cols}, dtype);
  auto* data = static_cast<std::uint8_t*>(t.view().data());
  for (std::int64_t i = 0; i < t.elements(); ++i) data[i] = static_cast<std::uint8_t>(value(i));
  return t;
}
Tensor filled(DType dtype, std::int64_t rows, std::int64_t cols, int value) {
  return matrix(dtype, rows, cols, [value](std::int64_t) { return value; });
}
Tensor random(DType dtype, std::int64_t rows, std::int64_t cols, std::uint64_t seed) {
  Random source(seed);
  return matrix(dtype, rows, cols, [&](std::int64_t) { return static_cast<int>(source.integer(0, 255)); });
}
std::int64_t integer_at(const Tensor& t, std::int64_t i) {
  switch (t.dtype()) {
    case DType::s8:
      return t.data<std::int8_t>()[i];
    case DType::u8:
      return t.data<std::uint8_t>()[i];
    default:
      return t.data<std::int32_t>()[i];
  }
}

/// sum (a - za)(b - zb) in 64 bits.
std::int64_t exact(const Tensor& a, const Tensor& b, std::int64_t i, std::int64_t j, std::int64_t za = 0,
                   std::int64_t zb = 0) {
  const std::int64_t k = a.shape()[1], n = b.shape()[1];
  std::int64_t sum = 0;
  for (std::int64_t l = 0; l < k; ++l) sum += (integer_at(a, i * k + l) - za) * (integer_at(b, l * n + j) - zb);
  return sum;
}

template <class Body>
void with_every_kernel(Context& ctx, Body body) {
  std::size_t ran = 0;
  for (const Candidate& candidate : explain(ctx, "quantized_matmul s8:16x16x16").candidates) {
    if (!candidate.accepted) continue;  // those of other formats of b
    SCOPED_TRACE(candidate.kernel);
    QuantizedMatmulOptions options;
    options.call.kernel = candidate.kernel;
    body(options);
    ++ran;
  }
  EXPECT_GE(ran, 1u);
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    return error.what();
  }
  return "nothing was refused";
}

/// What every element of c must be, for constant operands.
void expect_constant(const Tensor& c, std::int64_t value) {
  for (std::int64_t i = 0; i < c.elements(); ++i) ASSERT_EQ(integer_at(c, i), value) << "element " << i;
}

TEST(QuantizedMatmul, ExtremesOfTheTypesAtTheLimitsOfK) {
  Context ctx;
  struct {
    DType a_type;
    int a, b;
    bool za, zb;
    std::int64_t k;
  } const kCases[] = {
      {DType::s8, -128, -128, false, false, 131071}, {DType::s8, -128, 127, false, false, 131071},
      {DType::s8, 127, 127, false, false, 131071},   {DType::u8, 255, -128, false, false, 65793},
      {DType::u8, 255, 127, false, false, 65793},    {DType::s8, -128, -128, true, true, 33025},
      {DType::u8, 0, -128, true, true, 33025},       {DType::s8, 127, -128, true, false, 65793},
  };
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.result = DType::s32;
    for (const auto& c : kCases) {
      // Zero points at the other end of the range: differences of 255.
      const int za = !c.za ? 0 : c.a_type == DType::u8 ? 255 : c.a > 0 ? -128 : 127;
      const Quantization qa = c.za ? with_zero(c.a_type, za) : scale_of(c.a_type);
      const Quantization qb = c.zb ? with_zero(DType::s8, 127) : scale_of(DType::s8);
      const Tensor product =
          quantized_matmul(ctx, filled(c.a_type, 2, c.k, c.a), qa, filled(DType::s8, c.k, 3, c.b), qb, options);
      expect_constant(product, c.k * (c.a - za) * (c.b - (c.zb ? 127 : 0)));
    }
  });
}

TEST(QuantizedMatmul, BeyondTheLimitsOfKItIsRefused) {
  Context ctx;
  const auto says = [&](DType type, const Quantization& qa, const Quantization& qb, std::int64_t k, const char* limit) {
    const std::string text =
        refusal([&] { quantized_matmul(ctx, filled(type, 1, k, 1), qa, filled(DType::s8, k, 1, 1), qb); });
    EXPECT_NE(text.find(limit), std::string::npos) << text;
  };
  says(DType::s8, scale_of(DType::s8), scale_of(DType::s8), 131072, "more than 131071 products of s8 x s8 may pass");
  says(DType::u8, scale_of(DType::u8), scale_of(DType::s8), 65794, "more than 65793 products of u8 x s8 may pass");
  says(DType::s8, with_zero(DType::s8, 1), with_zero(DType::s8, 1), 33026, "more than 33025 products");
  says(DType::u8, with_zero(DType::u8, 1), scale_of(DType::s8), 65794, "more than 65793 products");
}

TEST(QuantizedMatmul, SumsAreExactAroundTheSizesOfBlocks) {
  Context ctx;
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.result = DType::s32;
    for (const std::int64_t k : {0, 1, 2, 3, 63, 64, 65, 4096})
      for (const DType type : {DType::s8, DType::u8})
        for (const bool zero_points : {false, true}) {
          const Tensor a = random(type, 3, k, 1), b = random(DType::s8, k, 5, 2);
          const int za = type == DType::u8 ? 131 : -77, zb = 35;
          const Quantization qa = zero_points ? with_zero(type, za) : scale_of(type);
          const Quantization qb = zero_points ? with_zero(DType::s8, zb) : scale_of(DType::s8);
          const Tensor c = quantized_matmul(ctx, a, qa, b, qb, options);
          for (std::int64_t i = 0; i < 15; ++i)
            ASSERT_EQ(integer_at(c, i), exact(a, b, i / 5, i % 5, zero_points ? za : 0, zero_points ? zb : 0))
                << "k " << k << ", " << name(type);
        }
  });
}

TEST(QuantizedMatmul, AlternatingSigns) {
  Context ctx;
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.result = DType::s32;
    const std::int64_t k = 1001;
    const auto signs = [](std::int64_t i) { return i % 2 == 0 ? 127 : -128; };
    const Tensor a = matrix(DType::s8, 3, k, signs), b = matrix(DType::s8, k, 3, signs);
    const Tensor c = quantized_matmul(ctx, a, scale_of(DType::s8), b, scale_of(DType::s8), options);
    for (std::int64_t i = 0; i < 9; ++i) ASSERT_EQ(integer_at(c, i), exact(a, b, i / 3, i % 3));
  });
}

TEST(QuantizedMatmul, ASaturating16BitStepWouldShow) {
  // 2 * 255 * 127 and 2 * 255 * -128 pass 16 bits: vpmaddubsw would give +-32767 a pair.
  Context ctx;
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.result = DType::s32;
    for (const int b : {127, -128}) {
      const Tensor c = quantized_matmul(ctx, filled(DType::u8, 4, 100, 255), scale_of(DType::u8),
                                        filled(DType::s8, 100, 20, b), scale_of(DType::s8), options);
      expect_constant(c, 100 * 255 * b);
    }
  });
}

TEST(QuantizedMatmul, RequantisedTiesGoToEven) {
  // Sums 1, 3, 5 and -1, -3, -5 at scale 1/2: 0.5, 1.5, 2.5.
  Context ctx;
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.result = DType::s8;
    options.result_scale = 2;
    options.result_zero_point = 10;
    const Tensor a =
        matrix(DType::s8, 6, 1, [](std::int64_t i) { return static_cast<int>(i < 3 ? 2 * i + 1 : 5 - 2 * i); });
    const Tensor c =
        quantized_matmul(ctx, a, scale_of(DType::s8), filled(DType::s8, 1, 1, 1), scale_of(DType::s8), options);
    const int expected[] = {10, 12, 12, 10, 8, 8};
    for (int i = 0; i < 6; ++i) EXPECT_EQ(integer_at(c, i), expected[i]) << i;
  });
}

TEST(QuantizedMatmul, FusedReluIsTheReluAfterwards) {
  Context ctx;
  const Tensor a = random(DType::u8, 9, 70, 3), b = random(DType::s8, 70, 21, 4);
  const Quantization qa = with_zero(DType::u8, 120, 0.01f), qb = scale_of(DType::s8, 0.02f);
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    for (const DType result : {DType::s8, DType::u8}) {
      options.result = result;
      options.result_scale = 0.11f;
      options.result_zero_point = 33;
      options.activation = Activation::none;
      const Tensor plain = quantized_matmul(ctx, a, qa, b, qb, options);
      options.activation = Activation::relu;
      const Tensor fused = quantized_matmul(ctx, a, qa, b, qb, options);
      const Tensor after = quantized_relu(ctx, plain, with_zero(result, 33));
      for (std::int64_t i = 0; i < fused.elements(); ++i) ASSERT_EQ(integer_at(fused, i), integer_at(after, i));
    }
  });
}

TEST(QuantizedMatmul, UnfusedStepsGiveTheSameBits) {
  Context ctx;
  const Tensor a = random(DType::s8, 9, 70, 5), b = random(DType::s8, 70, 21, 6);
  const float sa = 0.013f, sb = 0.0071f, sy = 0.37f;
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.result = DType::s32;
    const Tensor sums = quantized_matmul(ctx, a, scale_of(DType::s8), b, scale_of(DType::s8), options);
    options.result = DType::s8;
    options.result_scale = sy;
    options.result_zero_point = -9;
    const Tensor fused = quantized_matmul(ctx, a, scale_of(DType::s8, sa), b, scale_of(DType::s8, sb), options);
    const float multiplier = sa * sb / sy;
    const Tensor after = requantize(ctx, sums, ConstView(&multiplier, Shape{1}), -9, DType::s8);
    for (std::int64_t i = 0; i < fused.elements(); ++i) ASSERT_EQ(integer_at(fused, i), integer_at(after, i));
    options.result = DType::f32;
    const Tensor floats = quantized_matmul(ctx, a, scale_of(DType::s8, sa), b, scale_of(DType::s8, sb), options);
    for (std::int64_t i = 0; i < floats.elements(); ++i)
      ASSERT_EQ(floats.data<float>()[i], static_cast<float>(integer_at(sums, i)) * (sa * sb));
  });
}

TEST(QuantizedMatmul, BiasIsAddedBeforeTheScaleOrAfterIt) {
  Context ctx;
  const Tensor a = filled(DType::s8, 1, 4, 2), b = filled(DType::s8, 4, 2, 3);
  const Tensor bias = ints({100, -100});
  const float after[] = {0.5f, -0.25f};
  with_every_kernel(ctx, [&](QuantizedMatmulOptions& options) {
    options.bias = bias;
    const Tensor c = quantized_matmul(ctx, a, scale_of(DType::s8, 0.5f), b, scale_of(DType::s8), options);
    EXPECT_EQ(c.data<float>()[0], 62.0f);
    EXPECT_EQ(c.data<float>()[1], -38.0f);
    options.bias = ConstView(after, Shape{2});
    const Tensor d = quantized_matmul(ctx, a, scale_of(DType::s8, 0.5f), b, scale_of(DType::s8), options);
    EXPECT_EQ(d.data<float>()[0], 12.5f);
    EXPECT_EQ(d.data<float>()[1], 11.75f);
  });
}

TEST(QuantizedMatmul, TinyTorchsProductSaturatesInsteadOfWrapping) {
  // [[1, 2], [3, 4]] @ [[5, 6], [7, 8]] at scales 1/20: 7 * 20 and 8 * 20 do not fit 8 bits. Theirs wrap to -116 and
  // -96 and the product is far off; ours saturate at 127.
  Context ctx;
  const Tensor a = Tensor::from(Shape{2, 2}, {1, 2, 3, 4}), b = Tensor::from(Shape{2, 2}, {5, 6, 7, 8});
  const Quantization given = scale_of(DType::s8, 1 / 20.0f);
  const Tensor qa = quantize(ctx, a, given), qb = quantize(ctx, b, given);
  EXPECT_EQ(integer_at(qb, 3), 127);
  EXPECT_EQ(count_saturated(ctx, b, given).saturated, 2);
  const Tensor clipped = quantized_matmul(ctx, qa, given, qb, given);
  const float with_clipping[] = {(20 * 100 + 40 * 127) / 400.0f, (20 * 120 + 40 * 127) / 400.0f,
                                 (60 * 100 + 80 * 127) / 400.0f, (60 * 120 + 80 * 127) / 400.0f};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(clipped.data<float>()[i], with_clipping[i], 1e-5) << i;
  // With scales from the data the right answer comes out: [[19, 22], [43, 50]].
  const Tensor c = quantized_matmul(ctx, a, b);
  const float right[] = {19, 22, 43, 50};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(c.data<float>()[i], right[i], 0.01 * right[i]) << i;
}

TEST(QuantizedMatmul, FloatProductsStayWithinTheErrorOfTheirScales) {
  Context ctx;
  Tensor a = Tensor::empty(Shape{31, 200}), b = Tensor::empty(Shape{200, 17});
  fill_uniform({a.data<float>(), 31 * 200}, 1);
  fill_uniform({b.data<float>(), 200 * 17}, 2);
  const Tensor quantized = quantized_matmul(ctx, a, b), plain = matmul(ctx, a, b);
  // An error of at most half a step in each factor, below 1/127 of the largest magnitude, which is below 1.
  for (std::int64_t i = 0; i < plain.elements(); ++i)
    ASSERT_NEAR(quantized.data<float>()[i], plain.data<float>()[i],
                200 * (1 / 254.0 + 1 / 254.0 + 1 / (254.0 * 254.0)));
}

TEST(QuantizedMatmul, RefusesWhatCannotBeMeant) {
  Context ctx;
  const Tensor a = filled(DType::s8, 2, 4, 1), b = filled(DType::s8, 4, 3, 1);
  const auto says = [&](const Quantization& qa, const Quantization& qb, const QuantizedMatmulOptions& options,
                        const std::string& part) {
    const std::string text = refusal([&] { quantized_matmul(ctx, a, qa, b, qb, options); });
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  const auto s8 = [] { return scale_of(DType::s8); };
  says(scale_of(DType::u8), s8(), {}, "a is s8, but its quantisation is of u8");
  Quantization wrong = s8();
  wrong.axis = 1;
  says(wrong, s8(), {}, "one a row (axis 0)");
  wrong = s8();
  wrong.axis = 0;
  says(s8(), wrong, {}, "one a column (axis 1)");
  QuantizedMatmulOptions options;
  options.result = DType::bf16;
  says(s8(), s8(), options, "the result is bf16");
  options.result = DType::s8;
  options.result_scale = 0;
  says(s8(), s8(), options, "scale must be finite and > 0, not 0");
  options.result_scale = 1;
  options.result_zero_point = 128;
  says(s8(), s8(), options, "zero point 128 is outside");
  options.result_zero_point = 0;
  options.activation = Activation::gelu_erf;
  says(s8(), s8(), options, "activation gelu_erf needs an f32 result");
  options = {};
  const Tensor short_bias = ints({1, 2}), large = ints({0, 0, std::numeric_limits<std::int32_t>::max()});
  options.bias = short_bias;
  says(s8(), s8(), options, "bias is 2, but b has 3 columns");
  options.bias = large;
  says(s8(), s8(), options, "bias 2 is 2147483647, which could carry a sum past 32 bits");
  const Tensor tall = filled(DType::s8, 5, 3, 1);
  EXPECT_NE(refusal([&] { quantized_matmul(ctx, a, s8(), tall, s8()); }).find("inner dimensions differ"),
            std::string::npos);
  Tensor c = Tensor::empty(Shape{2, 4});
  EXPECT_NE(refusal([&] { quantized_matmul_into(ctx, a, s8(), b, s8(), c.view()); }).find("c is 2x4, but a @ b is 2x3"),
            std::string::npos);
}

TEST(QuantizedMatmul, ProblemStrings) {
  Context ctx;
  EXPECT_EQ(explain(ctx, "quantized_matmul s8:512x256x128").problem, "s8:512x256x128,out=f32");
  EXPECT_EQ(explain(ctx, "quantized_matmul u8s8:5x6x7,out=s8,per_channel,per_token,zp,bias,act=relu,tb").problem,
            "u8s8:5x6x7,out=s8,tb,per_token,per_channel,zp,bias,act=relu");
  EXPECT_NE(refusal([&] { explain(ctx, "quantized_matmul f32:5x6x7"); }).find("s8 or u8s8"), std::string::npos);
  EXPECT_NE(refusal([&] { explain(ctx, "quantized_matmul s8:5x6x200000"); }).find("may pass 32 bits"),
            std::string::npos);
}

}  // namespace
}  // namespace tandem::test::quantized_matmul_test
