// Quantisation as its header promises it: numbers worked out by hand, round trips, calibration, refusals. What every
// kernel must give bit for bit is in tests/kernels.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/quantize.h>

#include "common/dispatch/registry.h"
#include "common/ops/all.h"
#include "tests/support/data.h"

namespace tandem::test::quantize_test {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

Tensor floats(std::vector<float> values) {
  return Tensor::from(Shape{static_cast<std::int64_t>(values.size())}, std::span<const float>(values));
}
Tensor ints(std::vector<std::int32_t> values) {
  return Tensor::from(Shape{static_cast<std::int64_t>(values.size())}, std::span<const std::int32_t>(values));
}
Quantization one_scale(float scale, std::int32_t zero_point = 0, DType dtype = DType::s8) {
  Quantization q;
  q.dtype = dtype;
  q.scales = floats({scale});
  if (zero_point != 0) q.zero_points = ints({zero_point});
  return q;
}
template <class T>
std::vector<T> values(const Tensor& t) {
  const T* data = t.data<T>();
  return {data, data + t.elements()};
}
std::vector<int> bytes(const Tensor& t) {
  std::vector<int> out;
  for (std::int64_t i = 0; i < t.elements(); ++i)
    out.push_back(t.dtype() == DType::u8 ? t.data<std::uint8_t>()[i] : t.data<std::int8_t>()[i]);
  return out;
}

/// Runs `body(call)` for every kernel of an operation that this machine can run.
template <class Op, class Body>
void with_every_kernel(Context& ctx, Body body) {
  std::size_t ran = 0;
  for (const KernelInfo& info : kernels(ctx)) {
    if (info.op != Op::kName || !info.runnable) continue;
    SCOPED_TRACE(info.name);
    CallOptions call;
    call.kernel = info.name;
    body(call);
    ++ran;
  }
  EXPECT_GE(ran, 1u) << Op::kName;
}

std::string refusal(const std::function<void()>& call, Code code = Code::invalid_argument) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), code) << error.what();
    return error.what();
  }
  return "nothing was refused";
}

TEST(Quantize, RoundsTiesToEvenAndSaturates) {
  Context ctx;
  const Tensor x = floats({0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, 127.4f, 128, 1e30f, -128.5f, -129, -1e30f});
  with_every_kernel<Quantize>(ctx, [&](const CallOptions& call) {
    EXPECT_EQ(bytes(quantize(ctx, x, one_scale(1), call)),
              (std::vector<int>{0, 2, 2, 0, -2, -2, 126, 127, 127, 127, -128, -128, -128}));
  });
}

TEST(Quantize, NanGivesTheZeroPointAndInfinitiesSaturate) {
  Context ctx;
  const Tensor x = floats({kNan, kInf, -kInf, 0, -0.0f, -kNan});
  with_every_kernel<Quantize>(ctx, [&](const CallOptions& call) {
    EXPECT_EQ(bytes(quantize(ctx, x, one_scale(0.25f, 7), call)), (std::vector<int>{7, 127, -128, 7, 7, 7}));
    EXPECT_EQ(bytes(quantize(ctx, x, one_scale(0.25f, 131, DType::u8), call)),
              (std::vector<int>{131, 255, 0, 131, 131, 131}));
    Quantization narrow = one_scale(1);
    narrow.narrow = true;
    EXPECT_EQ(bytes(quantize(ctx, x, narrow, call)), (std::vector<int>{0, 127, -127, 0, 0, 0}));
  });
}

TEST(Quantize, DividesInsteadOfMultiplyingByAReciprocal) {
  // 0.3f / 0.1f is 3.0000001 and 0.3f * (1 / 0.1f) the same, but 8.5 tenths show the difference: x / s is just below a
  // tie where x * (1 / s) is on it.
  Context ctx;
  std::size_t differ = 0;
  std::vector<float> x;
  for (int i = 0; i < 200000; ++i) x.push_back(static_cast<float>(i) * 0.0001f);
  for (const float s : {0.1f, 0.07f, 1 / 3.0f}) {
    const Tensor q = quantize(ctx, floats(x), one_scale(s, -128));
    for (std::size_t i = 0; i < x.size(); ++i) {
      const float divided = std::nearbyint(x[i] / s), multiplied = std::nearbyint(x[i] * (1 / s));
      if (divided > 255) continue;
      ASSERT_EQ(static_cast<float>(q.data<std::int8_t>()[i]), divided - 128) << x[i] << " / " << s;
      differ += divided != multiplied;
    }
  }
  EXPECT_GT(differ, 0u) << "these inputs cannot tell a division from a product";
}

TEST(Quantize, PerChannelAndPerToken) {
  Context ctx;
  const Tensor x = Tensor::from(Shape{2, 3}, {1, 2, 3, 4, 5, 6});
  Quantization rows = one_scale(1), columns = one_scale(1);
  rows.axis = 0;
  rows.scales = floats({1, 2});
  rows.zero_points = ints({0, 10});
  columns.axis = 1;
  columns.scales = floats({1, 2, 3});
  with_every_kernel<Quantize>(ctx, [&](const CallOptions& call) {
    EXPECT_EQ(bytes(quantize(ctx, x, rows, call)), (std::vector<int>{1, 2, 3, 12, 12, 13}));
    EXPECT_EQ(bytes(quantize(ctx, x, columns, call)), (std::vector<int>{1, 1, 1, 4, 2, 2}));
  });
}

TEST(Quantize, EveryIntegerComesBackForEveryZeroPoint) {
  Context ctx;
  for (const DType dtype : {DType::s8, DType::u8}) {
    const int low = dtype == DType::u8 ? 0 : -128;
    Tensor q = Tensor::empty(Shape{256}, dtype);
    std::vector<int> all;
    for (int i = 0; i < 256; ++i) {
      all.push_back(low + i);
      static_cast<std::uint8_t*>(q.view().data())[i] = static_cast<std::uint8_t>(low + i);
    }
    for (int zero = low; zero < low + 256; ++zero)
      for (const float scale : {1.0f, 0.1f, 1 / 127.0f, 0x1p-126f, 1e30f, 3.7e-5f}) {
        const Quantization quantization = one_scale(scale, zero, dtype);
        ASSERT_EQ(bytes(quantize(ctx, dequantize(ctx, q, quantization), quantization)), all) << zero << ", " << scale;
      }
  }
}

TEST(Dequantize, IsTheDistanceFromTheZeroPointTimesTheScale) {
  Context ctx;
  const Tensor q = Tensor::from(Shape{3}, std::span<const std::int8_t>(std::vector<std::int8_t>{-128, 3, 127}));
  with_every_kernel<Dequantize>(ctx, [&](const CallOptions& call) {
    EXPECT_EQ(values<float>(dequantize(ctx, q, one_scale(0.5f, 3), call)), (std::vector<float>{-65.5f, 0, 62}));
  });
}

TEST(DynamicQuantize, TheLargestMagnitudeIsExactlyTheLastInteger) {
  // TinyTorch's symmetric scale 2 max / 255 maps max to 127.5, which clips.
  Context ctx;
  with_every_kernel<DynamicQuantize>(ctx, [&](const CallOptions& call) {
    const QuantizedTensor q =
        dynamic_quantize(ctx, floats({-2, -1, 0, 1, 2}), {DType::s8, Scheme::symmetric, -1, call});
    EXPECT_EQ(q.quantization.scales.data<float>()[0], 2.0f / 127);
    EXPECT_EQ(bytes(q.values), (std::vector<int>{-127, -64, 0, 64, 127}));
    EXPECT_EQ(q.quantization.zero_points.elements(), 0);
    EXPECT_EQ(count_saturated(ctx, floats({-2, -1, 0, 1, 2}), q.quantization).saturated, 0);
  });
}

TEST(DynamicQuantize, ARangeThatIsAllPositiveKeepsItsZeroPointInside) {
  // TinyTorch clips the zero point of [5, 10], and every value with it.
  Context ctx;
  const Tensor x = floats({5, 7.5f, 10});
  with_every_kernel<DynamicQuantize>(ctx, [&](const CallOptions& call) {
    const QuantizedTensor q = dynamic_quantize(ctx, x, {DType::s8, Scheme::asymmetric, -1, call});
    EXPECT_EQ(q.quantization.scales.data<float>()[0], 10.0f / 255);
    EXPECT_EQ(q.quantization.zero_points.data<std::int32_t>()[0], -128);
    // 5 / (10 / 255) is just below 127.5 in f32.
    EXPECT_EQ(bytes(q.values), (std::vector<int>{-1, 63, 127}));
  });
}

TEST(DynamicQuantize, AConstantTensorComesBack) {
  // TinyTorch divides by a range of 0, or gives zeros.
  Context ctx;
  for (const float constant : {3.25f, -3.25f, 1e-30f, 0.0f})
    for (const DType dtype : {DType::s8, DType::u8})
      for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric}) {
        const QuantizedTensor q = dynamic_quantize(ctx, Tensor::full(Shape{40}, constant), {dtype, scheme, -1, {}});
        const Tensor back = dequantize(ctx, q.values, q.quantization);
        for (const float value : values<float>(back))
          ASSERT_NEAR(value, constant, std::abs(constant) * 0x1p-23f) << constant << " " << name(dtype);
      }
}

TEST(DynamicQuantize, NoChannelsHaveNoZeroPoints) {
  Context ctx;
  for (const auto& [shape, axis] : {std::pair{Shape{0, 5}, 0}, std::pair{Shape{5, 0}, 1}})
    for (const DType dtype : {DType::s8, DType::u8})
      for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric}) {
        const Tensor x = Tensor::zeros(shape);
        const QuantizedTensor q = dynamic_quantize(ctx, x, {dtype, scheme, axis, {}});
        EXPECT_EQ(dequantize(ctx, q.values, q.quantization).shape(), shape);
        EXPECT_EQ(quantize(ctx, x, q.quantization).shape(), shape);
        EXPECT_EQ(quantized_relu(ctx, q.values, q.quantization).shape(), shape);
      }
}

TEST(DynamicQuantize, NanIsLeftOutAndInfinitiesCountAsTheLargestFloat) {
  Context ctx;
  const float largest = std::numeric_limits<float>::max();
  const Tensor x = Tensor::from(Shape{3, 2}, {kNan, 2, kInf, 1, kNan, kNan});
  with_every_kernel<DynamicQuantize>(ctx, [&](const CallOptions& call) {
    const QuantizedTensor q = dynamic_quantize(ctx, x, {DType::s8, Scheme::symmetric, 0, call});
    EXPECT_EQ(values<float>(q.quantization.scales), (std::vector<float>{2.0f / 127, largest / 127, 1}));
    EXPECT_EQ(bytes(q.values), (std::vector<int>{0, 127, 127, 0, 0, 0}));
    const QuantizedTensor a =
        dynamic_quantize(ctx, floats({-largest, 0, largest}), {DType::u8, Scheme::asymmetric, -1, call});
    EXPECT_EQ(bytes(a.values), (std::vector<int>{0, 128, 255}));
  });
}

TEST(DynamicQuantize, EmptyTensorsAndNoChannels) {
  Context ctx;
  const QuantizedTensor none = dynamic_quantize(ctx, Tensor::empty(Shape{0, 4}), {DType::s8, Scheme::symmetric, 0, {}});
  EXPECT_EQ(none.quantization.scales.elements(), 0);
  const QuantizedTensor empty =
      dynamic_quantize(ctx, Tensor::empty(Shape{2, 0}), {DType::u8, Scheme::asymmetric, 0, {}});
  EXPECT_EQ(values<float>(empty.quantization.scales), (std::vector<float>{1, 1}));
  EXPECT_EQ(values<std::int32_t>(empty.quantization.zero_points), (std::vector<std::int32_t>{0, 0}));
}

TEST(Calibrate, MinMax) {
  Context ctx;
  const Tensor x = Tensor::from(Shape{2, 2}, {-1, 2, 3, 4});
  const Quantization symmetric = calibrate_min_max(ctx, x, {DType::s8, Scheme::symmetric, 0, {}});
  EXPECT_EQ(values<float>(symmetric.scales), (std::vector<float>{2.0f / 127, 4.0f / 127}));
  EXPECT_TRUE(symmetric.narrow);
  const Quantization asymmetric = calibrate_min_max(ctx, x, {DType::u8, Scheme::asymmetric, 1, {}});
  EXPECT_EQ(values<float>(asymmetric.scales), (std::vector<float>{4.0f / 255, 4.0f / 255}));
  EXPECT_EQ(values<std::int32_t>(asymmetric.zero_points), (std::vector<std::int32_t>{64, 0}));
  const Quantization shifted = calibrate_min_max(ctx, x, {DType::u8, Scheme::symmetric, -1, {}});
  EXPECT_EQ(values<std::int32_t>(shifted.zero_points), std::vector<std::int32_t>{128});
  EXPECT_EQ(bytes(quantize(ctx, x, shifted)), (std::vector<int>{96, 192, 223, 255}));
}

TEST(Calibrate, Percentile) {
  Context ctx;
  const Tensor x = floats({7, 3, 10, 1, 5, 9, 2, 8, 4, 6});
  // numpy.percentile(range(1, 11), 95) is 9.55.
  const Quantization q = calibrate_percentile(ctx, x, 95, {DType::s8, Scheme::symmetric, -1, {}});
  EXPECT_EQ(q.scales.data<float>()[0], 9.55f / 127);
  const Quantization all = calibrate_percentile(ctx, x, 100, {DType::s8, Scheme::symmetric, -1, {}});
  EXPECT_EQ(all.scales.data<float>()[0], 10.0f / 127);
  const Tensor y = floats({-10, -1, 0, 1, 2});
  // 80 % of the way from -10 (0 %) to -1 (25 %) is -2.8; from 1 (75 %) to 2 (100 %) it is 1.2.
  const Quantization two = calibrate_percentile(ctx, y, 80, {DType::u8, Scheme::asymmetric, -1, {}});
  EXPECT_NEAR(two.scales.data<float>()[0], 4.0f / 255, 1e-7);
  EXPECT_EQ(two.zero_points.data<std::int32_t>()[0], 178);
  EXPECT_NE(refusal([&] { calibrate_percentile(ctx, x, 50); }).find("not above 50"), std::string::npos);
  EXPECT_NE(refusal([&] { calibrate_min_max(ctx, floats({1, kNan})); }).find("nan"), std::string::npos);
  EXPECT_NE(refusal([&] { calibrate_percentile(ctx, floats({kInf, 1}), 99); }).find("inf"), std::string::npos);
}

TEST(Calibrate, AChannelHasTheScaleOfItsElementsAlone) {
  Context ctx;
  Tensor x = Tensor::empty({3, 50, 4});
  fill_uniform({x.data<float>(), static_cast<std::size_t>(x.elements())}, 3, -2, 5);
  for (const int axis : {0, 1, 2})
    for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric})
      for (const bool percentile : {false, true}) {
        const auto calibrate = [&](const ConstView& view, int along) {
          const QuantizeOptions options{DType::u8, scheme, along, {}};
          return percentile ? calibrate_percentile(ctx, view, 90, options) : calibrate_min_max(ctx, view, options);
        };
        const Quantization all = calibrate(x, axis);
        ASSERT_EQ(all.scales.elements(), x.shape()[axis]);
        for (std::int64_t c = 0; c < x.shape()[axis]; ++c) {
          const Quantization one = calibrate(x.view().slice(axis, c, c + 1), -1);
          EXPECT_EQ(all.scales.data<float>()[c], one.scales.data<float>()[0]) << axis << " " << c;
          EXPECT_EQ(all.zero_points.data<std::int32_t>()[c], one.zero_points.data<std::int32_t>()[0]);
        }
      }
}

TEST(Calibrate, MoreChannelsThanThereIsMemoryForIsAnError) {
  Context ctx;
  const float one = 1;
  const std::int64_t many = std::int64_t{1} << 59;
  const QuantizeOptions options{DType::s8, Scheme::symmetric, 0, {}};
  for (const ConstView& x :
       {ConstView(&one, DType::f32, {many}, Strides{0}), ConstView(&one, DType::f32, {many, 0}, Strides{0, 1})}) {
    EXPECT_NE(refusal([&] { calibrate_min_max(ctx, x, options); }, Code::out_of_memory).find("no room"),
              std::string::npos);
    EXPECT_NE(refusal([&] { calibrate_percentile(ctx, x, 99, options); }, Code::out_of_memory).find("no room"),
              std::string::npos);
  }
}

TEST(CountSaturated, CountsWhatWasClampedAndNan) {
  Context ctx;
  const Tensor x = floats({1, 127.4f, 127.6f, -128.5f, -129, kInf, -kInf, kNan, 0});
  const Saturation count = count_saturated(ctx, x, one_scale(1));
  EXPECT_EQ(count.saturated, 4);
  EXPECT_EQ(count.nan, 1);
  EXPECT_EQ(count_saturated(ctx, x, one_scale(10)).saturated, 2);
}

TEST(Requantize, RoundsTheProductAndShifts) {
  Context ctx;
  const Tensor acc = ints({1, 3, 5, -1, -3, 1000, -1000, 16777217, std::numeric_limits<std::int32_t>::min()});
  with_every_kernel<Requantize>(ctx, [&](const CallOptions& call) {
    EXPECT_EQ(bytes(requantize(ctx, acc, floats({0.5f}), 0, DType::s8, call)),
              (std::vector<int>{0, 2, 2, 0, -2, 127, -128, 127, -128}));
    EXPECT_EQ(bytes(requantize(ctx, acc, floats({0.5f}), 100, DType::u8, call)),
              (std::vector<int>{100, 102, 102, 100, 98, 255, 0, 255, 0}));
    // float(16777217) is 16777216.
    EXPECT_EQ(bytes(requantize(ctx, ints({16777217}), floats({0x1.8p-23f}), 0, DType::s8, call)), std::vector<int>{3});
  });
}

TEST(QuantizedRelu, IsTheReluOfWhatTheIntegersMean) {
  Context ctx;
  const Tensor x = floats({-2, -1, 0, 1, 2});
  for (const DType dtype : {DType::s8, DType::u8})
    for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric}) {
      const QuantizedTensor q = dynamic_quantize(ctx, x, {dtype, scheme, -1, {}});
      with_every_kernel<QuantizedRelu>(ctx, [&](const CallOptions& call) {
        const Tensor y = quantized_relu(ctx, q.values, q.quantization, call);
        const Tensor back = dequantize(ctx, y, q.quantization);
        EXPECT_EQ(bytes(y), bytes(quantize(ctx, relu(ctx, dequantize(ctx, q.values, q.quantization)), q.quantization)));
        for (int i = 0; i < 5; ++i) EXPECT_NEAR(back.data<float>()[i], std::max(0, i - 2), 0.02);
      });
    }
  QuantizedTensor in_place = dynamic_quantize(ctx, x);
  quantized_relu_into(ctx, in_place.values, in_place.quantization, in_place.values.view());
  EXPECT_EQ(bytes(in_place.values), (std::vector<int>{0, 0, 0, 64, 127}));
}

TEST(Quantize, RefusesWhatCannotBeMeant) {
  Context ctx;
  const Tensor x = floats({1, 2, 3});
  const auto says = [&](const Quantization& q, const std::string& part) {
    const std::string text = refusal([&] { quantize(ctx, x, q); });
    EXPECT_NE(text.find(part), std::string::npos) << text;
  };
  says(one_scale(0), "finite and > 0");
  says(one_scale(-1), "finite and > 0");
  says(one_scale(kNan), "finite and > 0");
  says(one_scale(kInf), "finite and > 0");
  says(one_scale(1, 128), "zero point 0 is 128, outside [-128, 127]");
  says(one_scale(1, 256, DType::u8), "outside [0, 255]");
  says(one_scale(1, 0, DType::s32), "only s8 and u8");
  Quantization q = one_scale(1);
  q.axis = 1;
  says(q, "axis 1 is neither -1");
  q.axis = 0;
  q.scales = floats({1, 2});
  says(q, "shape 2, but one or 3 are needed");
  q = one_scale(1, -128);
  q.narrow = true;
  says(q, "outside [-127, 127]");
  Tensor out = Tensor::empty(Shape{4}, DType::s8);
  EXPECT_NE(refusal([&] { quantize_into(ctx, x, one_scale(1), out.view()); }).find("is 4, but the input is 3"),
            std::string::npos);
  EXPECT_NE(refusal([&] { dequantize(ctx, x, one_scale(1)); }).find("only s8"), std::string::npos);
  EXPECT_NE(refusal([&] { requantize(ctx, ints({1}), floats({1}), 300, DType::u8); }).find("outside"),
            std::string::npos);
}

TEST(Quantize, ProblemStrings) {
  Context ctx;
  EXPECT_EQ(explain(ctx, "quantize s8:1000000").op, "quantize");
  EXPECT_EQ(explain(ctx, "quantize u8:10x20,per_channel,zp").problem, "u8:200,20 scales by elements,zp");
  EXPECT_EQ(explain(ctx, "dequantize s8:10x20,per_token").problem, "s8:200,10 scales by runs");
  EXPECT_EQ(explain(ctx, "dynamic_quantize s8:10x20,per_token,asymmetric").problem, "s8:10x20,asymmetric");
  EXPECT_EQ(explain(ctx, "requantize u8:10x20,per_channel,zp=3").problem, "u8:200,20 multipliers");
  EXPECT_EQ(explain(ctx, "quantized_relu s8:10x20,per_token").problem, "s8:200,zp");
  EXPECT_NE(refusal([&] { explain(ctx, "quantize f32:10"); }).find("only s8 and u8"), std::string::npos);
  EXPECT_NE(refusal([&] { explain(ctx, "quantize s8:10,axis=1"); }).find("axis 1"), std::string::npos);
  EXPECT_NE(refusal([&] { explain(ctx, "quantize s8:10,nothing"); }).find("unknown option"), std::string::npos);
}

}  // namespace
}  // namespace tandem::test::quantize_test
