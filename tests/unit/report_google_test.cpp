// The JSON of Google Benchmark: what its tools/compare.py looks at.
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <tandem/report.h>

#include "common/profile/read_json.h"
#include "tests/support/made_up_results.h"

namespace tandem::profile::report_google_test {
namespace {

TEST(GoogleBenchmarkJson, SamplesAreRepetitionsAndAggregatesFollow) {
  const Comparison c = test::made_up_comparison();
  const Json json = parse_results(to_google_benchmark_json(c), "google");
  EXPECT_EQ(json.at("context").at("date"), c.date);
  EXPECT_EQ(json.at("context").at("num_cpus"), 8);
  std::map<std::string, std::size_t> samples;
  std::map<std::string, std::set<std::string>> aggregates;
  for (const Json& entry : json.at("benchmarks")) {
    for (const char* key : {"name", "run_name", "run_type", "repetitions", "real_time", "cpu_time", "time_unit"})
      EXPECT_TRUE(entry.contains(key)) << key;
    EXPECT_EQ(entry.at("time_unit"), "ns");
    const std::string run = entry.at("run_name");
    if (entry.at("run_type") == "iteration" && !entry.contains("error_occurred")) ++samples[run];
    if (entry.at("run_type") == "aggregate") {
      aggregates[run].insert(entry.at("aggregate_name"));
      EXPECT_EQ(entry.at("name"), run + "_" + entry.at("aggregate_name").get<std::string>());
    }
  }
  EXPECT_EQ(samples.at("matmul/f32:64x64x64/cpu.matmul.f32.simd"), 4u);
  EXPECT_EQ(samples.at("matmul/f32:64x64x64/cuda.matmul.f32.tiled/end_to_end"), 3u);
  EXPECT_EQ(aggregates.at("matmul/f32:64x64x64/auto"), (std::set<std::string>{"mean", "median", "stddev", "cv"}));
  EXPECT_EQ(aggregates.size(), samples.size());
}

TEST(GoogleBenchmarkJson, TimesAreNanosecondsOfOneCall) {
  Comparison c = test::made_up_comparison();
  c.rows = {c.rows[1]};
  const Json entries = parse_results(to_google_benchmark_json(c), "google").at("benchmarks");
  const Summary& s = c.rows[0].time.summary;
  ASSERT_EQ(entries.size(), 8u);
  EXPECT_DOUBLE_EQ(entries[1].at("real_time"), c.rows[0].time.samples[1] * 1e9);
  EXPECT_EQ(entries[1].at("repetition_index"), 1);
  EXPECT_EQ(entries[1].at("iterations"), 3) << "calls in a sample";
  EXPECT_DOUBLE_EQ(entries[5].at("real_time"), s.median * 1e9);
  EXPECT_DOUBLE_EQ(entries[6].at("real_time"), s.cv * s.mean * 1e9);
  EXPECT_DOUBLE_EQ(entries[7].at("real_time"), s.cv);
}

TEST(GoogleBenchmarkJson, NamesAreUniqueAndWrongRowsAreErrors) {
  Comparison c = test::made_up_comparison();
  c.rows.push_back(c.rows[1]);  // the same problem under another label
  const Json json = parse_results(to_google_benchmark_json(c), "google");
  std::set<std::string> runs;
  std::size_t errors = 0;
  for (const Json& entry : json.at("benchmarks")) {
    runs.insert(entry.at("run_name"));
    if (!entry.contains("error_occurred")) continue;
    ++errors;
    EXPECT_EQ(entry.at("name"), "matmul/f32:64x64x64/cpu.matmul.f32.broken");
    EXPECT_EQ(entry.at("error_message"), c.rows[4].reason);
  }
  EXPECT_EQ(errors, 1u);
  EXPECT_TRUE(runs.contains("matmul/f32:64x64x64/cpu.matmul.f32.simd#2"));
  EXPECT_FALSE(runs.contains("matmul/f32:64x64x64/cpu.matmul.f32.amx")) << "skipped";
}

}  // namespace
}  // namespace tandem::profile::report_google_test
