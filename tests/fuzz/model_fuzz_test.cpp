// Hostile descriptions of models: truncated at every byte, every byte replaced, and seeded mutations. Each must be
// refused with an Error in one sentence, or parse into a description that can be printed and read again.
#include <string>
#include <string_view>

#include <gtest/gtest.h>
#include <tandem/error.h>

#include "common/model/description.h"
#include "tests/support/data.h"
#include "tests/support/fuzz.h"

namespace tandem::model_fuzz_test {
namespace {

const std::string kSample =
    R"({"version":1,"name":"a \u00e9","softmax":false,"layers":[{"weight":"w1","bias":"b1","activation":"relu"},)"
    R"( {"weight":"w2","transposed":true}]})";

/// What is broken; empty when nothing is.
std::string broken_promise(std::string_view text) {
  const test::Parsed result = test::parse_hostile(500, [&](test::Parsed& parsed) {
    const ModelDescription d = parse_model_description(text, "fuzz");
    parsed.accepted = true;
    if (d.layers.empty()) parsed.broken_promise = "no layers";
    for (const LayerDescription& layer : d.layers)
      if (layer.weight.empty()) parsed.broken_promise = "a weight without a name";
    const std::string printed = print_model_description(d);
    if (print_model_description(parse_model_description(printed, "fuzz")) != printed)
      parsed.broken_promise = "another description";
  });
  return result.broken_promise;
}

TEST(ModelFuzz, TruncatedAtEveryByte) {
  for (std::size_t length = 0; length <= kSample.size(); ++length)
    EXPECT_EQ(broken_promise(std::string_view(kSample).substr(0, length)), "") << length;
}

TEST(ModelFuzz, EveryByteReplaced) {
  for (std::size_t at = 0; at < kSample.size(); ++at)
    for (int byte = 0; byte < 256; ++byte) {
      std::string text = kSample;
      text[at] = static_cast<char>(byte);
      ASSERT_EQ(broken_promise(text), "") << at << " " << byte;
    }
}

TEST(ModelFuzz, SeededMutations) {
  test::Random random(1);
  const auto below = [&](std::size_t n) {
    return static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(n) - 1));
  };
  for (int run = 0; run < 50'000; ++run) {
    std::string text = kSample;
    for (std::int64_t edits = random.integer(1, 6); edits > 0 && !text.empty(); --edits) {
      const std::size_t at = below(text.size()), length = 1 + below(std::min<std::size_t>(12, text.size() - at));
      switch (random.integer(0, 3)) {
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
          text.insert(at, 1, "{}[]\",:0"[below(8)]);
      }
    }
    ASSERT_EQ(broken_promise(text), "") << text;
  }
}

}  // namespace
}  // namespace tandem::model_fuzz_test
