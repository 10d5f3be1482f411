// Every refusal of the .npy reader and writer, word for word.
#include <tandem/npy.h>

#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "common/io/npy_header.h"
#include "tests/support/npy_bytes.h"
#include "tests/support/temporary_folder.h"

namespace tandem::npy_errors_test {
namespace {

using test::npy_bytes;
using test::read_bytes;
using test::TemporaryFolder;
using test::write_bytes;

const std::string kSupported = " (supported: '<f4', '<f2', '|i1', '|u1', '<i4'; convert with .astype())";

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

std::string header(const std::string& descr, const std::string& order, const std::string& shape) {
  return "{'descr': " + descr + ", 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

std::string f32(const std::string& shape) { return header("'<f4'", "False", shape); }

TEST(NpyErrors, RefusesDtypesOfNumpy) {
  const struct {
    const char* file;
    std::string sentence;
  } cases[] = {
      {"big_endian_f32", "dtype '>f4' is big-endian; convert with .astype('<f4')"},
      {"big_endian_s32", "dtype '>i4' is big-endian; convert with .astype('<i4')"},
      {"f64", "dtype '<f8' is not supported" + kSupported},
      {"s64", "dtype '<i8' is not supported" + kSupported},
      {"bool", "dtype '|b1' is not supported" + kSupported},
      {"complex", "dtype '<c8' is not supported" + kSupported},
      {"text", "dtype '<U2' is not supported" + kSupported},
      {"object", "dtype '|O' is not supported" + kSupported},
      {"structured", "a structured dtype is not supported" + kSupported},
      {"rank9", "shape has more than 8 dimensions"},
  };
  for (const auto& c : cases) {
    const std::string path = std::string(TANDEM_TEST_DATA_DIR) + "/npy/" + c.file + ".npy";
    const auto [message, code] = error_of([&] { load_npy(path); });
    EXPECT_EQ(message, path + ": " + c.sentence);
    EXPECT_EQ(code, Code::io_error);
  }
}

TEST(NpyErrors, RefusesMalformedHeaders) {
  const std::string magic = "\x93NUMPY";
  const struct {
    std::string bytes, sentence;
  } cases[] = {
      {"", "not an .npy file (it does not start with \\x93NUMPY)"},
      {"\x93NUMPX", "not an .npy file (it does not start with \\x93NUMPY)"},
      {"PK\x03\x04 an npz file", "not an .npy file (it does not start with \\x93NUMPY)"},
      {magic, "the file ends inside the header (6 of 8 bytes)"},
      {magic + std::string("\x01\x00\x10", 3), "the file ends inside the header (9 of 10 bytes)"},
      {npy_bytes("{}", "", 1, 50), "the file ends inside the header (12 of 60 bytes)"},
      {npy_bytes("{}", "", 4), ".npy version 4.0 is not supported (supported: 1.0, 2.0, 3.0)"},
      {npy_bytes("{}", "", 0), ".npy version 0.0 is not supported (supported: 1.0, 2.0, 3.0)"},
      {magic + std::string("\x01\x01\x02\x00{}", 6), ".npy version 1.1 is not supported (supported: 1.0, 2.0, 3.0)"},
      {npy_bytes("{}", "", 1, 10001), "header of 10001 bytes is above the limit of 10000"},
      {npy_bytes("{}", "", 2, 0xffffffff), "header of 4294967295 bytes is above the limit of 10000"},
      {npy_bytes("", ""), "malformed header at byte 10: wanted '{', found the end of the header"},
      {npy_bytes("[]", ""), "malformed header at byte 10: wanted '{', found '['"},
      {npy_bytes("{}", ""), "header lacks the key 'descr'"},
      {npy_bytes("{'descr': '<f4', 'fortran_order': False}", ""), "header lacks the key 'shape'"},
      {npy_bytes("{'descr': '<f4', 'shape': ()}", ""), "header lacks the key 'fortran_order'"},
      {npy_bytes("{'descr': '<f4', 'descr': '<f4', }", ""), "header key 'descr' appears twice"},
      {npy_bytes("{'color': 1}", ""), "header key 'color' is unknown"},
      {npy_bytes("{'a\nb\x80': 1}", ""), "header key 'a\\x0ab\\x80' is unknown"},
      {npy_bytes("{descr: '<f4'}", ""), "malformed header at byte 11: wanted a key in quotes or '}', found 'd'"},
      {npy_bytes("{'descr' '<f4'}", ""), "malformed header at byte 19: wanted ':', found '''"},
      {npy_bytes("{'descr: ", ""), "malformed header at byte 11: wanted a closing quote, found '''"},
      {npy_bytes("{'descr': <f4", ""), "malformed header at byte 20: wanted a dtype in quotes, found '<'"},
      {npy_bytes("{'descr': '<f4'; }", ""), "malformed header at byte 25: wanted '}', found ';'"},
      {npy_bytes("{'descr': '<f4'" + std::string(1, '\0') + "}", ""),
       "malformed header at byte 25: wanted '}', found '\\x00'"},
      {npy_bytes(header("'<f4'", "false", "()"), ""), "malformed header at byte 44: wanted True or False, found 'f'"},
      {npy_bytes(header("'<f4'", "1", "()"), ""), "malformed header at byte 44: wanted True or False, found '1'"},
      {npy_bytes(f32("()") + "x", ""), "malformed header at byte 65: wanted nothing but space after '}', found 'x'"},
  };
  for (const auto& c : cases) {
    const auto [message, code] = error_of([&] { io::parse_npy_header(c.bytes, "digits.npy"); });
    EXPECT_EQ(message, "digits.npy: " + c.sentence);
    EXPECT_EQ(code, Code::io_error);
  }
}

TEST(NpyErrors, RefusesBadShapesAndDtypes) {
  const struct {
    std::string text, sentence;
  } cases[] = {
      {f32("3"), "malformed header at byte 60: wanted '(', found '3'"},
      {f32("[3]"), "malformed header at byte 60: wanted '(', found '['"},
      {f32("(3)"), "malformed header at byte 62: wanted ',', found ')'"},
      {f32("(3,,)"), "malformed header at byte 63: wanted a size or ')', found ','"},
      {f32("(3 4)"), "malformed header at byte 63: wanted ',', found '4'"},
      {f32("(3, 4 5)"), "malformed header at byte 66: wanted ')', found '5'"},
      {f32("((3,),)"), "malformed header at byte 61: wanted a size or ')', found '('"},
      {f32("(0x10,)"), "malformed header at byte 62: wanted ',', found 'x'"},
      {f32("(1.5,)"), "malformed header at byte 62: wanted ',', found '.'"},
      {f32("(2, -3)"), "shape has the negative size -3"},
      {f32("(9223372036854775808,)"), "shape has the size 9223372036854775808, above 2^63 - 1"},
      {f32(std::string("(").append(60, '7') + ",)"),
       "shape has the size " + std::string(40, '7') + "..., above 2^63 - 1"},
      {f32("(1,1,1,1,1,1,1,1,1)"), "shape has more than 8 dimensions"},
      {header("'>f8'", "False", "()"), "dtype '>f8' is not supported" + kSupported},
      {header("''", "False", "()"), "dtype '' is not supported" + kSupported},
      {header("'f4'", "False", "()"), "dtype 'f4' is not supported" + kSupported},
      {header("'=f4'", "False", "()"), "dtype '=f4' is not supported" + kSupported},
      {header("'|V2'", "False", "()"), "dtype '|V2' is not supported" + kSupported},
      {header("('<f4', (2,))", "False", "()"), "a structured dtype is not supported" + kSupported},
      {header(std::string("'").append(50, 'a') + "'", "False", "()"),
       "dtype '" + std::string(40, 'a') + "...' is not supported" + kSupported},
  };
  for (const auto& c : cases) {
    const auto [message, code] = error_of([&] { io::parse_npy_header(npy_bytes(c.text, ""), "digits.npy"); });
    EXPECT_EQ(message, "digits.npy: " + c.sentence);
    EXPECT_EQ(code, Code::io_error);
  }
}

TEST(NpyErrors, AcceptsEveryLegalSpelling) {
  for (const char* text : {"{'shape': (3, 4), 'fortran_order': False, 'descr': '<f4'}",
                           "{ \"descr\" : \"<f4\" , \"fortran_order\":False,\"shape\":(3,4,) ,\t}\r\n",
                           "{'descr':'<f4','fortran_order':False,'shape':(3L,4L)}"}) {
    const io::NpyHeader parsed = io::parse_npy_header(npy_bytes(text, ""), "a.npy");
    EXPECT_EQ(parsed.dtype, DType::f32);
    EXPECT_EQ(parsed.shape, (Shape{3, 4}));
    EXPECT_FALSE(parsed.fortran_order);
  }
  EXPECT_EQ(io::parse_npy_header(npy_bytes(header("'<i1'", "True", "(2, 2)"), ""), "a.npy").dtype, DType::s8);
  EXPECT_EQ(io::parse_npy_header(npy_bytes(header("'>u1'", "True", "(2, 2)"), ""), "a.npy").dtype, DType::u8);
}

TEST(NpyErrors, RefusesSizesThatDoNotMatchTheFile) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const struct {
    std::string shape;
    std::size_t data;
    std::string sentence;
  } cases[] = {
      {"(3, 4)", 47, "shape 3x4 of f32 needs 48 bytes of data, the file holds 47"},
      {"(3, 4)", 49, "shape 3x4 of f32 needs 48 bytes of data, the file holds 49"},
      {"(3, 4)", 0, "shape 3x4 of f32 needs 48 bytes of data, the file holds 0"},
      {"()", 0, "shape scalar of f32 needs 4 bytes of data, the file holds 0"},
      {"(0, 3)", 1, "shape 0x3 of f32 needs 0 bytes of data, the file holds 1"},
      {"(1152921504606846976,)", 16,
       "shape 1152921504606846976 of f32 needs 4611686018427387904 bytes of data, the file holds 16"},
      {"(9223372036854775807,)", 16, "shape 9223372036854775807 of f32 passes 2^63 - 1 bytes"},
      {"(4294967296, 4294967296)", 16, "shape 4294967296x4294967296 of f32 passes 2^63 - 1 bytes"},
      {"(0, 4294967296, 4294967296)", 0, "shape 0x4294967296x4294967296 of f32 passes 2^63 - 1 bytes"},
  };
  for (const auto& c : cases) {
    write_bytes(path, npy_bytes(f32(c.shape), std::string(c.data, '\0')));
    const auto [message, code] = error_of([&] { load_npy(path); });
    EXPECT_EQ(message, path + ": " + c.sentence);
    EXPECT_EQ(code, Code::io_error);
  }
}

TEST(NpyErrors, KeepsTheLimitOfTheCaller) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  write_bytes(path, npy_bytes(f32("(2, 2)"), std::string(16, '\0')));
  EXPECT_EQ(load_npy(path, 16).elements(), 4);
  EXPECT_EQ(error_of([&] { load_npy(path, 15); }).first, path + ": 16 bytes of data are above the limit of 15");
}

TEST(NpyErrors, RefusesASparseFileBeforeItTakesMemory) {
  const TemporaryFolder folder;
  const std::string path = folder.file("huge.npy");
  const std::string start =
      npy_bytes(f32("(17179869185,)"), "");  // 64 GiB and 4 bytes of zeros that are not on the disk
  write_bytes(path, start);
  if (::truncate(path.c_str(), static_cast<off_t>(start.size()) + (off_t{17179869185} * 4)) != 0) {
    GTEST_SKIP() << "the file system of the temporary folder holds no 64 GiB file";
  }
  EXPECT_EQ(error_of([&] { load_npy(path); }).first,
            path + ": 68719476740 bytes of data are above the limit of 68719476736");
}

TEST(NpyErrors, RefusesWhatIsNoRegularFile) {
  const TemporaryFolder folder;
  const std::string missing = folder.file("missing.npy"), pipe = folder.file("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { load_npy(missing); }).first, missing + ": cannot open: No such file or directory");
  EXPECT_EQ(error_of([&] { load_npy(pipe); }).first, pipe + ": cannot read: not a regular file");
  EXPECT_EQ(error_of([&] { load_npy(folder.path().string()); }).first,
            folder.path().string() + ": cannot read: not a regular file");
  const float value = 1;
  EXPECT_EQ(error_of([&] { save_npy(pipe, ConstView(&value, {1})); }).first,
            pipe + ": cannot write: not a regular file");
  EXPECT_EQ(error_of([&] { save_npy(missing + "/a.npy", ConstView(&value, {1})); }).first,
            missing + "/a.npy: cannot write: No such file or directory");
}

TEST(NpyErrors, RefusesViewsThatNumpyOrTheHostCannotHold) {
  const TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  const float value = 1;
  auto [message, code] =
      error_of([&] { save_npy(path, ConstView(&value, DType::f32, {1}, Strides{1}, Device::cuda(0))); });
  EXPECT_EQ(message, "save_npy: the view for " + path + " is on cuda:0; bring it to the host first");
  EXPECT_EQ(code, Code::invalid_argument);
  std::tie(message, code) = error_of([&] { save_npy(path, ConstView(&value, DType::bf16, {2})); });
  EXPECT_EQ(message, path + ": NumPy has no dtype for bf16; save f32 or f16");
  EXPECT_EQ(code, Code::unsupported);
  EXPECT_EQ(folder.entries(), 0u);
}

}  // namespace
}  // namespace tandem::npy_errors_test
