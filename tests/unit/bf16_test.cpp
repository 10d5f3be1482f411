// bf16: conversions against the oracle's, and products as a user calls them.
#include "common/core/bf16.h"

#include <cmath>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/ops.h>

#include "tests/support/verify.h"

namespace tandem::test::bf16_test {
namespace {

TEST(Bf16, RoundsToTheNearestEven) {
  const auto rounded = [](float x) { return static_cast<double>(to_f32(to_bf16(x))); };
  for (std::uint32_t high = 0; high < 0x10000; ++high)
    for (const std::uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) {
      const auto x = std::bit_cast<float>(high << 16 | low);
      if (std::isnan(x))
        EXPECT_TRUE(std::isnan(rounded(x)));
      else
        ASSERT_EQ(rounded(x), nearest_bf16(static_cast<double>(x))) << x;
    }
  EXPECT_EQ(to_bf16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_EQ(to_bf16(-0.0f).bits, 0x8000);
}

std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "accepted";
}

TEST(Bf16, ConversionsOfTensorsOfAnyStrides) {
  Context ctx;
  Tensor x = Tensor::empty({3, 5});
  for (int i = 0; i < 15; ++i) x.data<float>()[i] = 1.0f + static_cast<float>(i) / 256;  // every second one a tie
  const Tensor y = convert(ctx, x.view().transposed(), DType::bf16);
  ASSERT_EQ(y.dtype(), DType::bf16);
  ASSERT_EQ(y.shape(), (Shape{5, 3}));
  const Tensor back = convert(ctx, y, DType::f32);
  for (int i = 0; i < 15; ++i) {
    const double wanted = nearest_bf16(1 + i / 256.0);
    EXPECT_EQ(static_cast<double>(back.data<float>()[i % 5 * 3 + i / 5]), wanted) << i;
  }
}

TEST(Bf16, ConversionsThatAreRefused) {
  Context ctx;
  float f[8] = {};
  Bf16 h[8] = {};
  const View single(f, DType::f32, {2, 4}), half(h, DType::bf16, {2, 4});
  const std::pair<std::function<void()>, std::string> calls[] = {
      {[&] { convert(ctx, single, DType::f32); },
       "convert: from f32 to f32 was asked for; f32 to bf16 or f16, and these to f32, are supported"},
      {[&] { convert(ctx, half, DType::s8); },
       "convert: from bf16 to s8 was asked for; f32 to bf16 or f16, and these to f32, are supported"},
      {[&] { convert(ctx, Tensor::zeros({3}, DType::s32), DType::bf16); },
       "convert: from s32 to bf16 was asked for; f32 to bf16 or f16, and these to f32, are supported"},
      {[&] { convert_into(ctx, single, half.transposed()); }, "convert: y is 4x2, but x is 2x4"},
      {[&] {
         convert_into(ctx, single, View(h, DType::bf16, {2, 4}, {0, 1}));
       },
       "convert: the result's strides 0x1 reach an element of shape 2x4 twice"},
      {[&] {
         convert_into(ctx, single, View(f, DType::bf16, {2, 4}));
       },
       "convert: the result (shape 2x4) overlaps an input (shape 2x4)"},
  };
  for (const auto& [call, sentence] : calls) EXPECT_EQ(refusal(call), sentence);
}

std::vector<Bf16> numbers(std::initializer_list<float> values) {
  std::vector<Bf16> out;
  for (float value : values) out.push_back(to_bf16(value));
  return out;
}

TEST(Bf16, ProductsHaveTheTypeThatWasAskedFor) {
  Context ctx;
  const auto a = numbers({1, 2, 3, 4, 5, 6}), b = numbers({1, 128, 2, 1, 1, 1});
  const ConstView av(a.data(), DType::bf16, {2, 3}), bv(b.data(), DType::bf16, {3, 2});
  const Tensor c = matmul(ctx, av, bv);
  ASSERT_EQ(c.dtype(), DType::bf16);
  const auto at = [&](int i) { return to_f32(static_cast<const Bf16*>(c.view().data())[i]); };
  EXPECT_EQ(at(0), 8.0f);
  EXPECT_EQ(at(1), 133.0f);
  EXPECT_EQ(at(2), 20.0f);
  EXPECT_EQ(at(3), 524.0f);  // 523 lies between 522 and 524, and 524 is even
  MatmulOptions options;
  options.result = DType::f32;
  const float bias[] = {0.5f, -0.25f};
  options.bias = ConstView(bias, DType::f32, {2});
  const Tensor wide = matmul(ctx, av, bv, options);
  ASSERT_EQ(wide.dtype(), DType::f32);
  EXPECT_EQ(wide.view().as<float>()[3], 522.75f);
}

TEST(Bf16, OtherCombinationsAreRefused) {
  Context ctx;
  const auto a = numbers({1, 2, 3, 4});
  float f[4] = {1, 2, 3, 4};
  const ConstView half(a.data(), DType::bf16, {2, 2});
  const View single(f, DType::f32, {2, 2});
  EXPECT_NE(refusal([&] { matmul(ctx, half, single); }).find("b is f32, but a is bf16"), std::string::npos);
  EXPECT_NE(refusal([&] { matmul(ctx, single, half); }).find("b is bf16, but a is f32"), std::string::npos);
  MatmulOptions options;
  options.result = DType::bf16;
  EXPECT_NE(refusal([&] { matmul(ctx, single, single, options); }).find("the result is bf16"), std::string::npos);
  float c[4];
  EXPECT_NE(refusal([&] {
              matmul_into(ctx, half, half, View(c, DType::f32, {2, 2}), options);
            }).find("c is f32"),
            std::string::npos);
}

}  // namespace
}  // namespace tandem::test::bf16_test
