// Hostile results: truncated at every byte, and seeded mutations. Each must be refused with an Error in one sentence,
// or be read into a comparison that is written and read again the same.
#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/report.h>

#include "tests/support/data.h"
#include "tests/support/fuzz.h"
#include "tests/support/made_up_results.h"

namespace tandem::results_fuzz_test {
namespace {

/// What is broken; empty when nothing is.
std::string broken_promise(std::string_view text) {
  const test::Parsed result = test::parse_hostile(500, [&](test::Parsed& parsed) {
    const profile::Comparison c = profile::from_json(text, "fuzz");
    parsed.accepted = true;
    const std::string written = to_json(c);
    if (to_json(profile::from_json(written, "fuzz")) != written) parsed.broken_promise = "another comparison";
    if (to_csv(c).empty() || to_markdown(c).empty()) parsed.broken_promise = "no text";
  });
  return result.broken_promise;
}

/// Little enough to be cut at every byte: one row of each kind, without blanks.
std::string sample() {
  profile::Comparison c = test::made_up_comparison();
  c.rows = {c.rows[2], c.rows[4], c.rows[7]};
  std::string text;
  for (const char ch : to_json(c))
    if (ch != '\n') text += ch;
  return text;
}

TEST(ResultsFuzz, TruncatedAtEveryByte) {
  const std::string whole = sample();
  ASSERT_EQ(broken_promise(whole), "");
  for (std::size_t length = 0; length < whole.size(); ++length)
    ASSERT_EQ(broken_promise(std::string_view(whole).substr(0, length)), "") << length;
}

TEST(ResultsFuzz, SeededMutations) {
  const std::string whole = sample();
  test::Random random(1);
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(n) - 1));
  };
  const char* kPieces[] = {"null", "-1", "1e308", "1e-320", "\"\"", "[]", "{}", "true", "18446744073709551615",
                           ",",    ":"};
  for (int run = 0; run < 20'000; ++run) {
    std::string text = whole;
    for (std::int64_t edits = random.integer(1, 4); edits > 0; --edits) {
      const std::size_t at = below(text.size()), length = 1 + below(std::min<std::size_t>(12, text.size() - at));
      // A value in the place of another one: what still is JSON comes furthest.
      const std::size_t colon = text.find(": ", at), end = text.find_first_of(",}", colon);
      switch (random.integer(0, 4)) {
        case 0:
          text[at] = static_cast<char>(random.bits());
          break;
        case 1:
          text.erase(at, length);
          break;
        case 2:
          text.insert(below(text.size()), text.substr(at, length));
          break;
        default:
          if (end != std::string::npos) text.replace(colon + 2, end - colon - 2, kPieces[below(std::size(kPieces))]);
      }
    }
    ASSERT_EQ(broken_promise(text), "") << text;
  }
}

}  // namespace
}  // namespace tandem::results_fuzz_test
