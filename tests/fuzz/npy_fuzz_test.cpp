// Hostile .npy files: truncated at every byte, every byte replaced, and seeded mutations. Each must be refused with an
// Error, or parse into a header that holds its promises. With TANDEM_LIBFUZZER defined the same check is a
// libFuzzer entry point instead: clang++ -fsanitize=fuzzer,address -DTANDEM_LIBFUZZER.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/error.h>

#include "common/io/npy_header.h"
#include "tests/support/fuzz.h"

namespace tandem::npy_fuzz_test {
namespace {

using test::Parsed;

// Parses untrusted bytes and checks what a caller relies on.
Parsed check_npy(std::string_view bytes) {
  return test::parse_hostile(300, [&](Parsed& verdict) {
    const io::NpyHeader header = io::parse_npy_header(bytes, "fuzz.npy");
    const std::int64_t data = io::npy_data_bytes(header, "fuzz.npy");
    verdict.accepted = true;
    std::int64_t expected = static_cast<std::int64_t>(size_of(header.dtype));
    for (const std::int64_t size : header.shape) {
      if (size < 0) verdict.broken_promise = "a negative size";
      expected *= size;
    }
    if (data != expected) verdict.broken_promise = "data bytes are not the product of the sizes";
    if (header.data_offset > bytes.size()) verdict.broken_promise = "the data start beyond the file";
    const std::string printed = io::print_npy_header(header, "fuzz.npy");
    const io::NpyHeader again = io::parse_npy_header(printed, "fuzz.npy");
    if (again.dtype != header.dtype || again.shape != header.shape || again.fortran_order != header.fortran_order ||
        again.data_offset != printed.size()) {
      verdict.broken_promise = "printed and parsed again, the header differs";
    }
  });
}

}  // namespace
}  // namespace tandem::npy_fuzz_test

#ifdef TANDEM_LIBFUZZER

TANDEM_FUZZER_ENTRY(tandem::check_npy)

#else

#include <vector>

#include <gtest/gtest.h>
#include <tandem/npy.h>

#include "tests/support/data.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/npy_bytes.h"
#include "tests/support/temporary_folder.h"

namespace tandem::npy_fuzz_test {
namespace {

using test::npy_bytes;

// Files of every version, dtype and rank, and headers with unusual but legal spelling. All are accepted.
const std::vector<std::string>& samples() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out;
    for (const char* name : {"f32_3x4", "f32_3x4_fortran", "f32_scalar", "f32_0x3", "f32_rank8", "f16_5", "s8_2x3",
                             "u8_6", "s32_2x2x2", "f32_7_version2", "f32_7_version3"}) {
      out.push_back(test::read_bytes(std::string(TANDEM_TEST_DATA_DIR) + "/npy/" + name + ".npy"));
    }
    out.push_back(npy_bytes("{\"shape\":(2L,),'descr':\"<i4\",'fortran_order':True}", "12345678"));
    out.push_back(npy_bytes("{'descr':'|u1','fortran_order':False,'shape':(1,1,1,1,1,1,1,3,),}\n", "abc", 3));
    return out;
  }();
  return all;
}

// The bytes at the end of readable memory, so that a parser which looks one byte too far faults.
Parsed check_guarded(std::string_view bytes) {
  test::GuardedBuffer buffer(bytes.size());
  bytes.copy(buffer.as<char>().data(), bytes.size());
  buffer.make_read_only();
  return check_npy({buffer.as<char>().data(), bytes.size()});
}

// "ok" or the message of the Error; anything else escapes and fails the test.
std::string load(const std::string& path) {
  try {
    load_npy(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "ok";
}

TEST(NpyFuzz, SamplesAreAccepted) {
  for (const std::string& sample : samples()) {
    const Parsed verdict = check_guarded(sample);
    EXPECT_TRUE(verdict.accepted);
    EXPECT_EQ(verdict.broken_promise, "");
  }
}

TEST(NpyFuzz, TruncationAtEveryByteIsRefused) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("a.npy");
  for (const std::string& sample : samples()) {
    const std::size_t header = io::parse_npy_header(sample, "sample").data_offset;
    for (std::size_t length = 0; length < sample.size(); ++length) {
      const std::string_view cut = std::string_view(sample).substr(0, length);
      const Parsed verdict = check_guarded(cut);
      EXPECT_EQ(verdict.broken_promise, "") << length;
      EXPECT_EQ(verdict.accepted, length >= header) << length;
      test::write_bytes(path, cut);
      EXPECT_NE(load(path), "ok") << "cut at " << length;
    }
    test::write_bytes(path, sample);
    EXPECT_EQ(load(path), "ok");
    test::write_bytes(path, sample + '\0');
    EXPECT_NE(load(path), "ok") << "a trailing byte";
  }
}

TEST(NpyFuzz, EveryByteOfTheHeaderTakesEveryValue) {
  for (const std::string& sample : samples()) {
    const std::size_t header = io::parse_npy_header(sample, "sample").data_offset;
    std::string bytes = sample;
    for (std::size_t i = 0; i < header; ++i) {
      for (int value = 0; value < 256; ++value) {
        bytes[i] = static_cast<char>(value);
        const Parsed verdict = check_npy(bytes);
        ASSERT_EQ(verdict.broken_promise, "") << "byte " << i << " = " << value << " of " << sample;
      }
      bytes[i] = sample[i];
    }
  }
}

// One mutation of a header: replace, insert, erase, repeat or splice in a token that means something to the parser.
void mutate(std::string& bytes, test::Random& random) {
  static constexpr std::string_view kTokens[] = {"'descr'",
                                                 "'shape'",
                                                 "'fortran_order'",
                                                 "True",
                                                 "False",
                                                 "(",
                                                 ")",
                                                 "{",
                                                 "}",
                                                 ",",
                                                 ":",
                                                 "'",
                                                 "\"",
                                                 "'<f4'",
                                                 "'>f4'",
                                                 "'|i1'",
                                                 "[('a', '<f4')]",
                                                 "-1",
                                                 "0",
                                                 "9223372036854775807",
                                                 "18446744073709551616",
                                                 "4294967296, ",
                                                 "L",
                                                 " ",
                                                 "\n",
                                                 "\\"};
  const auto place = [&](std::size_t size) {
    return static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(size)));
  };
  const std::size_t at = place(bytes.size());
  switch (random.integer(0, 5)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random.bits());
      break;
    case 1:
      bytes.insert(at, 1, static_cast<char>(random.bits()));
      break;
    case 2:
      bytes.erase(at, place(8));
      break;
    case 3:
      bytes.insert(at, bytes.substr(place(bytes.size()), place(16)));
      break;
    default:
      bytes.insert(at, kTokens[place(std::size(kTokens) - 1)]);
  }
  if (bytes.size() > 512) bytes.resize(512);
}

TEST(NpyFuzz, SeededMutations) {
  constexpr int kRounds = 20000;
  test::Random random(20240607);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto& all = samples();
    const std::string& sample =
        all[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(all.size()) - 1))];
    const io::NpyHeader header = io::parse_npy_header(sample, "sample");
    // Mutate the text and give it its true length, or the whole file: the first gets past the length check.
    const bool whole_file = random.integer(0, 3) == 0;
    const std::size_t preamble = sample[6] == 1 ? 10 : 12;
    std::string bytes = whole_file ? sample : sample.substr(preamble, header.data_offset - preamble);
    const auto last = bytes.find_last_not_of(" \n");  // mutations of the padding would be wasted
    if (!whole_file) bytes.resize(last + 1);
    for (std::int64_t n = random.integer(1, 4); n > 0; --n) mutate(bytes, random);
    if (!whole_file) bytes = npy_bytes(bytes, "data", sample[6]);
    const Parsed verdict = check_guarded(bytes);
    ASSERT_EQ(verdict.broken_promise, "") << "round " << round << ": " << bytes;
    accepted += verdict.accepted ? 1 : 0;
  }
  // Neither side may be starved, or the test would say nothing about it.
  EXPECT_GT(accepted, kRounds / 100);
  EXPECT_LT(accepted, kRounds * 9 / 10);
}

TEST(NpyFuzz, RandomBytesAreRefused) {
  test::Random random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(static_cast<std::size_t>(random.integer(0, 300)), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.bits());
    const Parsed verdict = check_guarded(bytes);
    EXPECT_FALSE(verdict.accepted);
    EXPECT_EQ(verdict.broken_promise, "");
  }
}

}  // namespace
}  // namespace tandem::npy_fuzz_test

#endif
