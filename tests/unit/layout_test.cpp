// The layout analysis: figures and advice from made-up times, lists of CPUs, and one small real run.
#include <cmath>
#include <string>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <nlohmann/json.hpp>

#include "common/profile/layout.h"
#include "tests/support/made_up_results.h"

namespace tandem::profile::layout_test {
namespace {

LayoutRow way(const char* group, const char* access, double gigabytes) {
  return {group, access, test::made_up_timing({1 / gigabytes}), 1e9, kAbsent, kAbsent, {}};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Layout, FiguresAreAgainstTheBestOfTheGroup) {
  LayoutReport report;
  report.rows = {way("order", "by rows", 8),
                 way("order", "by columns", 2),
                 way("stride", "even", 3),
                 way("stride", "odd", 3.1),
                 {"first touch", "both", {}, 0, kAbsent, kAbsent, "n/a: one node"}};
  derive_layout_figures(report);
  EXPECT_NEAR(report.rows[0].rate, 8e9, 1);
  EXPECT_DOUBLE_EQ(report.rows[0].slowdown, 1);
  EXPECT_NEAR(report.rows[1].slowdown, 4, 1e-9);
  EXPECT_NEAR(report.rows[2].slowdown, 3.1 / 3, 1e-9);
  EXPECT_TRUE(std::isnan(report.rows[4].slowdown));
  ASSERT_EQ(report.advice.size(), 2u) << "none about what was not measured";
}

TEST(Layout, AdviceFollowsTheFigures) {
  LayoutReport report;
  report.rows = {way("order", "by rows", 8), way("order", "by columns", 2), way("order", "padded", 7.8)};
  derive_layout_figures(report);
  EXPECT_TRUE(has(report.advice[0], "by columns (2.000 GB/s) is 4.0 times slower than by rows (8.000 GB/s)"))
      << report.advice[0];
  EXPECT_TRUE(has(report.advice[0], "as good as that: padded (7.800 GB/s)")) << report.advice[0];
  // The other way round, and without a difference.
  report.rows = {way("order", "by rows", 1), way("order", "by columns", 5)};
  derive_layout_figures(report);
  EXPECT_TRUE(has(report.advice[0], "by rows (1.000 GB/s) is 5.0 times slower than by columns")) << report.advice[0];
  report.rows = {way("order", "by rows", 5), way("order", "by columns", 4.9)};
  derive_layout_figures(report);
  EXPECT_TRUE(has(report.advice[0], "nothing to gain")) << report.advice[0];
}

TEST(Layout, CpuLists) {
  EXPECT_EQ(parse_cpu_list("0-2,8"), (std::vector<int>{0, 1, 2, 8}));
  EXPECT_EQ(parse_cpu_list("5"), (std::vector<int>{5}));
  EXPECT_TRUE(parse_cpu_list("").empty());
  EXPECT_TRUE(parse_cpu_list("x").empty());
}

TEST(Layout, FirstTouchNeedsTwoNodes) {
  LayoutReport report;
  LayoutOptions options;
  options.min_seconds = 1e-3;
  measure_first_touch(report, {}, options);
  measure_first_touch(report, {0}, options);
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_TRUE(has(report.rows[0].reason, "no NUMA nodes"));
  EXPECT_TRUE(has(report.rows[1].reason, "one NUMA node"));
  // The path of machines that have two: the same CPU stands for both.
  const int cpu = one_cpu_of_each_node().empty() ? 0 : one_cpu_of_each_node().front();
  measure_first_touch(report, {cpu, cpu}, options);
  ASSERT_EQ(report.rows.size(), 4u);
  EXPECT_TRUE(report.rows[2].time.measured());
  EXPECT_TRUE(report.rows[3].time.measured());
}

// Points of curves: one figure each, at a size that all of them have.
TEST(Layout, CopiesAreOneFigureEach) {
  Ceilings ceilings;
  ceilings.h2d_pageable.seconds = {1e-6, 2e-6, 4e-6};
  ceilings.d2h_pinned.seconds = {1e-6, 1e-6};
  LayoutReport report;
  add_copy_rows(report, ceilings);
  derive_layout_figures(report);
  ASSERT_EQ(report.rows.size(), 2u);
  EXPECT_EQ(report.rows[0].access, "host to device, pageable");
  EXPECT_EQ(report.rows[1].access, "device to host, pinned");
  for (const LayoutRow& row : report.rows) {
    EXPECT_EQ(row.bytes, 16384);
    EXPECT_EQ(row.time.stop, Stop::one_figure);
  }
  EXPECT_NEAR(report.rows[0].slowdown, 2, 1e-9);
  EXPECT_EQ(nlohmann::json::parse(layout_json(report))["rows"][0]["stop"], "one figure");
}

TEST(Layout, ARealRunHasEveryGroup) {
  Context ctx;
  LayoutOptions options;
  options.rows = options.columns = 128;
  options.min_seconds = 1e-3;
  const LayoutReport report = analyse_layout(ctx, options);
  for (const char* group : {"order", "stride", "alignment", "pages", "first touch", "host memory"}) {
    bool found = false;
    for (const LayoutRow& row : report.rows) {
      if (row.group != group) continue;
      found = true;
      EXPECT_NE(row.time.measured(), row.reason.starts_with("n/a: ")) << group;
      EXPECT_EQ(row.time.measured(), row.rate > 0) << group;
    }
    EXPECT_TRUE(found) << group;
  }
  EXPECT_GE(report.advice.size(), 3u);
  const auto json = nlohmann::json::parse(layout_json(report));
  EXPECT_EQ(json["schema"], "tandem-layout/1");
  EXPECT_EQ(json["rows"].size(), report.rows.size());
  EXPECT_TRUE(has(layout_table(report), "by columns, rows padded to 144")) << layout_table(report);
  EXPECT_TRUE(has(layout_markdown(report), "| stride | 1040 floats apart |"));
  EXPECT_TRUE(has(layout_csv(report), "alignment,4 bytes behind it,16384,"));
}

// A walk that the clock cannot resolve is another thing than one that Ctrl-C took away.
TEST(Layout, RowsWithoutSamplesSayWhy) {
  Timing time;
  time.calls_per_sample = 64;
  time.stop = Stop::too_short;
  EXPECT_TRUE(has(layout_row("order", "by rows", time, 64).reason, "n/a: 64 calls in a row last less than ten ticks"));
  time.calls_per_sample = 1;
  EXPECT_TRUE(has(layout_row("order", "by rows", time, 64).reason, "n/a: a single call lasts less than ten ticks"));
  for (const Stop stop : {Stop::not_started, Stop::interrupted}) {
    time.stop = stop;
    EXPECT_EQ(layout_row("order", "by rows", time, 64).reason, "n/a: interrupted");
  }
  EXPECT_EQ(layout_row("order", "by rows", test::made_up_timing({1e-3}), 64).reason, "");
}

TEST(Layout, SizesOutOfRangeAreRefused) {
  Context ctx;
  for (const auto& [rows, columns] : {std::pair<std::int64_t, std::int64_t>{63, 64}, {64, 0}, {1 << 20, 1 << 20}}) {
    LayoutOptions options;
    options.rows = rows;
    options.columns = columns;
    EXPECT_THROW(analyse_layout(ctx, options), Error) << rows << " x " << columns;
  }
}

}  // namespace
}  // namespace tandem::profile::layout_test
