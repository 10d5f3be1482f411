// The pieces of the HTML report: text that stays text, ladders of sizes, break-even, charts.
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/profile.h>

#include "tests/support/made_up_results.h"

#ifdef TANDEM_REPORT_PROGRAM

#include "bench/report/chart.h"
#include "bench/report/html.h"
#include "bench/report/ladders.h"
#include "bench/report/page.h"
#include "common/profile/report.h"

namespace tandem::report::report_page_test {
namespace {

using profile::Row;

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (std::size_t at = 0; (at = text.find(piece, at)) != std::string::npos; at += piece.size()) ++found;
  return found;
}

TEST(ReportHtml, TextStaysText) {
  EXPECT_EQ(esc("<b a='1' c=\"2\">&\x01"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\xef\xbf\xbd");
  EXPECT_EQ(script_json("{\"a\":\"</script>\"}"), "{\"a\":\"\\u003c/script>\"}");
  EXPECT_EQ(kernel_text("cpu.relu<"), "cpu.<wbr>relu&lt;");
}

TEST(ReportHtml, AbsentFiguresAreADash) {
  for (const double value : {std::nan(""), HUGE_VAL, -HUGE_VAL})
    for (const std::string& text : {seconds_text(value), factor_text(value), percent_text(value), bytes_text(value)})
      EXPECT_EQ(text, "\xe2\x80\x93");
  EXPECT_EQ(bar(std::nan("")), "");
  EXPECT_NE(bar(7).find("width:100.0%"), std::string::npos);
}

TEST(ReportHtml, WhatIsAboveItsCeilingIsMarked) {
  EXPECT_EQ(ceiling_text(1.02).find("above"), std::string::npos);
  EXPECT_NE(ceiling_text(1.168).find("116.8 %<small>above the ceiling</small>"), std::string::npos);
  profile::Comparison c = test::made_up_comparison();
  for (Row& row : c.rows) row.ceiling_fraction = 0.9;
  const std::string sentence = "1 row is above the ceiling: it was measured too low";
  const auto page = [&] { return to_html({{"a.json", to_json(c), c, {}, false}}); };
  EXPECT_EQ(page().find("above the ceiling"), std::string::npos);
  c.rows[0].ceiling_fraction = 1.04;
  EXPECT_NE(page().find(sentence), std::string::npos);
}

TEST(ReportLadders, SizesOfAProblem) {
  const SplitProblem p = split_problem("csr:1024x256x64@0.05,int8,group=128x2");
  EXPECT_EQ(p.family, "csr:#x#x#@#,int8,group=128x2");
  EXPECT_EQ(p.sizes, (std::vector<double>{1024, 256, 64, 0.05}));
  EXPECT_EQ(p.before, (std::vector<char>{':', 'x', 'x', '@'}));
  EXPECT_EQ(split_problem("f32:4x5x6*3").sizes.size(), 4u);
  EXPECT_EQ(split_problem("").family, "");
  EXPECT_EQ(split_problem("x:*@,").sizes.size(), 0u);
}

std::vector<Row> rows_of(const std::vector<std::string>& problems) {
  std::vector<Row> rows;
  for (const std::string& problem : problems) {
    Row row = test::made_up_comparison().rows[0];
    row.problem = problem;
    row.label.clear();
    rows.push_back(row);
  }
  return rows;
}

TEST(ReportLadders, ProblemsThatDifferInOneSize) {
  const std::vector<Row> rows = rows_of({"f32:64x64x64", "f32:8x64x64", "f32:128x128x128", "f32:16x64x64,bias"});
  const std::vector<Ladder> ladders = ladders_of(rows);
  ASSERT_EQ(ladders.size(), 2u);
  EXPECT_EQ(ladders[0].title, "matmul f32:nxnxn");
  ASSERT_EQ(ladders[0].rungs.size(), 2u);
  EXPECT_EQ(ladders[0].rungs[1].size, 128);
  EXPECT_EQ(ladders[1].title, "matmul f32:nx64x64");
  EXPECT_EQ(ladders[1].rungs[0].size, 8);
}

TEST(ReportLadders, DensitiesAreToldApart) {
  const std::vector<Row> rows = rows_of({"csr:8x8x8@0.5", "csr:8x8x8@0.1"});
  const std::vector<Ladder> ladders = ladders_of(rows);
  ASSERT_EQ(ladders.size(), 1u);
  EXPECT_TRUE(ladders[0].density);
  EXPECT_EQ(ladders[0].rungs[0].size, 0.1);
}

TEST(ReportLadders, HostileFamiliesDoNotMix) {
  const std::vector<Row> rows = rows_of({"f32:#x5", "f32:3x5", "f32:#x6", "f32:4x5"});
  EXPECT_EQ(ladders_of(rows).size(), 2u);
}

TEST(ReportLadders, CrossingsAreBetweenMeasuredPoints) {
  const std::vector<XY> points = {{1, 0.5}, {4, 2}, {8, std::nan("")}, {16, 4}, {32, 0.25}};
  const std::vector<Crossing> found = crossings_of(points, 1);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_DOUBLE_EQ(found[0].x, 2) << "half the way in both logarithms";
  EXPECT_EQ(found[0].from, 1);
  EXPECT_EQ(found[0].to, 4);
  EXPECT_TRUE(found[0].upwards);
  EXPECT_DOUBLE_EQ(found[1].x, 16 * std::sqrt(2.0));
  EXPECT_FALSE(found[1].upwards);
  EXPECT_TRUE(crossings_of(std::vector<XY>{{1, 2}, {2, 3}}, 1).empty()) << "nothing is extrapolated";
}

TEST(ReportChart, MarksThatCannotBeDrawnAreLeftOut) {
  Chart chart;
  chart.title = "a <title>";
  chart.series = {
      {"s", {{1, 2, "one", ""}, {0, 2, "zero", ""}, {3, std::nan(""), "nan", ""}, {1e300, 1e-300, "", ""}}}};
  const std::string svg = figure(chart);
  EXPECT_NE(svg.find("a &lt;title&gt;"), std::string::npos);
  EXPECT_EQ(count(svg, "class=\"mark c0\""), 3u) << "two marks and the legend\n" << svg;
  EXPECT_EQ(svg.find("nan"), std::string::npos) << svg;
  EXPECT_EQ(svg.find("inf"), std::string::npos) << svg;
  chart.series = {{"s", {{0, 2, "zero", ""}}}};
  EXPECT_EQ(figure(chart), "");
}

TEST(ReportPage, ShowsEveryRowAndNoTag) {
  Source source;
  source.name = "<i>.json";
  source.comparison = test::made_up_comparison();
  source.json = to_json(source.comparison);
  const std::string page = to_html({source});
  EXPECT_EQ(count(page, "data-row=\""), source.comparison.rows.size());
  EXPECT_EQ(count(page, "</script>"), 2u) << "the data and the script";
  EXPECT_EQ(page.find("<i>.json"), std::string::npos);
  EXPECT_EQ(page.find("4 +- 0.5 \x01 <b>"), std::string::npos);
  EXPECT_NE(page.find("WRONG"), std::string::npos);
  EXPECT_NE(page.find("<small>faster</small><small>9.5x .. 10.5x</small>"), std::string::npos) << "a verdict";
  EXPECT_NE(page.find("this CPU has no AMX"), std::string::npos);
  EXPECT_EQ(page.find("{{"), std::string::npos) << "a place that nothing was put in";
  for (const char* network : {"http://", "https://", "url(", "@import", "<link"}) {
    std::string rest = page;
    for (std::size_t at; (at = rest.find("http://www.w3.org/2000/svg")) != std::string::npos;) rest.erase(at, 26);
    EXPECT_EQ(rest.find(network), std::string::npos) << network;
  }
}

/// A problem in three sizes: the GPU, copies included, is faster from the middle one on.
TEST(ReportPage, TellsWhereTheGpuOvertakesTheCpu) {
  Source source;
  source.json = "{}";
  source.comparison = test::made_up_comparison();
  std::vector<Row> rows;
  double whole_call = 2e-4;
  for (const char* problem : {"f32:64x64x64", "f32:128x128x128", "f32:256x256x256"}) {
    Row reference = source.comparison.rows[0], cpu = source.comparison.rows[1], gpu = source.comparison.rows[2];
    gpu.end_to_end = test::made_up_timing({whole_call});
    whole_call /= 4;
    for (Row* row : {&reference, &cpu, &gpu}) {
      row->problem = problem;
      row->label.clear();
      rows.push_back(*row);
    }
  }
  source.comparison.rows = rows;
  const std::string page = to_html({source});
  EXPECT_NE(page.find("With copies, the GPU overtakes the CPU between 64 and 128; about 90.28 by interpolation."),
            std::string::npos);
  EXPECT_NE(page.find("class=\"band\""), std::string::npos);
  EXPECT_NE(page.find("cuda.matmul.f32.tiled, end to end"), std::string::npos);
}

TEST(ReportPage, ResultsWithoutRowsAreAPage) {
  Source source;
  source.json = "{}";
  source.comparison.date = "now";
  EXPECT_NE(to_html({source}).find("<section id=\"machine\">"), std::string::npos);
  source.is_model = true;
  EXPECT_NE(to_html({source, source}).find("<article id=\"run1\">"), std::string::npos);
}

// Numbers as a hostile file can have them: the page is made, and nothing in it is not a number.
TEST(ReportPage, StrangeNumbersDoNotBreakPictures) {
  Source source;
  source.comparison = test::made_up_comparison();
  source.json = "{}";
  for (const double strange : {0.0, -1.0, 1e308, 1e-308, std::nan("")}) {
    for (Row& row : source.comparison.rows) {
      row.speedup_vs_reference = row.predicted_seconds = row.ceiling_fraction = row.work.bytes = strange;
      row.time.summary.median = strange;
    }
    const std::string page = to_html({source});
    EXPECT_EQ(page.find("=\"nan"), std::string::npos) << strange;
    EXPECT_EQ(page.find("=\"inf"), std::string::npos) << strange;
    EXPECT_EQ(page.find("=\"-nan"), std::string::npos) << strange;
  }
}

}  // namespace
}  // namespace tandem::report::report_page_test

#endif
