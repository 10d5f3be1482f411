// Reading and writing safetensors: files that the Python package wrote, its bytes, round trips.
#include <tandem/safetensors.h>

#include <cstdint>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "common/io/safetensors_header.h"
#include "tests/support/failing_allocations.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace tandem::safetensors_test {
namespace {

using test::read_bytes;
using test::safetensors_bytes;
using test::TemporaryFolder;
using test::write_bytes;

std::string data_file(const std::string& name) {
  return std::string(TANDEM_TEST_DATA_DIR) + "/safetensors/" + name + ".safetensors";
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

// The elements' bytes of a contiguous view.
std::string elements_of(const ConstView& view) {
  EXPECT_TRUE(view.is_contiguous());
  return {static_cast<const char*>(view.data()), static_cast<std::size_t>(view.elements()) * size_of(view.dtype())};
}

std::map<std::string, ConstView> views_of(const SafetensorsFile& file) {
  return {file.tensors.begin(), file.tensors.end()};
}

TEST(SafetensorsLoad, ReadsWhatThePackageWrote) {
  const struct {
    const char *file, *name;
    DType dtype;
    Shape shape;
    std::string elements;
  } cases[] = {
      {"dtypes", "a.f32", DType::f32, {3, 4}, sequence<float>(12, -1.0, 0.5)},
      {"dtypes", "b.bf16", DType::bf16, {2, 3}, bytes_of<std::uint16_t>({0xbf80, 0xbf00, 0, 0x3f00, 0x3f80, 0x3fc0})},
      {"dtypes", "c.f16", DType::f16, {5}, bytes_of<std::uint16_t>({0xbc00, 0xb800, 0x0000, 0x3800, 0x3c00})},
      {"dtypes", "d.s8", DType::s8, {2, 3}, sequence<std::int8_t>(6, -128, 51)},
      {"dtypes", "e.u8", DType::u8, {6}, sequence<std::uint8_t>(6, 0, 51)},
      {"dtypes", "f.s32", DType::s32, {2, 2, 2}, sequence<std::int32_t>(8, -0x1p31, 0x1p29)},
      {"shapes", "scalar", DType::f32, {}, sequence<float>(1, 2.5, 0)},
      {"shapes", "empty", DType::f32, {0, 3}, ""},
      {"shapes", "rank8", DType::f32, {1, 2, 1, 2, 1, 2, 1, 2}, sequence<float>(16, 0, 1)},
      {"shapes", "bytes", DType::u8, {3}, sequence<std::uint8_t>(3, 7, 1)},
      {"names", "quote \" and \\ \x01\n\x7f", DType::f32, {1}, sequence<float>(1, 1, 0)},
      {"names", "\u00e9\u20ac\U0001f600", DType::f32, {1}, sequence<float>(1, 2, 0)},
      {"names", "", DType::f32, {1}, sequence<float>(1, 3, 0)},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(std::string(c.file) + ": " + c.name);
    const SafetensorsFile file = load_safetensors(data_file(c.file));
    const Tensor& tensor = file.tensors.at(c.name);
    EXPECT_EQ(tensor.dtype(), c.dtype);
    EXPECT_EQ(tensor.shape(), c.shape);
    EXPECT_TRUE(tensor.device().is_cpu());
    EXPECT_EQ(elements_of(tensor), c.elements);
  }
  EXPECT_EQ(load_safetensors(data_file("dtypes")).tensors.size(), 6u);
}

TEST(SafetensorsLoad, ReadsTheMetadata) {
  using Text = std::map<std::string, std::string>;
  EXPECT_EQ(load_safetensors(data_file("dtypes")).metadata, (Text{{"format", "pt"}}));
  EXPECT_EQ(load_safetensors(data_file("names")).metadata, (Text{{"note \u20ac", "line\nline"}}));
  EXPECT_EQ(load_safetensors(data_file("shapes")).metadata, Text{});
  EXPECT_TRUE(load_safetensors(data_file("nothing")).tensors.empty());
}

TEST(SafetensorsSave, WritesTheBytesThatThePackageWrites) {
  const TemporaryFolder folder;
  const std::string path = folder.file("copy.safetensors");
  for (const char* name : {"dtypes", "shapes", "names", "nothing"}) {
    SCOPED_TRACE(name);
    const SafetensorsFile file = load_safetensors(data_file(name));
    save_safetensors(path, views_of(file), file.metadata);
    EXPECT_EQ(read_bytes(path), read_bytes(data_file(name)));
  }
  EXPECT_EQ(folder.entries(), 1u);
}

TEST(SafetensorsSave, WritesViewsOfAnyStridesInRowMajorOrder) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.safetensors");
  const float matrix[] = {1, 2, 3, 4, 5, 6};
  const std::int8_t bytes[] = {1, 2, 3, 4, 5};
  save_safetensors(path, {{"plain", ConstView(matrix, {2, 3})},
                          {"transposed", ConstView(matrix, {2, 3}).transposed()},
                          {"repeated", ConstView(matrix, DType::f32, {2, 3}, {0, 1})},
                          {"every second", ConstView(bytes, DType::s8, {3}, {2})}});
  const SafetensorsFile file = load_safetensors(path);
  EXPECT_EQ(elements_of(file.tensors.at("plain")), bytes_of<float>({1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(elements_of(file.tensors.at("transposed")), bytes_of<float>({1, 4, 2, 5, 3, 6}));
  EXPECT_EQ(elements_of(file.tensors.at("repeated")), bytes_of<float>({1, 2, 3, 1, 2, 3}));
  EXPECT_EQ(elements_of(file.tensors.at("every second")), bytes_of<std::int8_t>({1, 3, 5}));
}

TEST(SafetensorsSave, RoundTripsEveryDtypeAndRank) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.safetensors");
  const Shape shapes[] = {{}, {0}, {65}, {2, 3}, {3, 0}, {2, 3, 4}, {2, 1, 3, 1, 2}, {2, 1, 2, 1, 2, 1, 2, 3}};
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::s8, DType::u8, DType::s32}) {
    for (const Shape& shape : shapes) {
      SCOPED_TRACE(std::string(name(dtype)) + " " + to_string(shape));
      test::GuardedTensor source(dtype, shape);
      unsigned char value = 1;
      for (auto& byte : source.memory<unsigned char>()) byte = value = static_cast<unsigned char>(value * 5 + 3);
      source.buffer().make_read_only();
      save_safetensors(path, {{"w", source.view()}, {"again", source.view()}});
      const SafetensorsFile file = load_safetensors(path);
      ASSERT_EQ(file.tensors.size(), 2u);
      for (const auto& [name, tensor] : file.tensors) {
        EXPECT_EQ(tensor.dtype(), dtype);
        EXPECT_EQ(tensor.shape(), shape);
        EXPECT_EQ(elements_of(tensor), elements_of(source.view()));
      }
    }
  }
}

TEST(SafetensorsSave, AlignsTheDataTo8Bytes) {
  for (std::size_t length = 0; length < 40; ++length) {
    io::SafetensorsHeader header;
    header.tensors[std::string(length, 'n')] = {DType::u8, {3}, 0, 3};
    const std::string printed = io::print_safetensors_header(header, "a.safetensors");
    EXPECT_EQ(printed.size() % 8, 0u);
    EXPECT_EQ(io::safetensors_header_length(printed, printed.size() + 3, "a.safetensors"), printed.size() - 8);
    const auto again = io::parse_safetensors_header(printed.substr(8), 3, "a.safetensors");
    EXPECT_EQ(again.tensors.begin()->first, std::string(length, 'n'));
  }
}

// Members in any order, space and escapes: legal JSON that the package would not write itself.
TEST(SafetensorsLoad, ReadsOtherSpellings) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.safetensors");
  write_bytes(path,
              safetensors_bytes("{ \"b\\u00e9\" :\n{\"data_offsets\":[4 , 6],\"shape\":[ 2 ],\"dtype\":\"I8\"},"
                                "\"__metadata__\":{},\"a\":{\"shape\":[1],\"dtype\":\"F32\",\"data_offsets\":[0,4]},"
                                "\"none\":{\"dtype\":\"U8\",\"shape\":[9,0],\"data_offsets\":[4,4]}}\t\r\n ",
                                std::string("\x00\x00\x80\x3f\x05\xfb", 6)));
  const SafetensorsFile file = load_safetensors(path);
  EXPECT_EQ(elements_of(file.tensors.at("a")), bytes_of<float>({1}));
  EXPECT_EQ(elements_of(file.tensors.at("b\u00e9")), bytes_of<std::int8_t>({5, -5}));
  EXPECT_EQ(file.tensors.at("none").shape(), (Shape{9, 0}));
}

TEST(SafetensorsLoad, LimitsTheData) {
  EXPECT_EQ(load_safetensors(data_file("dtypes"), 114).tensors.size(), 6u);
  EXPECT_THROW(load_safetensors(data_file("dtypes"), 113), Error);
}

TEST(SafetensorsLoad, OutOfMemoryAnywhereIsReported) {
  std::size_t tensors = 0;
  const long failures = test::fail_every_allocation(
      [&] { tensors = load_safetensors(data_file("dtypes")).tensors.size(); }, [&] { EXPECT_EQ(tensors, 0u); });
  EXPECT_GT(failures, 12);
  EXPECT_EQ(tensors, 6u);
}

TEST(SafetensorsSave, OutOfMemoryAnywhereLeavesTheOldFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.safetensors");
  write_bytes(path, "old");
  const float values[] = {1, 2, 3, 4, 5, 6};
  const std::map<std::string, ConstView> tensors = {{"w", ConstView(values, {2, 3}).transposed()}};
  const std::map<std::string, std::string> metadata = {{"a", "b"}};
  const long failures = test::fail_every_allocation([&] { save_safetensors(path, tensors, metadata); },
                                                    [&] {
                                                      EXPECT_EQ(read_bytes(path), "old");
                                                      EXPECT_EQ(folder.entries(), 1u);
                                                    });
  EXPECT_GT(failures, 5);
  EXPECT_EQ(elements_of(load_safetensors(path).tensors.at("w")), bytes_of<float>({1, 4, 2, 5, 3, 6}));
}

}  // namespace
}  // namespace tandem::safetensors_test
