// Which rows belong together: in two runs, and in the reports of one. Labels are for readers and decide nothing.
#include "common/profile/baseline.h"

#include <gtest/gtest.h>

#include "common/profile/report.h"
#include "tests/support/made_up_results.h"

namespace tandem::test::baseline_test {
namespace {

using profile::Comparison;
using profile::Row;

Row row_of(const std::string& kernel, const std::string& label, double seconds = 1e-3) {
  Row row;
  row.op = "relu";
  row.problem = "f32:1000";
  row.operands = "random";
  row.kernel = row.ran = kernel;
  row.label = label;
  row.threads = 2;
  row.status = profile::Status::ok;
  row.time = made_up_timing({seconds, seconds, seconds});
  return row;
}

TEST(Baseline, RowsAreFoundByWhatWasMeasured) {
  Comparison before, after;
  before.rows = {row_of("a", "small", 1e-3), row_of("a", "", 2e-3), row_of("b", "")};
  after.rows = {row_of("a", "", 1e-3), row_of("a", "large", 2e-3), row_of("c", "")};
  const profile::RunChange change = profile::compare_runs(before, after, {});
  EXPECT_EQ(change.obstacle, "");
  ASSERT_EQ(change.rows.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {  // several in their order
    EXPECT_EQ(change.rows[i].before, &before.rows[i]);
    EXPECT_EQ(change.rows[i].after, &after.rows[i]);
  }
  ASSERT_EQ(change.gone.size(), 1u);
  EXPECT_EQ(change.gone[0], &before.rows[2]);
  EXPECT_EQ(change.fresh, 1u);
}

TEST(Baseline, OtherOperandsAreAnotherProblem) {
  Comparison before, after;
  before.rows = {row_of("a", "")};
  after.rows = before.rows;
  after.rows[0].operands = "x.npy";
  EXPECT_NE(profile::compare_runs(before, after, {}).obstacle, "");
}

TEST(ReportGroups, LabelsDoNotDivideAProblem) {
  std::vector<Row> rows = {row_of("a", "first"), row_of("b", "second"), row_of("c", "")};
  EXPECT_EQ(profile::by_problem(rows).size(), 1u);
  rows[1].operands = "x.npy";
  EXPECT_EQ(profile::by_problem(rows).size(), 3u);
  rows[1].operands = "random";
  rows[2].threads = 1;
  EXPECT_EQ(profile::by_problem(rows).size(), 2u);
  // The same problem measured twice, with the row of the public call and without.
  rows = {row_of("a", ""), row_of("b", ""), row_of("a", ""), row_of("b", "")};
  EXPECT_EQ(profile::by_problem(rows).size(), 2u);
  rows[1].kernel = profile::kAuto;
  EXPECT_EQ(profile::by_problem(rows).size(), 2u);
}

}  // namespace
}  // namespace tandem::test::baseline_test
