// Hostile tuning files: truncated at every byte, every byte replaced, seeded mutations. Each must be refused with an
// Error, or parse into a file that holds its promises. With TANDEM_LIBFUZZER defined the same check is a libFuzzer
// entry point instead: clang++ -fsanitize=fuzzer,address -DTANDEM_LIBFUZZER.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/error.h>

#include "common/tuning/file.h"
#include "tests/support/fuzz.h"

namespace tandem::tuning_fuzz_test {
namespace {

using test::Parsed;

Parsed check_tuning(std::string_view bytes) {
  return test::parse_hostile(600, [&](Parsed& verdict) {
    const tuning::File file = tuning::parse_file(bytes, "fuzz.json");
    verdict.accepted = true;
    for (const tuning::Measurement& m : file.measured) {
      if (!(m.seconds > 0) || !std::isfinite(m.seconds)) verdict.broken_promise = "a time that is none";
      if (!(m.spread >= 0) || !std::isfinite(m.spread)) verdict.broken_promise = "a spread that is none";
      if (m.threads < 0 || m.threads > 1024) verdict.broken_promise = "threads out of range";
      if (m.kernel.empty() || m.op.empty() || m.problem.empty()) verdict.broken_promise = "a name is empty";
    }
    if (file.ceilings && !(file.ceilings->cpu_flops >= 0 && std::isfinite(file.ceilings->cpu_flops)))
      verdict.broken_promise = "a speed that is none";
    const tuning::File again = tuning::parse_file(tuning::print_file(file), "fuzz.json");
    if (again.measured != file.measured) verdict.broken_promise = "printed and parsed again, the file differs";
  });
}

}  // namespace
}  // namespace tandem::tuning_fuzz_test

#ifdef TANDEM_LIBFUZZER

TANDEM_FUZZER_ENTRY(tandem::check_tuning)

#else

#include <gtest/gtest.h>

#include "tests/support/data.h"
#include "tests/support/machines.h"

namespace tandem::tuning_fuzz_test {
namespace {

const std::string& sample() {
  static const std::string text = [] {
    const Machine machine = test::gpu_machine_with(1e9);
    return tuning::print_file({"2026-01-31T12:00:00Z",
                               tuning::fingerprint_of(machine),
                               machine.ceilings,
                               {{"cpu.unary.f32.simd", "relu", "f32:1000", 4, 1e-6, 0.02},
                                {"cuda.matmul.f32.tiled", "matmul", "f32:8x8x8", 0, 2e-5, 0}}});
  }();
  return text;
}

TEST(TuningFuzz, TheSampleIsAccepted) { EXPECT_TRUE(check_tuning(sample()).accepted); }

TEST(TuningFuzz, TruncationAtEveryByteIsRefused) {
  const std::size_t whole = sample().find_last_of('}');
  for (std::size_t length = 0; length < sample().size(); ++length) {
    const Parsed verdict = check_tuning(std::string_view(sample()).substr(0, length));
    ASSERT_EQ(verdict.broken_promise, "") << length;
    ASSERT_EQ(verdict.accepted, length > whole) << length;
  }
}

TEST(TuningFuzz, EveryByteTakesManyValues) {
  std::string bytes = sample();
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (const char value : {'\0', '"', '-', '9', '{', ']', ',', 'e', '\n', '\\', '\x80', '\xff'}) {
      bytes[i] = value;
      ASSERT_EQ(check_tuning(bytes).broken_promise, "") << "byte " << i << " = " << static_cast<int>(value);
    }
    bytes[i] = sample()[i];
  }
}

// Replace, erase, repeat, or splice in a token that means something to the parser.
void mutate(std::string& bytes, test::Random& random) {
  static constexpr std::string_view kTokens[] = {"null",
                                                 "true",
                                                 "-1",
                                                 "1e308",
                                                 "1e-320",
                                                 "0",
                                                 "18446744073709551616",
                                                 "{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 ",",
                                                 ":",
                                                 "\"",
                                                 "\"threads\"",
                                                 "\"measured\": [",
                                                 "\"seconds\": 0",
                                                 "\\u0000",
                                                 "\xc3\x28",
                                                 "[[[[[[[[[[[[[[[[[[[["};
  const auto place = [&](std::size_t size) {
    return static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(size)));
  };
  const std::size_t at = place(bytes.size());
  switch (random.integer(0, 4)) {
    case 0:
      if (at < bytes.size()) bytes[at] = static_cast<char>(random.bits());
      break;
    case 1:
      bytes.erase(at, place(8));
      break;
    case 2:
      bytes.insert(at, bytes.substr(place(bytes.size()), place(64)));
      break;
    default:
      bytes.insert(at, kTokens[place(std::size(kTokens) - 1)]);
  }
}

TEST(TuningFuzz, SeededMutations) {
  constexpr int kRounds = 5000;
  test::Random random(20260131);
  int accepted = 0;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes = sample();
    for (std::int64_t n = random.integer(1, 2); n > 0; --n) mutate(bytes, random);
    const Parsed verdict = check_tuning(bytes);
    ASSERT_EQ(verdict.broken_promise, "") << "round " << round << ": " << bytes;
    accepted += verdict.accepted ? 1 : 0;
  }
  EXPECT_GT(accepted, kRounds / 100);
  EXPECT_LT(accepted, kRounds * 9 / 10);
}

}  // namespace
}  // namespace tandem::tuning_fuzz_test

#endif
