// Shapes, strides and views: arithmetic that never wraps, and the sentences for what cannot be meant.
#include <limits>
#include <string>

#include <gtest/gtest.h>
#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/ops.h>
#include <tandem/tensor.h>

namespace tandem::view_test {
namespace {

constexpr std::int64_t kHuge = std::numeric_limits<std::int64_t>::max();

// A view of memory that is not there: only its arithmetic is used.
ConstView imagined(const Shape& shape, const Strides& strides, DType dtype = DType::f32) {
  static float somewhere;
  return ConstView(&somewhere, dtype, shape, strides);
}
ConstView imagined(const Shape& shape) { return imagined(shape, row_major(shape)); }

template <class Call>
std::string sentence(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument) << error.what();
    return error.what();
  }
  return "accepted";
}

TEST(Dims, HoldsUpToEight) {
  EXPECT_EQ(to_string(Dims{}), "scalar");
  EXPECT_EQ(to_string(Dims{2, 3, 4}), "2x3x4");
  EXPECT_EQ((Dims{1, 2, 3, 4, 5, 6, 7, 8}).rank(), 8);
  EXPECT_EQ(sentence([] { Dims{1, 2, 3, 4, 5, 6, 7, 8, 9}; }), "a tensor has at most 8 dimensions");
  EXPECT_TRUE((Dims{1, 2} == Dims{1, 2}));
  EXPECT_FALSE((Dims{1, 2} == Dims{1, 2, 1}));
}

TEST(ElementCount, RefusesWhatDoesNotFit) {
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({3, 0, 5}), 0);
  EXPECT_EQ(element_count({kHuge, 0, kHuge}), 0);  // nothing, whatever its other sizes
  EXPECT_EQ(element_count({std::int64_t{1} << 31, 4}), std::int64_t{1} << 33);
  for (const Shape& shape : {Shape{kHuge, 2}, Shape{std::int64_t{1} << 32, std::int64_t{1} << 32}, Shape{kHuge}}) {
    const std::string text = sentence([&] { element_count(shape); });
    EXPECT_EQ(text, "shape " + to_string(shape) + " holds more elements than memory can address");
  }
  EXPECT_EQ(sentence([] { element_count({2, -3}); }), "negative size in shape 2x-3");
  EXPECT_EQ(sentence([] { element_count({0, -3}); }), "negative size in shape 0x-3");
}

TEST(View, CountsBeyondThirtyTwoBits) {
  const std::int64_t rows = 70000, cols = 70000;  // 4.9e9 elements
  const ConstView v = imagined({rows, cols});
  EXPECT_EQ(v.elements(), rows * cols);
  EXPECT_EQ(v.extent(), rows * cols);
  EXPECT_TRUE(v.is_contiguous());
  const ConstView last = v.slice(0, rows - 1, rows);
  EXPECT_EQ(static_cast<const float*>(last.data()) - static_cast<const float*>(v.data()), (rows - 1) * cols);
  const ConstView corner = v.transposed().slice(0, cols - 1, cols).slice(1, rows - 1, rows);
  EXPECT_EQ(static_cast<const float*>(corner.data()) - static_cast<const float*>(v.data()), rows * cols - 1);
  EXPECT_EQ(corner.elements(), 1);
  const ConstView flat = v.reshaped({rows * cols});
  EXPECT_EQ(flat.size(0), rows * cols);
}

TEST(View, RefusesStridesThatReachTooFar) {
  const std::string text = sentence([] { imagined({3, 4}, {kHuge / 2, 1}); });
  EXPECT_NE(text.find("reach beyond what memory can address"), std::string::npos) << text;
  EXPECT_NE(text.find("3x4"), std::string::npos) << text;
  EXPECT_NE(sentence([] { imagined({2, 2}, {kHuge, kHuge}); }).find("reach beyond"), std::string::npos);
  EXPECT_EQ(imagined({1, 4}, {kHuge, 1}).extent(), 4);  // a stride that nobody takes
  EXPECT_EQ(sentence([] { imagined({3, 4}, {-4, 1}); }), "negative stride -4 in dimension 0");
  EXPECT_EQ(sentence([] { imagined({3, 4}, {1}); }), "a view of shape 3x4 needs 2 strides, not 1");
  EXPECT_EQ(sentence([] { ConstView(nullptr, DType::f32, Shape{3}); }),
            "a view of shape 3 has no memory (null pointer)");
  EXPECT_EQ(ConstView(nullptr, DType::f32, Shape{3, 0}).elements(), 0);
}

TEST(View, KnowsItsLayout) {
  EXPECT_TRUE(imagined({3, 4}).is_contiguous());
  EXPECT_FALSE(imagined({3, 4}, {1, 3}).is_contiguous());
  EXPECT_TRUE(imagined({3, 4}, {1, 3}).is_dense());
  EXPECT_FALSE(imagined({3, 4}, {5, 1}).is_dense());
  EXPECT_FALSE(imagined({3, 4}, {0, 1}).is_dense());
  EXPECT_TRUE(imagined({1, 4}, {77, 1}).is_contiguous());
  EXPECT_TRUE(imagined({}, {}).is_contiguous());
  EXPECT_TRUE(imagined({0, 4}, {9, 9}).is_dense());
  EXPECT_EQ(imagined({3, 4}, {5, 1}).extent(), 14);
  EXPECT_EQ(imagined({3, 4}, {0, 0}).extent(), 1);
  EXPECT_EQ(imagined({0, 4}).extent(), 0);
}

TEST(View, SlicesAndTransposes) {
  float data[24];
  for (int i = 0; i < 24; ++i) data[i] = static_cast<float>(i);
  const View v(data, {4, 6});
  const View s = v.slice(0, 1, 4, 2).slice(1, 2, 6, 3);  // rows 1, 3; columns 2, 5
  EXPECT_EQ(to_string(s.shape()), "2x2");
  EXPECT_EQ(to_string(s.strides()), "12x3");
  EXPECT_EQ(*s.as<float>(), 8.0f);
  EXPECT_EQ(v.transposed().strides()[0], 1);
  EXPECT_EQ(v.slice(1, 6, 6).elements(), 0);
  EXPECT_EQ(v.slice(0, 0, 4, 100).size(0), 1);
  const std::int64_t far = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(v.slice(0, 1, 4, far).size(0), 1);
  EXPECT_EQ(v.slice(0, 1, 4, far).as<float>(), data + 6);
  EXPECT_EQ(v.slice(0, 1, 4, 3).size(0), 1);
  EXPECT_EQ(v.slice(0, 0, 4, 3).size(0), 2);
  const std::int64_t huge = std::int64_t{1} << 40;
  EXPECT_EQ(imagined({huge, 0}, {huge, 1}).slice(0, 0, huge, huge / 2).size(0), 2);
  for (const auto& [dim, begin, end, step] :
       {std::tuple{2, 0, 1, 1}, {-1, 0, 1, 1}, {0, -1, 1, 1}, {0, 3, 2, 1}, {0, 0, 5, 1}, {0, 0, 1, 0}})
    EXPECT_NE(
        sentence([&, d = dim, b = begin, e = end, st = step] { v.slice(d, b, e, st); }).find("does not fit shape 4x6"),
        std::string::npos);
  EXPECT_EQ(sentence([&] { View(data, {4}).transposed(); }), "transposed() needs two dimensions, not shape 4");
}

TEST(View, ReshapesOnlyWhatIsContiguous) {
  EXPECT_EQ(to_string(imagined({4, 6}).reshaped({2, 12}).strides()), "12x1");
  EXPECT_NE(sentence([] { imagined({4, 6}, {1, 4}).reshaped({24}); }).find("not contiguous"), std::string::npos);
  EXPECT_NE(sentence([] { imagined({4, 6}).reshaped({5, 5}); }).find("24 elements are not 25"), std::string::npos);
}

TEST(View, ChecksTypeAndDeviceOfAnAccess) {
  float data[4] = {};
  const View v(data, {4});
  EXPECT_EQ(v.as<float>(), data);
  EXPECT_EQ(sentence([&] { v.as<std::int32_t>(); }), "a view of f32 was accessed as s32");
  const ConstView there(data, DType::f32, Shape{4}, Device::cuda(0));
  EXPECT_EQ(sentence([&] { there.as<float>(); }),
            "memory on cuda:0 was accessed from the host; copy it with to(ctx, Device::cpu())");
}

TEST(Tensor, MakesAndCopiesHostMemory) {
  const Tensor t = Tensor::from({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(t.data<float>()[3], 4.0f);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.data<float>()) % 64, 0u);
  EXPECT_NE(sentence([] { Tensor::from({2, 2}, {1, 2, 3}); }), "accepted");
  const Tensor z = Tensor::zeros({3}, DType::s8);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(z.data<std::int8_t>()[i], 0);
  EXPECT_EQ(Tensor::full({5}, 2.5f).data<float>()[4], 2.5f);
  EXPECT_EQ(Tensor::empty({0, 3}).elements(), 0);
  const Tensor c = Tensor::empty({3, 4}, column_major({3, 4}), DType::f32);
  EXPECT_EQ(c.strides()[0], 1);
  EXPECT_NE(sentence([] { Tensor::empty({3, 4}, {5, 1}, DType::f32); }), "accepted");  // not dense
  EXPECT_NE(sentence([] { Tensor::empty({kHuge / 2, 3}); }), "accepted");
}

TEST(Tensor, IsEmptyAfterItWasMovedFrom) {
  Tensor from = Tensor::full({4}, 2);
  const float* data = from.data<float>();
  Tensor to = std::move(from);
  EXPECT_EQ(to.data<float>(), data);
  EXPECT_EQ(ConstView(from).data(), nullptr);  // NOLINT: what this is about
  from = std::move(to);
  EXPECT_EQ(from.data<float>(), data);
  EXPECT_EQ(ConstView(to).data(), nullptr);  // NOLINT
  Context ctx;
  EXPECT_THROW(relu(ctx, to), Error);  // NOLINT
}

TEST(Tensor, SaysWhenMemoryRunsOut) {
  try {
    Tensor::empty({std::int64_t{1} << 58});
    FAIL() << "2^60 bytes were given";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::out_of_memory);
    EXPECT_NE(std::string(error.what()).find("1152921504606846976"), std::string::npos) << error.what();
  }
}

TEST(Names, ParseWhatTheyPrint) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::s8, DType::u8, DType::s32})
    EXPECT_EQ(parse_dtype(name(dtype)), dtype);
  EXPECT_NE(sentence([] { parse_dtype("f64"); }).find("f32, bf16, f16, s8, u8, s32"), std::string::npos);
  EXPECT_EQ(parse_device("cpu"), Device::cpu());
  EXPECT_EQ(parse_device("cuda"), Device::cuda(0));
  EXPECT_EQ(parse_device("cuda:3"), Device::cuda(3));
  EXPECT_EQ(to_string(Device::cuda(3)), "cuda:3");
  EXPECT_EQ(to_string(Device::cpu()), "cpu");
  for (const char* bad : {"", "gpu", "cuda:", "cuda:-1", "cuda:x", "cuda:1x", "cpu:1", "cuda:99999999999"})
    EXPECT_NE(sentence([&] { parse_device(bad); }), "accepted") << bad;
}

}  // namespace
}  // namespace tandem::view_test
