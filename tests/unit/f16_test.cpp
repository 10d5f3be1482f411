// f16 through the public calls; tests/kernels/convert_bits_test.cpp holds every kernel to the bit.
#include <string>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "tests/support/verify.h"

namespace tandem::test::f16_test {
namespace {

std::string refusal(const Tensor& x, DType to) {
  Context ctx;
  try {
    convert(ctx, x, to);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "nothing was thrown";
}

TEST(F16, ConvertsBothWays) {
  Context ctx;
  const Tensor x = Tensor::from({2, 3}, {0.1f, -65519.0f, 1e-7f, 65520.0f, 2049.0f, -0.0f});
  const Tensor halves = convert(ctx, x.view().transposed(), DType::f16);
  EXPECT_TRUE(ctx.last().kernel.starts_with("cpu.convert.f16.")) << ctx.last().kernel;
  EXPECT_EQ(halves.dtype(), DType::f16);
  const Tensor back = convert(ctx, halves, DType::f32);
  ASSERT_EQ(back.shape(), (Shape{3, 2}));
  for (std::int64_t i = 0; i < 6; ++i) {
    const double wanted = nearest_f16(static_cast<double>(x.data<float>()[i % 2 * 3 + i / 2]));
    EXPECT_EQ(static_cast<double>(back.data<float>()[i]), wanted) << i;
    EXPECT_EQ(f16_value(static_cast<const std::uint16_t*>(halves.view().data())[i]), wanted) << i;
  }
}

TEST(F16, IsForStorage) {
  const Tensor half = Tensor::zeros({4, 4}, DType::f16);
  const std::string pairs = "; f32 to bf16 or f16, and these to f32, are supported";
  EXPECT_EQ(refusal(half, DType::bf16), "convert: from f16 to bf16 was asked for" + pairs);
  EXPECT_EQ(refusal(half, DType::f16), "convert: from f16 to f16 was asked for" + pairs);
  EXPECT_EQ(refusal(Tensor::zeros({4}, DType::bf16), DType::f16), "convert: from bf16 to f16 was asked for" + pairs);
  Context ctx;
  EXPECT_THROW(matmul(ctx, half, half), Error);
  EXPECT_THROW(relu(ctx, half), Error);
}

}  // namespace
}  // namespace tandem::test::f16_test
