// Hostile safetensors files: truncated at every byte, every byte replaced, and seeded mutations. Each must be refused
// with an Error, or parse into a header that holds its promises. With TANDEM_LIBFUZZER defined the same check is a
// libFuzzer entry point instead: clang++ -fsanitize=fuzzer,address -DTANDEM_LIBFUZZER.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/error.h>

#include "common/io/safetensors_header.h"
#include "tests/support/fuzz.h"

namespace tandem::safetensors_fuzz_test {
namespace {

using test::Parsed;

// What a caller relies on: every tensor has the bytes of its shape, and together they fill the data.
std::string broken_promise(const io::SafetensorsHeader& header, std::uint64_t data_bytes) {
  std::uint64_t total = 0;
  for (const auto& [name, entry] : header.tensors) {
    std::int64_t expected = static_cast<std::int64_t>(size_of(entry.dtype));
    for (const std::int64_t size : entry.shape) {
      if (size < 0) return "a negative size";
      expected *= size;
    }
    if (entry.begin < 0 || entry.end - entry.begin != expected) return "the bytes are not the product of the sizes";
    if (static_cast<std::uint64_t>(entry.end) > data_bytes) return "a tensor ends beyond the file";
    total += static_cast<std::uint64_t>(expected);
  }
  return total == data_bytes ? "" : "the tensors do not fill the data";
}

bool same(const io::SafetensorsHeader& a, const io::SafetensorsHeader& b) {
  const auto equal = [](const io::SafetensorsEntry& x, const io::SafetensorsEntry& y) {
    return x.dtype == y.dtype && x.shape == y.shape && x.begin == y.begin && x.end == y.end;
  };
  if (a.metadata != b.metadata || a.tensors.size() != b.tensors.size()) return false;
  for (const auto& [name, entry] : a.tensors) {
    const auto other = b.tensors.find(name);
    if (other == b.tensors.end() || !equal(entry, other->second)) return false;
  }
  return true;
}

// Parses untrusted bytes as load_safetensors would.
Parsed check_safetensors(std::string_view bytes) {
  return test::parse_hostile(500, [&](Parsed& verdict) {
    const std::size_t length = io::safetensors_header_length(bytes, bytes.size(), "fuzz");
    const std::uint64_t data = bytes.size() - io::kSafetensorsPreamble - length;
    const auto header = io::parse_safetensors_header(bytes.substr(io::kSafetensorsPreamble, length), data, "fuzz");
    verdict.accepted = true;
    verdict.broken_promise = broken_promise(header, data);
    const std::string printed = io::print_safetensors_header(header, "fuzz");
    const std::size_t again_length = io::safetensors_header_length(printed, printed.size() + data, "fuzz");
    if (again_length + io::kSafetensorsPreamble != printed.size())
      verdict.broken_promise = "a printed header has another length";
    const auto again =
        io::parse_safetensors_header(std::string_view(printed).substr(io::kSafetensorsPreamble), data, "fuzz");
    if (!same(header, again)) verdict.broken_promise = "printed and parsed again, the header differs";
  });
}

}  // namespace
}  // namespace tandem::safetensors_fuzz_test

#ifdef TANDEM_LIBFUZZER

TANDEM_FUZZER_ENTRY(tandem::check_safetensors)

#else

#include <vector>

#include <gtest/gtest.h>
#include <tandem/safetensors.h>

#include "tests/support/data.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/safetensors_bytes.h"
#include "tests/support/temporary_folder.h"

namespace tandem::safetensors_fuzz_test {
namespace {

using test::safetensors_bytes;

// Files of every dtype and rank, and headers with unusual but legal spelling. All are accepted.
const std::vector<std::string>& samples() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> out;
    for (const char* name : {"dtypes", "shapes", "names", "nothing"})
      out.push_back(test::read_bytes(std::string(TANDEM_TEST_DATA_DIR) + "/safetensors/" + name + ".safetensors"));
    out.push_back(
        safetensors_bytes("{ \"b\\u00e9\" : {\"data_offsets\":[4,6],\"shape\":[2],\"dtype\":\"I8\"},"
                          "\"__metadata__\":{\"a\":\"\\n\"},\"a\":{\"shape\":[1],\"dtype\":\"F32\","
                          "\"data_offsets\":[0,4]}}\n",
                          "123456"));
    out.push_back(safetensors_bytes("{\"w\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", "data"));
    return out;
  }();
  return all;
}

// The bytes at the end of readable memory, so that a parser which looks one byte too far faults.
Parsed check_guarded(std::string_view bytes) {
  test::GuardedBuffer buffer(bytes.size());
  bytes.copy(buffer.as<char>().data(), bytes.size());
  buffer.make_read_only();
  return check_safetensors({buffer.as<char>().data(), bytes.size()});
}

// "ok" or the message of the Error; anything else escapes and fails the test.
std::string load(const std::string& path) {
  try {
    load_safetensors(path);
  } catch (const Error& error) {
    return error.what();
  }
  return "ok";
}

TEST(SafetensorsFuzz, SamplesAreAccepted) {
  for (const std::string& sample : samples()) {
    const Parsed verdict = check_guarded(sample);
    EXPECT_TRUE(verdict.accepted);
    EXPECT_EQ(verdict.broken_promise, "");
  }
}

TEST(SafetensorsFuzz, TruncationAtEveryByteIsRefused) {
  const test::TemporaryFolder folder;
  const std::string path = folder.file("a.safetensors");
  for (const std::string& sample : samples()) {
    for (std::size_t length = 0; length < sample.size(); ++length) {
      const std::string_view cut = std::string_view(sample).substr(0, length);
      const Parsed verdict = check_guarded(cut);
      EXPECT_EQ(verdict.broken_promise, "") << length;
      EXPECT_FALSE(verdict.accepted) << length;
      test::write_bytes(path, cut);
      EXPECT_NE(load(path), "ok") << "cut at " << length;
    }
    test::write_bytes(path, sample);
    EXPECT_EQ(load(path), "ok");
    test::write_bytes(path, sample + '\0');
    EXPECT_NE(load(path), "ok") << "a trailing byte";
  }
}

TEST(SafetensorsFuzz, EveryByteOfTheHeaderTakesEveryValue) {
  for (const std::string& sample : samples()) {
    const std::size_t end = 8 + io::safetensors_header_length(sample, sample.size(), "sample");
    std::string bytes = sample;
    for (std::size_t i = 0; i < end; ++i) {
      for (int value = 0; value < 256; ++value) {
        bytes[i] = static_cast<char>(value);
        const Parsed verdict = check_safetensors(bytes);
        ASSERT_EQ(verdict.broken_promise, "") << "byte " << i << " = " << value << " of " << sample;
      }
      bytes[i] = sample[i];
    }
  }
}

// One mutation of a header: replace, insert, erase, repeat or splice in a token that means something to the parser.
void mutate(std::string& bytes, test::Random& random) {
  static constexpr std::string_view kTokens[] = {"\"dtype\"",
                                                 "\"shape\"",
                                                 "\"data_offsets\"",
                                                 "\"__metadata__\":{},",
                                                 "\"__metadata__\"",
                                                 "\"x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
                                                 "[",
                                                 "]",
                                                 "{",
                                                 "}",
                                                 ",",
                                                 ":",
                                                 "\"",
                                                 "\"F32\"",
                                                 "\"F64\"",
                                                 "\"I8\"",
                                                 "[0,4]",
                                                 "-1",
                                                 "0",
                                                 "1,",
                                                 "9223372036854775807",
                                                 "18446744073709551616",
                                                 "4294967296,",
                                                 "1e400",
                                                 "null",
                                                 "true",
                                                 " ",
                                                 "\n",
                                                 "\\u0000",
                                                 "\\ud800",
                                                 "\xc3"};
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
  if (bytes.size() > 1024) bytes.resize(1024);
}

TEST(SafetensorsFuzz, SeededMutations) {
  constexpr int kRounds = 20000;
  test::Random random(20240607);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto& all = samples();
    const std::string& sample =
        all[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(all.size()) - 1))];
    const std::size_t length = io::safetensors_header_length(sample, sample.size(), "sample");
    // Mutate the text and give it its true length, or the whole file: the first gets past the length check.
    const bool whole_file = random.integer(0, 3) == 0;
    std::string bytes = whole_file ? sample : sample.substr(8, length);
    for (std::int64_t n = random.integer(1, 3); n > 0; --n) mutate(bytes, random);
    if (!whole_file) bytes = safetensors_bytes(bytes, sample.substr(8 + length));
    const Parsed verdict = check_guarded(bytes);
    ASSERT_EQ(verdict.broken_promise, "") << "round " << round << ": " << bytes;
    accepted += verdict.accepted ? 1 : 0;
  }
  // Neither side may be starved, or the test would say nothing about it.
  EXPECT_GT(accepted, kRounds / 100);
  EXPECT_LT(accepted, kRounds * 9 / 10);
}

TEST(SafetensorsFuzz, RandomBytesAreRefused) {
  test::Random random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string bytes(static_cast<std::size_t>(random.integer(0, 300)), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random.bits());
    if (round % 2 == 0) bytes = safetensors_bytes("{" + bytes, "");  // past the checks of the length and of '{'
    const Parsed verdict = check_guarded(bytes);
    EXPECT_FALSE(verdict.accepted);
    EXPECT_EQ(verdict.broken_promise, "");
  }
}

}  // namespace
}  // namespace tandem::safetensors_fuzz_test

#endif
