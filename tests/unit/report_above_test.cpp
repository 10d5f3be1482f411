// Rows that are faster than their ceiling allows: marked, and explained once.
#include <string>

#include <gtest/gtest.h>
#include <tandem/report.h>

#include "common/profile/report_parts.h"
#include "common/profile/roofline.h"
#include "tests/support/made_up_results.h"

namespace tandem::profile::report_above_test {
namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(AboveTheCeiling, RowsAreMarkedInEveryText) {
  Comparison c = test::made_up_comparison();
  for (Row& row : c.rows) row.ceiling_fraction = 1.02;  // as ceilings scatter
  const auto all = [&] { return table_block(c.rows, {}) + table_footer(c, {}) + to_markdown(c); };
  EXPECT_EQ(count(all(), "above the ceiling"), 0u);
  ASSERT_TRUE(c.rows[0].timed());
  c.rows[0].ceiling_fraction = 1.168;
  EXPECT_EQ(count(table_block(c.rows, {}), "above the ceiling\n"), 1u) << table_block(c.rows, {});
  EXPECT_EQ(count(table_footer(c, {}), "1 row is above the ceiling: it was measured too low"), 1u);
  const std::string markdown = to_markdown(c);
  EXPECT_EQ(count(markdown, "| 116.8 %, above the ceiling |"), 1u) << markdown;
  EXPECT_EQ(count(markdown, "1 row is above the ceiling: it was measured too low"), 1u);
}

TEST(AboveTheCeiling, PointsOfARooflineSaySo) {
  RooflinePoint point;
  point.limit = "L2 copy";
  point.fraction = 1.2;
  EXPECT_EQ(count(sentence_of(point), "120.0 % of L2 copy, above the ceiling"), 1u) << sentence_of(point);
  point.fraction = 0.9;
  EXPECT_EQ(count(sentence_of(point), "above"), 0u);
}

}  // namespace
}  // namespace tandem::profile::report_above_test
