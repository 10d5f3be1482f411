// Rooflines of machines that do not exist: which points and lines there are, and where they are drawn.
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/profile/roofline.h"
#include "tests/support/machines.h"
#include "tests/support/made_up_results.h"
#include "tests/support/xml_check.h"

namespace tandem::profile::roofline_test {
namespace {

/// FMA 100 GFLOP/s, DRAM 10 GB/s: the ridge is at 10.
RunFacts plain_facts() {
  RunFacts facts;
  facts.machine = test::plain_machine();
  facts.roof.threads = 4;
  facts.roof.flops_all = 1e11;
  facts.roof.levels = {
      {{"L1", 1000, 0, 0, 0}, {"L2", 2000, 0, 0, 0}, {"L3", 3000, 0, 0, 0}, {"DRAM", 9999, 8e9, 10e9, 7e9}}};
  return facts;
}

Row row_with(double intensity, double flops_rate, const char* backend = "cpu") {
  Row row;
  row.op = "matmul";
  row.problem = "f32:1x1x1";
  row.kernel = row.ran = std::string(backend) + ".k";
  row.backend = backend;
  row.status = Status::ok;
  row.work.bytes = 1000;
  row.work.flops = 1000 * intensity;
  row.time = test::made_up_timing({row.work.flops / flops_rate});
  row.ceiling = {1, "read DRAM", 10e9, false};
  row.ceiling_fraction = 0.5;
  return row;
}

std::vector<double> numbers_after(const std::string& text, const std::string& key) {
  std::vector<double> numbers;
  for (std::size_t at = text.find(key); at != std::string::npos; at = text.find(key, at + 1))
    numbers.push_back(std::stod(text.substr(at + key.size())));
  return numbers;
}

TEST(Roofline, HasThePointsThatWereTimed) {
  std::vector<Row> rows = {row_with(2, 5e9), row_with(3, 4e9), row_with(0, 1), row_with(5, 1e9),
                           row_with(7, 1e9, "cuda")};
  rows[1].status = Status::wrong;
  rows[3].time = {};
  rows[3].status = Status::skipped;
  const std::vector<Roofline> all = rooflines(plain_facts(), rows);
  ASSERT_EQ(all.size(), 1u) << "there is no GPU";
  ASSERT_EQ(all[0].points.size(), 1u);
  EXPECT_DOUBLE_EQ(all[0].points[0].intensity, 2);
  EXPECT_DOUBLE_EQ(all[0].points[0].flops, 5e9);
  EXPECT_EQ(sentence_of(all[0].points[0]), "cpu.k, matmul f32:1x1x1: 2.000 flop/byte, 5 GFLOP/s, 50.0 % of read DRAM");
  ASSERT_EQ(all[0].flops.size(), 1u) << "what was not measured is no line";
  ASSERT_EQ(all[0].bytes.size(), 1u);
  EXPECT_EQ(all[0].bytes[0].name, "read DRAM");
  EXPECT_DOUBLE_EQ(ridge(all[0], all[0].bytes[0].rate), 10);
}

TEST(Roofline, AGpuHasItsOwnWithWholeCallsUnderTheLink) {
  RunFacts facts = plain_facts();
  facts.machine = test::gpu_machine_with(20e9);
  facts.machine.ceilings.gpu_bf16_flops = 800e12;
  std::vector<Row> rows = {row_with(7, 1e12, "cuda")};
  rows[0].end_to_end = test::made_up_timing({rows[0].work.flops / 1e10});
  const std::vector<Roofline> all = rooflines(facts, rows);
  ASSERT_EQ(all.size(), 2u);
  EXPECT_TRUE(all[0].points.empty());
  ASSERT_EQ(all[1].points.size(), 2u);
  EXPECT_FALSE(all[1].points[0].whole_call);
  EXPECT_TRUE(all[1].points[1].whole_call);
  EXPECT_DOUBLE_EQ(all[1].points[1].flops, 1e10);
  EXPECT_EQ(all[1].flops.size(), 2u) << "FMA and bf16; s8 was not measured";
  EXPECT_EQ(all[1].bytes.size(), 3u);
}

TEST(Roofline, AxesHoldEverything) {
  const std::vector<Row> rows = {row_with(0.125, 1e8), row_with(300, 9e10)};
  const Roofline roofline = rooflines(plain_facts(), rows)[0];
  const RooflineAxes axes = axes_of(roofline);
  for (const double x : {0.125, 10.0, 300.0}) {
    EXPECT_GE(axes.intensity.at(x), 0);
    EXPECT_LE(axes.intensity.at(x), 1);
  }
  for (const double y : {1e8, 9e10, 1e11}) {
    EXPECT_GE(axes.flops.at(y), 0);
    EXPECT_LE(axes.flops.at(y), 1);
  }
  EXPECT_DOUBLE_EQ((LogAxis{-1, 3}.at(10)), 0.5);
  const RooflineAxes empty = axes_of({});
  EXPECT_LT(empty.flops.low, empty.flops.high);
}

TEST(RooflineSvg, PointsAreAtTheRightPlace) {
  // On the ridge, a tenth of its rate, and a tenth of its intensity on the diagonal.
  const std::vector<Row> rows = {row_with(10, 1e11), row_with(10, 1e10), row_with(1, 1e10)};
  const std::string svg = roofline_svg(rooflines(plain_facts(), rows));
  const std::vector<double> x = numbers_after(svg, " cx=\""), y = numbers_after(svg, " cy=\"");
  ASSERT_EQ(x.size(), 3u);
  ASSERT_EQ(y.size(), 3u);
  EXPECT_EQ(x[0], x[1]);
  EXPECT_EQ(y[1], y[2]);
  EXPECT_LT(y[0], y[1]) << "upwards is more";
  EXPECT_LT(x[2], x[0]);
  // The ends of the lines: the diagonal ends where the horizontal one begins, which is the first point.
  const auto line = [&](const std::string& kind) {
    const std::size_t at = svg.find("<line class=\"roof-" + kind);
    return svg.substr(at, svg.find("/>", at) - at);
  };
  EXPECT_NEAR(numbers_after(line("bytes"), "x2=\"")[0], x[0], 0.02);
  EXPECT_NEAR(numbers_after(line("bytes"), "y2=\"")[0], y[0], 0.02);
  EXPECT_NEAR(numbers_after(line("flops"), "x1=\"")[0], x[0], 0.02);
  EXPECT_NEAR(numbers_after(line("flops"), "y1=\"")[0], y[0], 0.02);
  // The third point lies on the diagonal.
  const double x1 = numbers_after(line("bytes"), "x1=\"")[0], y1 = numbers_after(line("bytes"), "y1=\"")[0];
  EXPECT_NEAR((y[2] - y1) * (x[0] - x1), (y[0] - y1) * (x[2] - x1), 10);
}

TEST(RooflineSvg, IsWellFormedWhateverTheNames) {
  RunFacts facts = plain_facts();
  facts.machine = test::gpu_machine_with(20e9);
  facts.machine.gpus[0].name = "A <GPU> & \"more\"\n\x01";
  std::vector<Row> rows = {row_with(2, 5e9), row_with(2, 5e9, "cuda")};
  rows[0].problem = "f32:1</title>&nope;";
  const std::string svg = roofline_svg(rooflines(facts, rows));
  EXPECT_EQ(test::xml_complaint(svg), "");
  EXPECT_EQ(svg.find("<GPU>"), std::string::npos);
  EXPECT_NE(svg.find("prefers-color-scheme:dark"), std::string::npos);
  EXPECT_EQ(svg.find("http", svg.find("xmlns") + 40), std::string::npos) << "nothing is fetched";
  EXPECT_EQ(test::xml_complaint(roofline_svg({})), "");
}

TEST(RooflineSvg, TheCheckItselfFinds) {
  for (const char* bad :
       {"", "<a>", "<a></b>", "<a b=c/>", "<a>&</a>", "<a b=\"<\"/>", "<a/><b/>", "<a/>x", "<a b=\"1\" b=\"2\"/>"})
    EXPECT_NE(test::xml_complaint(bad), "") << bad;
  EXPECT_EQ(test::xml_complaint("<a b=\"1\" c='&amp;'><d/>x &lt;</a>\n"), "");
}

TEST(RooflineText, ShowsEveryPointAndCeiling) {
  const std::vector<Row> rows = {row_with(10, 1e10), row_with(0.1, 1e8)};
  for (const bool unicode : {false, true}) {
    const std::string text = roofline_text(rooflines(plain_facts(), rows)[0], {false, unicode}, 60, 16);
    EXPECT_NE(text.find("FMA 100 GFLOP/s"), std::string::npos) << text;
    EXPECT_NE(text.find("read DRAM 10 GB/s"), std::string::npos) << text;
    EXPECT_NE(text.find("  2  cpu.k, matmul"), std::string::npos) << text;
    EXPECT_NE(text.find(unicode ? "──" : "--"), std::string::npos) << text;
    EXPECT_NE(text.find(unicode ? "·" : "."), std::string::npos) << text;
    const std::string picture = text.substr(0, text.find("ceilings:"));
    EXPECT_NE(picture.find('1', picture.find("|")), std::string::npos);
    EXPECT_NE(picture.find('2', picture.find("|")), std::string::npos);
  }
}

TEST(RooflineText, CopiesAreTheSizesThatWereMeasured) {
  EXPECT_EQ(copies_text({}), "");
  Ceilings ceilings;
  ceilings.h2d_pinned.seconds = {1e-6, 2e-6, 4e-6};
  const std::string text = copies_text(ceilings);
  EXPECT_EQ(text.rfind("copies host to device, pinned, GB/s: 4 KiB 4.096; 16 KiB 8.192; 64 KiB 16.38; 256 KiB n/a;", 0),
            0u)
      << text;
  EXPECT_EQ(text.find("pageable"), std::string::npos);
}

TEST(RooflineText, RowsWithoutAPointSayWhy) {
  std::vector<Row> rows = {row_with(2, 5e9), row_with(0, 1), row_with(3, 4e9)};
  rows[1].kernel = "cpu.transpose";
  rows[2].status = Status::wrong;
  rows[2].reason = "element 3 is off";
  const std::string text = rows_without_point(rows);
  EXPECT_NE(text.find("no point: cpu.transpose: it does no arithmetic"), std::string::npos) << text;
  EXPECT_NE(text.find("no point: cpu.k: WRONG: element 3 is off"), std::string::npos) << text;
}

TEST(RooflineText, PointsInOneCellBecomeAStar) {
  const std::vector<Row> rows = {row_with(10, 1e10), row_with(10, 1e10)};
  const std::string text = roofline_text(rooflines(plain_facts(), rows)[0], {}, 60, 16);
  EXPECT_NE(text.substr(0, text.find("ceilings:")).find('*'), std::string::npos) << text;
  EXPECT_EQ(point_mark(0), '1');
  EXPECT_EQ(point_mark(9), 'a');
  EXPECT_EQ(point_mark(1000), '*');
}

}  // namespace
}  // namespace tandem::profile::roofline_test
