// Every refusal of the safetensors reader and writer, word for word.
#include <tandem/safetensors.h>

#include <cstdint>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "common/io/safetensors_header.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace tandem::safetensors_errors_test {
namespace {

using test::safetensors_bytes;
using test::TemporaryFolder;
using test::write_bytes;

// The message and code of the Error that `call` throws.
template <class Call>
std::pair<std::string, Code> error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.what(), error.code()};
  }
  return {"no error", Code::ok};
}

struct Refused {
  std::string text, sentence;
};

template <std::size_t N>
void expect_refused(const Refused (&cases)[N], std::uint64_t data_bytes = 16) {
  for (const Refused& c : cases) {
    const auto [message, code] = error_of([&] { io::parse_safetensors_header(c.text, data_bytes, "m.safetensors"); });
    EXPECT_EQ(message, "m.safetensors: " + c.sentence) << c.text;
    EXPECT_EQ(code, Code::io_error);
  }
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "{\"dtype\":" + dtype + ",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}
std::string f32(const std::string& shape, const std::string& offsets) { return entry("\"F32\"", shape, offsets); }
std::string with(const std::string& entry_text) { return "{\"w\":" + entry_text + "}"; }

TEST(SafetensorsErrors, RefusesWhatThePackageMayWrite) {
  const struct {
    const char* file;
    std::string sentence;
  } cases[] = {
      {"f64", "tensor 'w': dtype 'F64' is not supported (supported: F32, BF16, F16, I8, U8, I32)"},
      {"s64", "tensor 'w': dtype 'I64' is not supported (supported: F32, BF16, F16, I8, U8, I32)"},
      {"bool", "tensor 'w': dtype 'BOOL' is not supported (supported: F32, BF16, F16, I8, U8, I32)"},
      {"rank9", "tensor 'w': shape has more than 8 dimensions"},
  };
  for (const auto& c : cases) {
    const std::string path = std::string(TANDEM_TEST_DATA_DIR) + "/safetensors/" + c.file + ".safetensors";
    const auto [message, code] = error_of([&] { load_safetensors(path); });
    EXPECT_EQ(message, path + ": " + c.sentence);
    EXPECT_EQ(code, Code::io_error);
  }
}

TEST(SafetensorsErrors, RefusesBadLengths) {
  const struct {
    std::string bytes, sentence;
  } cases[] = {
      {"", "not a safetensors file: 0 bytes, and the length of the header alone takes 8"},
      {"1234567", "not a safetensors file: 7 bytes, and the length of the header alone takes 8"},
      {safetensors_bytes("", ""), "the header must start with '{', found ''"},
      {safetensors_bytes("{}", "", 3), "the file ends inside the header (10 of 11 bytes)"},
      {safetensors_bytes("{}", "", 100'000'000), "the file ends inside the header (10 of 100000008 bytes)"},
      {safetensors_bytes("{}", "", 100'000'001), "header of 100000001 bytes is above the limit of 100000000"},
      {std::string(8, '\xff') + "{}", "header of 18446744073709551615 bytes is above the limit of 100000000"},
      {safetensors_bytes("{}", "x"), "the tensors need 0 bytes of data, the file holds 1"},
  };
  const TemporaryFolder folder;
  const std::string path = folder.file("m.safetensors");
  for (const auto& c : cases) {
    write_bytes(path, c.bytes);
    const auto [message, code] = error_of([&] { load_safetensors(path); });
    EXPECT_EQ(message, path + ": " + c.sentence);
    EXPECT_EQ(code, Code::io_error);
  }
}

TEST(SafetensorsErrors, RefusesWhatIsNotJson) {
  const Refused cases[] = {
      {" {}", "the header must start with '{', found ' '"},
      {"\xef\xbb\xbf{}", "the header must start with '{', found '\\xef'"},
      {"[]", "the header must start with '{', found '['"},
      {std::string("{}\0", 3), "the header is not JSON near byte 10: found '\\x00'"},
      {"{} x", "the header is not JSON near byte 11: found 'x'"},
      {"{}{}", "the header is not JSON near byte 10: found '{'"},
      {"{", "the header is not JSON near byte 9: found the end of the header"},
      {"{\"a\"", "the header is not JSON near byte 12: found the end of the header"},
      {"{'a':1}", "the header is not JSON near byte 9: found '''"},
      {"{\"a\xff\":1}", "the header is not JSON near byte 11: found '\\xff'"},
      {"{\"a\":{\"shape\":[01]}}", "the header is not JSON near byte 24: found '1'"},
      {"{\"a\":{\"shape\":[1,]}}", "the header is not JSON near byte 25: found ']'"},
      {"{\"a\":{\"shape\":[NaN]}}", "the header is not JSON near byte 23: found 'N'"},
      {"{/**/}", "the header is not JSON near byte 9: found '/'"},
  };
  expect_refused(cases);
}

TEST(SafetensorsErrors, RefusesTheWrongStructure) {
  const Refused cases[] = {
      {"{\"w\":1}", "'w' must be an object, found a number"},
      {"{\"w\":-1}", "'w' must be an object, found a number"},
      {"{\"w\":\"x\"}", "'w' must be an object, found a string"},
      {"{\"w\":[]}", "'w' must be an object, found a list"},
      {"{\"w\":null}", "'w' must be an object, found null"},
      {"{\"w\":true}", "'w' must be an object, found true or false"},
      {"{\"__metadata__\":[]}", "'__metadata__' must be an object, found a list"},
      {"{\"__metadata__\":{\"a\":1}}", "__metadata__ 'a' must be a string, found a number"},
      {"{\"__metadata__\":{\"a\":{}}}", "__metadata__ 'a' must be a string, found an object"},
      {"{\"__metadata__\":{\"a\":[]}}", "__metadata__ 'a' must be a string, found a list"},
      {"{\"__metadata__\":{\"a\":\"b\",\"a\":\"b\"}}", "__metadata__ has the key 'a' twice"},
      {"{\"__metadata__\":{},\"__metadata__\":{}}", "'__metadata__' appears twice"},
      {"{\"w\":" + f32("[4]", "[0,16]") + ",\"w\":" + f32("[4]", "[16,32]") + "}", "'w' appears twice"},
      {"{\"w\":" + f32("[4]", "[0,16]") + ",\"\\u0077\":" + f32("[4]", "[16,32]") + "}", "'w' appears twice"},
      {"{\"w\":{}}", "tensor 'w': the key 'dtype' is missing"},
      {"{\"w\":{\"dtype\":\"F32\"}}", "tensor 'w': the key 'shape' is missing"},
      {"{\"w\":{\"dtype\":\"F32\",\"shape\":[]}}", "tensor 'w': the key 'data_offsets' is missing"},
      {"{\"w\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", "tensor 'w': key 'dtype' appears twice"},
      {"{\"w\":{\"color\":1}}", "tensor 'w': key 'color' is unknown"},
      {"{\"w\":{\"dtype\":1}}", "tensor 'w': dtype must be a string, found a number"},
      {"{\"w\":{\"dtype\":[\"F32\"]}}", "tensor 'w': dtype must be a string, found a list"},
      {"{\"w\":{\"dtype\":{}}}", "tensor 'w': dtype must be a string, found an object"},
      {"{\"w\":{\"shape\":\"4\"}}", "tensor 'w': shape must be a list of whole numbers, found a string"},
      {"{\"w\":{\"shape\":4}}", "tensor 'w': shape must be a list of whole numbers, found a number"},
      {"{\"w\":{\"shape\":[[4]]}}", "tensor 'w': shape must hold whole numbers, found a list"},
      {"{\"w\":{\"shape\":[{}]}}", "tensor 'w': shape must hold whole numbers, found an object"},
      {"{\"w\":{\"shape\":[\"4\"]}}", "tensor 'w': shape must hold whole numbers, found a string"},
      {"{\"w\":{\"data_offsets\":{}}}", "tensor 'w': data_offsets must be a list of whole numbers, found an object"},
      {"{\"a\nb\x80\":1}", "the header is not JSON near byte 11: found '\\x0a'"},
      {"{\"a\\nb\u00e9\":1}", "'a\\x0ab\\xc3\\xa9' must be an object, found a number"},
      {"{\"" + std::string(41, 'n') + "\":1}", "'" + std::string(40, 'n') + "...' must be an object, found a number"},
  };
  expect_refused(cases);
}

// Objects and lists that nest without end are refused at the first level that has no business there.
TEST(SafetensorsErrors, RefusesDeepNestingWithoutRecursion) {
  std::string lists = "{\"w\":{\"shape\":", objects, metadata = "{\"__metadata__\":";
  for (int i = 0; i < 1'000'000; ++i) lists += '[';
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"w\":";
  for (int i = 0; i < 1'000'000; ++i) metadata += "{\"w\":";
  const Refused cases[] = {
      {lists, "tensor 'w': shape must hold whole numbers, found a list"},
      {objects, "tensor 'w': key 'w' is unknown"},
      {metadata, "__metadata__ 'w' must be a string, found an object"},
  };
  expect_refused(cases);
}

TEST(SafetensorsErrors, RefusesBadNumbers) {
  const std::string range = ", which is no whole number from 0 to 2^63 - 1";
  const Refused cases[] = {
      {with(f32("[-1]", "[0,16]")), "tensor 'w': shape has -1" + range},
      {with(f32("[4.0]", "[0,16]")), "tensor 'w': shape has 4.0" + range},
      {with(f32("[4e0]", "[0,16]")), "tensor 'w': shape has 4e0" + range},
      {with(f32("[18446744073709551616]", "[0,16]")), "tensor 'w': shape has 18446744073709551616" + range},
      {with(f32("[9223372036854775808]", "[0,16]")),
       "tensor 'w': shape has the number 9223372036854775808, above 2^63 - 1"},
      {with(f32("[4]", "[0,-16]")), "tensor 'w': data_offsets has -16" + range},
      {with(f32("[4]", "[0,9223372036854775808]")),
       "tensor 'w': data_offsets has the number 9223372036854775808, above 2^63 - 1"},
      {with(f32("[4]", "[]")), "tensor 'w': data_offsets has 0 numbers instead of 2"},
      {with(f32("[4]", "[0]")), "tensor 'w': data_offsets has 1 numbers instead of 2"},
      {with(f32("[4]", "[0,16,16]")), "tensor 'w': data_offsets has 3 numbers instead of 2"},
      {with(f32("[1,1,1,1,1,1,1,1,1]", "[0,4]")), "tensor 'w': shape has more than 8 dimensions"},
      {with(f32("[4294967296,4294967296]", "[0,16]")),
       "tensor 'w': shape 4294967296x4294967296 of f32 passes 2^63 - 1 bytes"},
      {with(f32("[0,9223372036854775807,9223372036854775807]", "[0,0]")),
       "tensor 'w': shape 0x9223372036854775807x9223372036854775807 of f32 passes 2^63 - 1 bytes"},
      {with(f32("[2305843009213693952]", "[0,16]")),
       "tensor 'w': shape 2305843009213693952 of f32 passes 2^63 - 1 bytes"},
      {with(f32("[4]", "[0,15]")), "tensor 'w': data_offsets [0, 15] do not span the 16 bytes of shape 4 of f32"},
      {with(f32("[4]", "[0,17]")), "tensor 'w': data_offsets [0, 17] do not span the 16 bytes of shape 4 of f32"},
      {with(f32("[4]", "[16,0]")), "tensor 'w': data_offsets [16, 0] do not span the 16 bytes of shape 4 of f32"},
      {with(entry("\"BF16\"", "[4]", "[0,16]")),
       "tensor 'w': data_offsets [0, 16] do not span the 8 bytes of shape 4 of bf16"},
      {with(f32("[]", "[0,0]")), "tensor 'w': data_offsets [0, 0] do not span the 4 bytes of shape scalar of f32"},
      {with(entry("\"f32\"", "[4]", "[0,16]")),
       "tensor 'w': dtype 'f32' is not supported (supported: F32, BF16, F16, I8, U8, I32)"},
      {with(entry("\"F8_E4M3\"", "[4]", "[0,4]")),
       "tensor 'w': dtype 'F8_E4M3' is not supported (supported: F32, BF16, F16, I8, U8, I32)"},
  };
  expect_refused(cases);
}

TEST(SafetensorsErrors, RefusesGapsOverlapsAndRests) {
  const auto two = [](const std::string& a, const std::string& b) {
    return "{\"a\":" + f32("[2]", a) + ",\"b\":" + f32("[2]", b) + "}";
  };
  const std::string none = entry("\"U8\"", "[0]", "[4,4]");
  const Refused cases[] = {
      {two("[0,8]", "[4,12]"),
       "tensor 'b' begins at byte 4 of the data, but the data before it end at byte 8: an overlap"},
      {two("[0,8]", "[0,8]"),
       "tensor 'b' begins at byte 0 of the data, but the data before it end at byte 8: an overlap"},
      {two("[12,20]", "[0,8]"),
       "tensor 'a' begins at byte 12 of the data, but the data before it end at byte 8: a gap"},
      {two("[1,9]", "[9,17]"), "tensor 'a' begins at byte 1 of the data, but the data before it end at byte 0: a gap"},
      {"{\"a\":" + f32("[4]", "[0,16]") + ",\"none\":" + none + "}",
       "tensor 'none' begins at byte 4 of the data, but the data before it end at byte 16: an overlap"},
      {with(f32("[3]", "[0,12]")), "the tensors need 12 bytes of data, the file holds 16"},
      {with(f32("[5]", "[0,20]")), "the tensors need 20 bytes of data, the file holds 16"},
      {"{}", "the tensors need 0 bytes of data, the file holds 16"},
  };
  expect_refused(cases);
}

TEST(SafetensorsErrors, RefusesToWriteWhatCannotBeRead) {
  const TemporaryFolder folder;
  const std::string path = folder.file("m.safetensors");
  const float value = 1;
  const ConstView view(&value, {1});
  const auto [name, name_code] = error_of([&] { save_safetensors(path, {{"__metadata__", view}}); });
  EXPECT_EQ(name, path + ": a tensor cannot have the name __metadata__");
  EXPECT_EQ(name_code, Code::invalid_argument);
  for (const auto& [tensors, metadata] :
       {std::pair<std::map<std::string, ConstView>, std::map<std::string, std::string>>{{{"\xff", view}}, {}},
        {{{"w", view}}, {{"\xc3", ""}}},
        {{{"w", view}}, {{"", "\xed\xa0\x80"}}}}) {
    const auto [message, code] = error_of([&] { save_safetensors(path, tensors, metadata); });
    EXPECT_EQ(message, path + ": a name or the metadata is not UTF-8");
    EXPECT_EQ(code, Code::invalid_argument);
  }
  const auto [huge, huge_code] = error_of([&] {
    save_safetensors(path, {{"w", view}}, {{"", std::string(100'000'000, 'a')}});
  });
  EXPECT_EQ(huge, path + ": header of 100000080 bytes is above the limit of 100000000");
  EXPECT_EQ(huge_code, Code::invalid_argument);
  const ConstView on_gpu(&value, DType::f32, {1}, Device::cuda(0));
  const auto [device, device_code] = error_of([&] { save_safetensors(path, {{"w", on_gpu}}); });
  EXPECT_EQ(device, "save_safetensors: tensor 'w' for " + path + " is on cuda:0; bring it to the host first");
  EXPECT_EQ(device_code, Code::invalid_argument);
  EXPECT_EQ(folder.entries(), 0u);
}

}  // namespace
}  // namespace tandem::safetensors_errors_test
