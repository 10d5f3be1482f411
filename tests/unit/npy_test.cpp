// Reading and writing .npy: files that NumPy wrote, round trips, and what NumPy would find in our files.
#include <tandem/npy.h>

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "common/io/npy_header.h"
#include "tests/support/failing_allocations.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/temporary_folder.h"

namespace tandem::npy_test {
namespace {

using test::GuardedTensor;
using test::read_bytes;
using test::TemporaryFolder;

std::string data_file(const std::string& name) { return std::string(TANDEM_TEST_DATA_DIR) + "/npy/" + name + ".npy"; }

// The elements' bytes in C order, whatever the strides.
std::string elements_of(const ConstView& view) {
  const std::size_t width = size_of(view.dtype());
  std::string out;
  for (std::int64_t element = 0; element < view.elements(); ++element) {
    std::int64_t rest = element, place = 0;
    for (int d = view.rank() - 1; d >= 0; --d) {
      place += rest % view.size(d) * view.strides()[d];
      rest /= view.size(d);
    }
    out.append(static_cast<const char*>(view.data()) + static_cast<std::size_t>(place) * width, width);
  }
  return out;
}

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

template <class T>
std::string sequence(std::int64_t count, double first, double step) {
  std::vector<T> values;
  for (std::int64_t i = 0; i < count; ++i) values.push_back(static_cast<T>(first + step * static_cast<double>(i)));
  return bytes_of(values);
}

TEST(NpyLoad, ReadsWhatNumpyWrote) {
  const struct {
    const char* file;
    DType dtype;
    Shape shape;
    std::string elements;
  } cases[] = {
      {"f32_3x4", DType::f32, {3, 4}, sequence<float>(12, -1.0, 0.5)},
      {"f32_3x4_fortran", DType::f32, {3, 4}, sequence<float>(12, -1.0, 0.5)},
      {"f32_2x3x4_fortran", DType::f32, {2, 3, 4}, sequence<float>(24, 1.0, 0.25)},
      {"f32_scalar", DType::f32, {}, sequence<float>(1, 2.5, 0)},
      {"f32_0x3", DType::f32, {0, 3}, ""},
      {"f32_rank8", DType::f32, {1, 2, 1, 2, 1, 2, 1, 2}, sequence<float>(16, 0, 1)},
      {"f16_5", DType::f16, {5}, bytes_of<std::uint16_t>({0xbc00, 0xb800, 0x0000, 0x3800, 0x3c00})},
      {"s8_2x3", DType::s8, {2, 3}, sequence<std::int8_t>(6, -128, 51)},
      {"u8_6", DType::u8, {6}, sequence<std::uint8_t>(6, 0, 51)},
      {"s32_2x2x2", DType::s32, {2, 2, 2}, sequence<std::int32_t>(8, -0x1p31, 0x1p29)},
      {"f32_7_version2", DType::f32, {7}, sequence<float>(7, 0, 1)},
      {"f32_7_version3", DType::f32, {7}, sequence<float>(7, 0, 1)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.file);
    const Tensor tensor = load_npy(data_file(c.file));
    EXPECT_EQ(tensor.dtype(), c.dtype);
    EXPECT_EQ(tensor.shape(), c.shape);
    EXPECT_TRUE(tensor.device().is_cpu());
    EXPECT_EQ(elements_of(tensor), c.elements);
  }
}

TEST(NpyLoad, FortranOrderBecomesColumnMajorStrides) {
  const Tensor tensor = load_npy(data_file("f32_2x3x4_fortran"));
  EXPECT_EQ(tensor.strides(), (Strides{1, 2, 6}));
  EXPECT_EQ(load_npy(data_file("f32_3x4")).strides(), (Strides{4, 1}));
}

TEST(NpySave, WritesTheBytesThatNumpyWrites) {
  const TemporaryFolder folder;
  const std::string path = folder.file("copy.npy");
  for (const char* name : {"f32_3x4", "f32_3x4_fortran", "f32_2x3x4_fortran", "f32_scalar", "f32_0x3", "f32_rank8",
                           "f16_5", "s8_2x3", "u8_6", "s32_2x2x2"}) {
    SCOPED_TRACE(name);
    save_npy(path, load_npy(data_file(name)));
    EXPECT_EQ(read_bytes(path), read_bytes(data_file(name)));
  }
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(NpySave, RoundTripsEveryDtypeRankAndOrder) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const Shape shapes[] = {{},
                          {0},
                          {1},
                          {65},
                          {2, 3},
                          {0, 3},
                          {3, 0},
                          {1, 5},
                          {5, 1},
                          {2, 3, 4},
                          {2, 0, 4},
                          {2, 3, 2, 3},
                          {2, 1, 3, 1, 2},
                          {2, 2, 2, 2, 2, 2},
                          {1, 2, 1, 2, 3, 1, 2},
                          {2, 1, 2, 1, 2, 1, 2, 3}};
  for (const DType dtype : {DType::f32, DType::f16, DType::s8, DType::u8, DType::s32}) {
    for (const Shape& shape : shapes) {
      for (const Strides& strides : {row_major(shape), column_major(shape), test::padded_strides(shape, 3)}) {
        SCOPED_TRACE(std::string(name(dtype)) + " " + to_string(shape) + " strides " + to_string(strides));
        GuardedTensor source(dtype, shape, strides);
        unsigned char value = 1;
        for (auto& byte : source.memory<unsigned char>()) byte = value = static_cast<unsigned char>(value * 5 + 3);
        source.buffer().make_read_only();
        save_npy(path, source.view());
        const Tensor back = load_npy(path);
        EXPECT_EQ(back.dtype(), dtype);
        EXPECT_EQ(back.shape(), shape);
        EXPECT_EQ(elements_of(back), elements_of(source.view()));
      }
    }
  }
}

TEST(NpySave, ChoosesTheOrderByTheStrides) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const auto fortran_order = [&](const ConstView& view) {
    save_npy(path, view);
    return io::parse_npy_header(read_bytes(path), path).fortran_order;
  };
  std::vector<float> values(64);
  const auto view = [&](const Shape& shape, const Strides& strides) {
    return ConstView(values.data(), DType::f32, shape, strides);
  };
  EXPECT_FALSE(fortran_order(view({4, 3}, {3, 1})));
  EXPECT_TRUE(fortran_order(view({4, 3}, {1, 4})));
  EXPECT_TRUE(fortran_order(view({4, 3}, {3, 1}).transposed()));
  EXPECT_FALSE(fortran_order(view({4, 3}, {1, 5}))) << "gaps between the columns";
  EXPECT_FALSE(fortran_order(view({4, 1}, {1, 4}))) << "both orders at once";
  EXPECT_FALSE(fortran_order(view({7}, {2})));
  EXPECT_TRUE(fortran_order(view({2, 3, 4}, {1, 2, 6})));
  EXPECT_FALSE(fortran_order(view({2, 3, 4}, {3, 1, 6}))) << "dense, but in neither order";
}

TEST(NpySave, WritesRepeatedElements) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const float row[] = {1, 2, 3};
  save_npy(path, ConstView(row, DType::f32, {2, 3}, {0, 1}));
  EXPECT_EQ(elements_of(load_npy(path)), bytes_of<float>({1, 2, 3, 1, 2, 3}));
}

TEST(NpySave, WritesStridedViewsLargerThanItsBlock) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const std::int64_t rows = 517, columns = 1031;  // 2 MB, and no multiple of any block
  std::vector<std::int32_t> values(static_cast<std::size_t>(rows * (columns + 1)));
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<std::int32_t>(i);
  const ConstView view(values.data(), DType::s32, {rows, columns}, {columns + 1, 1});
  save_npy(path, view);
  EXPECT_EQ(elements_of(load_npy(path)), elements_of(view));
}

TEST(NpySave, OutOfMemoryAnywhereLeavesTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  test::write_bytes(path, "old");
  const float values[] = {1, 2, 3, 4, 5, 6};
  const ConstView view(values, DType::f32, {2, 2}, {3, 1});  // goes through the block of memory
  const long failures = test::fail_every_allocation([&] { save_npy(path, view); },
                                                    [&] {
                                                      EXPECT_EQ(read_bytes(path), "old");
                                                      EXPECT_EQ(folder.entries(), 1u);
                                                    });
  EXPECT_GT(failures, 3);
  EXPECT_EQ(elements_of(load_npy(path)), bytes_of<float>({1, 2, 4, 5}));
}

TEST(NpyLoad, OutOfMemoryAnywhereIsAnError) {
  std::int64_t elements = 0;
  const long failures = test::fail_every_allocation(
      [&] { elements = load_npy(data_file("f32_2x3x4_fortran")).elements(); }, [&] { EXPECT_EQ(elements, 0); });
  EXPECT_GT(failures, 2);
  EXPECT_EQ(elements, 24);
}

TEST(NpySave, AlignsTheDataTo64Bytes) {
  for (std::int64_t size = 1; size < std::int64_t{1} << 60; size *= 3) {
    for (const Shape& shape : {Shape{size}, Shape{1, size}, Shape{1, 1, 1, 1, 1, 1, 1, size}}) {
      const std::string header = io::print_npy_header({DType::u8, shape, false, 0}, "a.npy");
      EXPECT_EQ(header.size() % 64, 0u);
      EXPECT_EQ(header.back(), '\n');
      const io::NpyHeader parsed = io::parse_npy_header(header, "a.npy");
      EXPECT_EQ(parsed.shape, shape);
      EXPECT_EQ(parsed.data_offset, header.size());
    }
  }
}

}  // namespace
}  // namespace tandem::npy_test
