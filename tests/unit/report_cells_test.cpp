// What the reports of a comparison print of its numbers.
#include <string>

#include <gtest/gtest.h>
#include <tandem/report.h>

#include "common/profile/comparison.h"
#include "tests/support/made_up_results.h"
#include "tests/support/program_run.h"

namespace tandem::profile::report_cells_test {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

Comparison one_row(Row row) {
  Comparison c = test::made_up_comparison();
  c.rows = {std::move(row)};
  return c;
}

TEST(ReportCells, TheSpeedUpIsTheOneThatTheIntervalIsOf) {
  Row row = test::made_up_comparison().rows[1];
  row.speedup_vs_reference = 2.5;  // of the medians
  row.vs_reference = {Verdict::faster, 2, {1.98, 2.02}, 0.001, 0.03, 40};
  const Comparison c = one_row(row);
  for (const std::string& text : {table_block(c.rows, {}), to_markdown(c)}) {
    EXPECT_TRUE(has(text, "2.00x")) << text;
    EXPECT_TRUE(has(text, "faster +-1.0 %")) << text;
    EXPECT_FALSE(has(text, "2.50x")) << text;
  }
}

TEST(ReportCells, TooFewSamplesHaveNoInterval) {
  Row row = test::made_up_comparison().rows[1];
  row.vs_best = {};
  row.vs_reference = {Verdict::inconclusive, 1.1, {1.1, 1.1}, 1, 0.02, 1};
  const Comparison c = one_row(row);
  EXPECT_TRUE(has(table_block(c.rows, {}), "no interval of 1 sample\n")) << table_block(c.rows, {});
  for (const std::string& text : {table_block(c.rows, {}), to_markdown(c)}) {
    EXPECT_TRUE(has(text, "inconclusive n/a")) << text;
    EXPECT_FALSE(has(text, "+-")) << text;
  }
}

TEST(ReportCells, ANarrowTerminalHasTheColumnsThatMatterMost) {
  Comparison c = test::made_up_comparison();
  c.rows = {c.rows[0], c.rows[1]};
  const std::string wide = table_block(c.rows, {}), narrow = table_block(c.rows, {.width = 80});
  for (const char* title : {"median", "speed-up", "verdict", "against the fastest", "err/bound", "p25 .. p75"})
    EXPECT_TRUE(has(wide, title)) << title;
  const std::vector<std::string> lines = test::lines_of(narrow);
  ASSERT_GE(lines.size(), 3u);
  for (std::size_t i = 1; i < 3; ++i) EXPECT_LE(lines[i].size(), 80u) << lines[i];
  for (const char* title : {"kernel", "median", "speed-up", "verdict"}) EXPECT_TRUE(has(lines[1], title)) << narrow;
  EXPECT_FALSE(has(narrow, "against the fastest")) << narrow;
  EXPECT_TRUE(has(table_footer(c, {.width = 80}), "not shown in 80 characters: against the fastest, p25 .. p75, "));
  EXPECT_FALSE(has(table_footer(c, {}), "not shown"));
}

TEST(ReportCells, TheCsvHasAllNumbers) {
  const std::string csv = to_csv(test::made_up_comparison());
  const std::vector<std::string> lines = test::lines_of(csv);
  ASSERT_EQ(lines.size(), test::made_up_comparison().rows.size() + 1);
  const std::string names = "," + lines[0] + ",";
  for (const char* name :
       {"median_s", "p99_s", "cv", "mad_s", "median_95_low_s", "median_95_high_s", "calls_per_sample", "stop",
        "end_to_end_p99_s", "cold_mad_s", "flops", "dense_flops", "bytes", "written_bytes", "ceiling", "ceiling_unit",
        "predicted_end_to_end_s", "samples_vs_best", "reproduce"})
    EXPECT_TRUE(has(names, std::string(",") + name + ",")) << name;
  for (const std::string& line : lines) EXPECT_EQ(test::csv_fields(line), test::csv_fields(lines[0])) << line;
  EXPECT_TRUE(has(lines[2], ",precise enough,")) << lines[2];
  EXPECT_TRUE(has(lines[2], ",524288,")) << lines[2];
}

TEST(ReportCells, ProductsOfIntegersAreNoFloatingPointOperations) {
  std::vector<Row> rows = {test::made_up_comparison().rows[7]};
  ASSERT_EQ(rows[0].work.arithmetic, DType::s8);
  derive_figures(rows);
  EXPECT_EQ(rows[0].rate_unit, "Gop/s");
  const std::string table = table_block(rows, {});
  EXPECT_TRUE(has(table, "524 kop ")) << table;
  EXPECT_FALSE(has(table, "FLOP")) << table;
  // As it is read again.
  const Comparison again = from_json(to_json(one_row(rows[0])), "t.json");
  EXPECT_TRUE(again.rows[0].work.rate_is_flops && again.rows[0].ceiling.flops);
  const std::string markdown = to_markdown(one_row(rows[0]));
  EXPECT_TRUE(has(markdown, "s8 dot 3000 Gop/s, bf16 dot 1500 GFLOP/s; in GB/s:")) << markdown;
}

}  // namespace
}  // namespace tandem::profile::report_cells_test
