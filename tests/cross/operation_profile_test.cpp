// profile_operation: right first, stages that add up, figures that follow from each other, and each with its source.
#include <tandem/operation_profile.h>

#include <cmath>
#include <map>
#include <set>

#include "tests/support/calls.h"
#include "tests/support/left_out.h"

namespace tandem::test::operation_profile_test {
namespace {

using profile::Figure;
using profile::NamedFigure;
using profile::Profile;
using profile::Source;

ContextOptions host_only(int threads) {
  ContextOptions options;
  options.threads = threads;
  options.use_gpu = false;
  return options;
}

profile::ProfileOptions quick(const std::string& kernel = "") {
  profile::ProfileOptions options;
  options.min_seconds = 0.005;
  options.kernel = kernel;
  return options;
}

std::map<std::string, Figure> by_name(const std::vector<NamedFigure>& figures) {
  std::map<std::string, Figure> map;
  for (const NamedFigure& f : figures) map[f.name] = f.figure;
  return map;
}

std::set<std::string> stage_names(const Profile& p) {
  std::set<std::string> names;
  for (const profile::StageTime& stage : p.stages) names.insert(stage.name);
  return names;
}

/// Every number has a source and words for it; an absent one has no value and a reason.
void expect_explained(const std::string& name, const Figure& figure) {
  EXPECT_NE(figure.how, "") << name;
  EXPECT_EQ(std::isfinite(figure.value), figure.source != Source::absent) << name << ": " << figure.how;
  EXPECT_NE(figure.unit, "") << name;
}

void expect_whole(const Profile& p) {
  ASSERT_EQ(p.row.status, profile::Status::ok) << p.row.reason;
  double sum = 0;
  for (const profile::StageTime& stage : p.stages) {
    expect_explained(stage.name, stage.seconds);
    expect_explained(stage.name + " on the device", stage.on_device);
    EXPECT_EQ(stage.samples.size(), p.traced.samples.size()) << stage.name;
    if (std::isfinite(stage.seconds.value)) sum += stage.seconds.value;
  }
  EXPECT_NEAR(sum, p.wall.value, 1e-9 + 1e-6 * p.wall.value);
  EXPECT_EQ(p.stages.back().name, "other");
  for (const auto* figures : {&p.work, &p.clocks, &p.counters, &p.overhead})
    for (const NamedFigure& f : *figures) expect_explained(f.name, f.figure);
  EXPECT_GT(p.call.summary.median, 0);
  EXPECT_GT(p.traced.summary.median, 0);
  EXPECT_GT(p.row.time.summary.median, 0);
  EXPECT_NE(p.bound_by, "");
}

/// A profile whose stages leave less than `part` of the call unexplained: time that another program takes between two
/// stages explains nothing, so that a busy machine has a few tries.
Profile profile_that_accounts_for(double part, Context& ctx, const profile::Problem& problem,
                                  const profile::ProfileOptions& options) {
  Profile p = profile_operation(ctx, problem, options);
  for (int tries = 1; tries < 5 && !(p.accounted.value > part); ++tries) p = profile_operation(ctx, problem, options);
  EXPECT_GT(p.accounted.value, part);
  return p;
}

TEST(OperationProfile, AProductOnTheHost) {
  Context ctx(host_only(2));
  profile::ProfileOptions options = quick();
  options.cold = true;
  const Profile p = profile_that_accounts_for(0.5, ctx, {"matmul", "f32:200x200x200", "", {}}, options);
  expect_whole(p);
  EXPECT_EQ(p.why, "least predicted time");
  EXPECT_TRUE(p.cold.measured()) << p.cold_reason;
  EXPECT_EQ(p.cold.calls_per_sample, 1);
  EXPECT_TRUE(stage_names(p).contains("kernel"));
  EXPECT_TRUE(stage_names(p).contains("fork and join"));
  EXPECT_FALSE(stage_names(p).contains("launch"));
  auto work = by_name(p.work);
  EXPECT_EQ(work["flops"].value, 2.0 * 200 * 200 * 200);
  EXPECT_EQ(work["bytes"].value, 4.0 * 3 * 200 * 200);
  EXPECT_DOUBLE_EQ(work["intensity"].value, work["flops"].value / work["bytes"].value);
  EXPECT_NEAR(work["rate"].value, work["flops"].value / p.row.time.summary.median / 1e9, 1e-6 * work["rate"].value);
  EXPECT_DOUBLE_EQ(work["reached"].value, work["least time"].value / p.row.time.summary.median);
  EXPECT_EQ(work["predicted call"].source, Source::modelled);
#if defined(__SANITIZE_THREAD__)  // it slows the copies that ceilings are measured with, and not the arithmetic
  EXPECT_EQ(p.bound_by.rfind("memory", 0), 0u) << p.bound_by;
#else
  EXPECT_EQ(p.bound_by.rfind("arithmetic", 0), 0u) << p.bound_by;
#endif
  auto clocks = by_name(p.clocks);
  EXPECT_GT(clocks["core, before"].value, 1e8);
  EXPECT_LT(clocks["core, before"].value, 1e10);
  // The last traced call, whole.
  ASSERT_GE(p.spans.size(), 4u);
  EXPECT_EQ(p.spans[0].name, "call");
  EXPECT_EQ(p.spans[1].name, "matmul");
  EXPECT_EQ(p.spans[1].kernel, p.row.kernel);
}

TEST(OperationProfile, OneThreadForksNothing) {
  Context ctx(host_only(1));
  const Profile p = profile_operation(ctx, {"softmax", "f32:100x1000", "", {}}, quick());
  expect_whole(p);
  EXPECT_FALSE(stage_names(p).contains("fork and join"));
  EXPECT_TRUE(p.cold.measured());
}

TEST(OperationProfile, WhatOnlyMovesDataHasNoRateOfFlops) {
  Context ctx(host_only(1));
  profile::ProfileOptions options = quick();
  options.cold = false;
  const Profile p = profile_operation(ctx, {"transpose", "f32:300x300", "", {}}, options);
  expect_whole(p);
  EXPECT_FALSE(p.cold.measured());
  EXPECT_NE(p.cold_reason, "");
  auto work = by_name(p.work);
  EXPECT_EQ(work["flops"].source, Source::absent);
  EXPECT_EQ(work["rate"].source, Source::absent);
  EXPECT_EQ(work["cold over hot"].source, Source::absent);
  EXPECT_EQ(work["bandwidth"].source, Source::derived);
}

TEST(OperationProfile, ANamedKernelIsTheOneThatRuns) {
  Context ctx(host_only(1));
  const Profile p = profile_operation(ctx, {"matmul", "f32:40x50x60", "", {}}, quick("cpu.matmul.f32.naive"));
  expect_whole(p);
  EXPECT_EQ(p.row.kernel, "cpu.matmul.f32.naive");
  EXPECT_EQ(p.spans[1].kernel, "cpu.matmul.f32.naive");
  EXPECT_EQ(p.why, "named");
}

TEST(OperationProfile, WhatCannotRunHasAReasonAndNoTimes) {
  Context ctx(host_only(1));
  std::string kernel;
  for (const KernelInfo& info : kernels(ctx))
    if (info.op == "matmul" && info.backend == Backend::cuda) kernel = info.name;
  ASSERT_NE(kernel, "");
  const Profile p = profile_operation(ctx, {"matmul", "f32:8x8x8", "", {}}, quick(kernel));
  EXPECT_EQ(p.row.status, profile::Status::skipped);
  EXPECT_NE(p.row.reason, "");
  EXPECT_FALSE(p.call.measured());
  EXPECT_TRUE(p.stages.empty());
  for (const NamedFigure& f : p.work) expect_explained(f.name, f.figure);
  EXPECT_NE(to_text(p, {}).find("not run"), std::string::npos);
}

TEST(OperationProfile, BadRequestsAreErrors) {
  Context ctx(host_only(1));
  EXPECT_TRUE(has(error_of([&] { profile_operation(ctx, {"nope", "f32:8", "", {}}); }).what(), "nope"));
  EXPECT_TRUE(has(error_of([&] { profile_operation(ctx, {"relu", "f32:0", "", {}}); }).what(), "no element"));
  EXPECT_TRUE(has(error_of([&] {
                    profile_operation(ctx, {"relu", "f32:8", "", {}}, quick("cpu.matmul.f32.naive"));
                  }).what(),
                  "cpu.matmul.f32.naive"));
  profile::ProfileOptions options = quick();
  options.resident = true;
  EXPECT_EQ(error_of([&] { profile_operation(ctx, {"relu", "f32:8", "", {}}, options); }).code(), Code::unavailable);
}

TEST(OperationProfile, TheRecorderOfTheContextComesBack) {
  Context ctx(host_only(1));
  trace::Recorder recorder;
  trace::attach(ctx, recorder);
  profile_operation(ctx, {"relu", "f32:1000", "", {}}, quick());
  recorder.clear();
  relu(ctx, Tensor::full({8}, 1));
  EXPECT_EQ(recorder.spans().size(), 1u);
}

TEST(OperationProfile, ACancelledRunKeepsWhatThereIs) {
  Context ctx(host_only(1));
  const std::atomic<bool> cancel{true};
  profile::ProfileOptions options = quick();
  options.cancel = &cancel;
  const Profile p = profile_operation(ctx, {"relu", "f32:1000", "", {}}, options);
  EXPECT_TRUE(p.interrupted);
  EXPECT_FALSE(to_json(p).empty());
  EXPECT_FALSE(to_text(p, {}).empty());
}

/// On an emulator the clock is the host's: the order, and that nothing is left out, is what can be checked there.
TEST(OperationProfile, StagesOfAGpuAddUpToTheWallTime) {
  TANDEM_NEED_GPU();
  Context ctx;
  profile::ProfileOptions options = quick("cuda.matmul.f32.tiled");
  options.min_seconds = 0.02;
  const Profile p = profile_that_accounts_for(0.95, ctx, {"matmul", "f32:48x48x48", "", {}}, options);
  expect_whole(p);
  std::vector<std::string> order;
  for (const profile::StageTime& stage : p.stages) order.push_back(stage.name);
  EXPECT_EQ(order, (std::vector<std::string>{"select", "allocate", "host to device", "workspace", "launch", "kernel",
                                             "device to host", "wait", "other"}));
  EXPECT_LT(p.accounted.value, 1.0 + 1e-9);
  EXPECT_TRUE(p.cold.measured()) << p.cold_reason;
  for (const profile::StageTime& stage : p.stages)
    if (stage.name == "kernel" || stage.name == "host to device" || stage.name == "device to host") {
      EXPECT_GT(stage.on_device.value, 0) << stage.name;
    }
}

TEST(OperationProfile, ResidentOperandsAreNotCopied) {
  TANDEM_NEED_GPU();
  Context ctx;
  profile::ProfileOptions options = quick("cuda.matmul.f32.tiled");
  options.resident = true;
  const Profile p = profile_operation(ctx, {"matmul", "f32:48x48x48", "", {}}, options);
  expect_whole(p);
  EXPECT_FALSE(stage_names(p).contains("host to device"));
  EXPECT_FALSE(stage_names(p).contains("device to host"));
  EXPECT_TRUE(stage_names(p).contains("launch"));
  options.kernel = "cpu.matmul.f32.naive";
  EXPECT_EQ(error_of([&] {
              profile_operation(ctx, {"matmul", "f32:8x8x8", "", {}}, options);
            }).code(),
            Code::invalid_argument);
}

}  // namespace
}  // namespace tandem::test::operation_profile_test
