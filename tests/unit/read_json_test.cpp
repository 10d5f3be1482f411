// Results that are written and read again, and files that are no results.
#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/report.h>

#include "common/profile/read_json.h"
#include "tests/support/made_up_results.h"

namespace tandem::profile::read_json_test {
namespace {

/// The sentence that a text is refused with; empty when it is taken.
std::string refusal(const std::string& text) {
  try {
    (void)from_json(text, "old.json");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::io_error) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return error.what();
  }
  return "";
}

/// The made-up results with one piece of their text replaced.
std::string changed(const std::string& from, const std::string& to) {
  std::string text = to_json(test::made_up_comparison());
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the results: " + from);
  return text.replace(at, from.size(), to);
}

TEST(ReadJson, WhatIsWrittenIsReadAgain) {
  const std::string text = to_json(test::made_up_comparison());
  EXPECT_EQ(to_json(from_json(text, "")), text);
}

TEST(ReadJson, AMeasuredComparisonIsReadAgain) {
  Context ctx;
  CompareOptions options;
  options.min_seconds = 1e-3;
  const Problem problems[] = {{"matmul", "f32:17x9x33", "odd", {}},
                              {"quantized_matmul", "s8:8x8x8", "", {}},
                              {"spmm", "csr:32x32x8@0.2", "", {}}};
  const Comparison measured = benchmark_operation(ctx, problems, options);
  const std::string text = to_json(measured);
  const Comparison read = from_json(text, "");
  EXPECT_EQ(to_json(read), text);
  ASSERT_EQ(read.rows.size(), measured.rows.size());
  for (std::size_t i = 0; i < read.rows.size(); ++i) {
    const Row &before = measured.rows[i], &after = read.rows[i];
    EXPECT_EQ(after.time.samples, before.time.samples) << before.kernel;
    EXPECT_EQ(after.work.rate_is_flops, before.work.rate_is_flops) << before.kernel;
    if (!before.time.measured()) continue;
    EXPECT_EQ(after.time.summary.mean, before.time.summary.mean);
    EXPECT_EQ(after.time.summary.max, before.time.summary.max);
    EXPECT_NEAR(after.ceiling.seconds, before.ceiling.seconds, 1e-12 * before.ceiling.seconds);
  }
}

TEST(ReadJson, AbsentNumbersAreNaN) {
  const Comparison read = from_json(to_json(test::made_up_comparison()), "");
  EXPECT_TRUE(std::isnan(read.during.stolen_seconds));
  EXPECT_TRUE(std::isnan(read.rows[5].time.summary.median)) << "a skipped row";
  EXPECT_TRUE(std::isnan(read.rows[0].regret));
  EXPECT_EQ(read.rows[0].work.dense_flops, 0);
  EXPECT_FALSE(read.rows[0].can_saturate);
  EXPECT_TRUE(read.rows[7].can_saturate);
  EXPECT_FALSE(read.rows[0].end_to_end.measured());
  EXPECT_TRUE(read.rows[2].end_to_end.measured());
}

TEST(ReadJson, ResultsOfOlderVersionsAreRead) { EXPECT_EQ(refusal(changed("\"huge_pages\": \"madvise\",", "")), ""); }

TEST(ReadJson, UnknownFieldsArePassedOver) {
  EXPECT_EQ(refusal(changed("\"library\"", "\"unheard_of\": {\"a\": [1, null]}, \"library\"")), "");
  EXPECT_EQ(refusal(changed("\"op\"", "\"unheard_of\": [[]], \"op\"")), "");
}

TEST(ReadJson, WhatIsNoResultIsRefusedInOneSentence) {
  const struct {
    std::string text, mentions;
  } kBad[] = {
      {"", "old.json: not JSON near byte 0"},
      {"[]", "no \"schema\""},
      {"{}", "no \"schema\""},
      {"{\"schema\": 3}", "no \"schema\""},
      {"{\"schema\": \"tandem-model/1\"}", "its schema is 'tandem-model/1', expected 'tandem-compare/1'"},
      {"{\"schema\": \"tandem-compare/2\"}", "'tandem-compare/2'"},
      {"{\"schema\": \"tandem-compare/1\"}", "library is missing"},
      {"{\"a\": 1, \"a\": 2}", "'a' stands twice"},
      {"{\"a\": NaN}", "not JSON near byte"},
      {"{\"a\": 1e999}", "range of double"},
      {"{\"a\": \"\xff\"}", "not JSON near byte"},
      {std::string(100, '['), "more than 16 levels"},
      {changed("\"rows\": [", "\"rows\": 5, \"old_rows\": ["), "rows is a number, expected a list"},
      {changed("\"op\": \"matmul\"", "\"op\": null"), "rows[0].op is null, expected a string"},
      {changed("\"op\": \"matmul\",", ""), "rows[0].op is missing"},
      {changed("\"status\": \"ok\"", "\"status\": \"fine\""), "rows[0].status is 'fine', which is unknown"},
      {changed("\"status\": \"ok\"", "\"status\": \"unknown\""), "rows[0].status is 'unknown'"},
      {changed("\"threads\": 8", "\"threads\": -8"), "machine.threads is -8"},
      {changed("\"threads\": 8", "\"threads\": 4294967296"), "machine.threads is 4294967296"},
      {changed("\"threads\": 8", "\"threads\": 8.5"), "machine.threads is 8.5"},
      {changed("\"isa\": \"avx2\"", "\"isa\": \"avx9\""), "machine.isa is 'avx9'"},
      {changed("\"name\": \"L2\"", "\"name\": \"L9\""), "machine.ceilings.memory[1].name is 'L9'"},
      {changed("\"median_s\": ", "\"median_s\": \"x\", \"old\": "), "rows[0].median_s is a string"},
      {changed("\"samples\": 4", "\"samples\": 5"), "rows[0].samples is 5, but the list has 4 entries"},
      {changed("\"sample_s\": [", "\"sample_s\": [-1,"), "sample_s has -1 in it, expected seconds from 0"},
      {changed("\"sample_s\": [", "\"sample_s\": [1e308,"), "sample_s has 1e+308 in it"},
      {changed("\"median_s\": ", "\"median_s\": -1, \"old\": "), "rows[0].median_s is -1, expected seconds from 0"},
      {changed("\"p99_s\": ", "\"p99_s\": 1e308, \"old\": "), "rows[0].p99_s is 1e+308, expected seconds from 0"},
      {changed("\"sample_s\": [", "\"sample_s\": [null,"), "rows[0].sample_s has null in it"},
      {changed("\"reference\": true", "\"reference\": 1"), "rows[0].reference is a number"},
      {changed("\"accuracy\": 0.9", "\"accuracy\": {}"), "statements[0].figures.accuracy is an object"},
  };
  for (const auto& bad : kBad) {
    const std::string sentence = refusal(bad.text);
    EXPECT_EQ(sentence.rfind("old.json: ", 0), 0u) << bad.mentions << " | " << sentence;
    EXPECT_NE(sentence.find(bad.mentions), std::string::npos) << bad.mentions << " | " << sentence;
  }
}

TEST(ReadJson, WhatIsTooLargeIsRefused) {
  EXPECT_NE(refusal(std::string((std::size_t{64} << 20) + 1, ' ')).find("67108865 bytes"), std::string::npos);
  std::string many = "{\"schema\": \"tandem-compare/1\", \"x\": [0";
  for (int i = 0; i < 4'000'000; ++i) many += ",0";
  EXPECT_NE(refusal(many + "]}").find("more than 4000000 values"), std::string::npos);
  std::string keys = "{\"k\": 0";
  for (int i = 0; i < 300; ++i) keys += ",\"k" + std::to_string(i) + "\": 0";
  EXPECT_NE(refusal(keys + "}").find("more than 256 fields"), std::string::npos);
}

TEST(ReadJson, FilesThatCannotBeReadAreNamed) {
  try {
    (void)load_results("/nowhere/at/all.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::io_error);
    EXPECT_NE(std::string(error.what()).find("/nowhere/at/all.json"), std::string::npos);
  }
}

}  // namespace
}  // namespace tandem::profile::read_json_test
