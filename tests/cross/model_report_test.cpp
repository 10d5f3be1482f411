// The reports of tandem-model, from figures that are made up here.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <nlohmann/json.hpp>

#include "bench/model/result.h"
#include "common/profile/read_json.h"
#include "tests/support/made_up_results.h"
#include "tests/support/program_run.h"

#ifdef TANDEM_MODEL_PROGRAM

namespace tandem::test::model_report_test {
namespace {

using models::Result;
using models::Row;
using nlohmann::json;

profile::Timing timing_of(double seconds) {
  return profile::timing_of({{seconds, seconds, seconds}, 1, profile::Stop::enough});
}

Row right(const std::string& variant, const std::string& backend, double one, double full) {
  Row row;
  row.variant = variant;
  row.backend = backend;
  row.status = profile::Status::ok;
  row.correct = row.agreeing = 7;
  row.max_error = row.mean_error = row.relative_error = 0.5;
  row.bound_ratio = 0;
  row.one.time = timing_of(one);
  row.full.time = timing_of(full);
  return row;
}

Row failed(const std::string& variant, profile::Status status, const std::string& reason) {
  Row row;
  row.variant = variant;
  row.backend = "cpu";
  row.status = status;
  row.reason = reason;
  return row;
}

Result made_up() {
  Result result;
  static_cast<profile::RunFacts&>(result) = made_up_comparison();
  result.file = "m.safetensors";
  result.labels = "y.npy";
  result.rows = 8;
  result.variants = {right("f32", "cpu", 2e-6, 1e-3),
                     right("int8-static", "cpu", 1e-6, 5e-4),
                     right("f32", "cuda", 1e-5, 1e-4),
                     right("int8-static", "cuda", 4e-6, 5e-5),
                     failed("2:4", profile::Status::wrong, "output 3 of row 5 is 1, expected 2 +- 0.5"),
                     failed("bf16", profile::Status::skipped, "no kernel, and \"so\" on")};
  derive_figures(result);
  return result;
}

TEST(ModelReport, FiguresFollowFromTheTimes) {
  const Result result = made_up();
  const Row &cpu = result.variants[1], &cuda = result.variants[3];
  EXPECT_DOUBLE_EQ(cpu.one.speedup, 2);
  EXPECT_DOUBLE_EQ(cpu.full.speedup, 2);
  EXPECT_DOUBLE_EQ(cuda.one.speedup, 2.5) << "against f32 of the same backend";
  EXPECT_DOUBLE_EQ(cpu.one.rows_per_second, 1e6);
  EXPECT_DOUBLE_EQ(cpu.full.rows_per_second, 16000);
}

TEST(ModelReport, AWrongVariantIsToldAndHasNoFigures) {
  const Result result = made_up();
  EXPECT_TRUE(result.any_wrong());
  const std::string text = table(result, false), markdown = to_markdown(result);
  EXPECT_NE(text.find("WRONG  2:4 on cpu: output 3 of row 5 is 1, expected 2 +- 0.5"), std::string::npos) << text;
  EXPECT_NE(text.find("4 variants measured and right, 1 WRONG, 1 skipped"), std::string::npos) << text;
  EXPECT_NE(markdown.find("**WRONG** 2:4 on cpu"), std::string::npos) << markdown;
  EXPECT_EQ(markdown.find("| 2:4 |"), std::string::npos) << markdown;
  const json row = json::parse(to_json(result)).at("variants").at(4);
  EXPECT_EQ(row.at("status"), "wrong");
  for (const char* key : {"accuracy", "agreement", "max_error", "saturated"}) EXPECT_TRUE(row.at(key).is_null()) << key;
  for (const char* batch : {"batch_1", "full_batch"}) EXPECT_TRUE(row.at(batch).at("median_s").is_null()) << batch;
}

TEST(ModelReport, ResultsAreReadAgain) {
  Result result = made_up();
  result.variants[1].calibrated = true;
  result.variants[1].quantized = 100;
  result.variants[1].saturated = 3;
  result.variants[1].memory_bytes = 1234;
  result.variants[1].kernels = {"cpu.matmul.f32.simd", "cpu.matmul.f32.naive"};
  const std::string text = to_json(result);
  const Result read = models::result_of(profile::parse_results(text, "m.json"), "m.json");
  EXPECT_EQ(to_json(read), text);
  EXPECT_EQ(read.variants[1].correct, 7);
  EXPECT_TRUE(read.variants[1].calibrated);
}

TEST(ModelReport, BrokenResultsAreRefused) {
  json text = json::parse(to_json(made_up()));
  text["variants"][1]["batch_1"]["cv"] = "high";
  try {
    (void)models::result_of(profile::parse_results(text.dump(), "m.json"), "m.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "m.json: variants[1].batch_1.cv is a string, expected a number or null");
  }
}

TEST(ModelReport, EveryLineOfCsvHasTheSameFields) {
  const std::vector<std::string> lines = lines_of(to_csv(made_up()));
  ASSERT_EQ(lines.size(), 7u);
  for (const std::string& line : lines) EXPECT_EQ(csv_fields(line), csv_fields(lines[0])) << line;
  EXPECT_NE(lines[6].find("\"no kernel, and \"\"so\"\" on\""), std::string::npos) << lines[6];
}

TEST(ModelReport, WithoutLabelsThereIsNoAccuracy) {
  Result result = made_up();
  result.labels.clear();
  EXPECT_EQ(table(result, false).find("accuracy"), std::string::npos);
  EXPECT_TRUE(json::parse(to_json(result)).at("variants").at(0).at("accuracy").is_null());
}

}  // namespace
}  // namespace tandem::test::model_report_test

#endif
