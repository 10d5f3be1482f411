// explain_analyze() and measured break-evens: on this machine, and where there is a GPU (or an emulator) on both sides.
// What is claimed is that the figures belong together, not what they are.
#include <cmath>

#include <gtest/gtest.h>
#include <tandem/tandem.h>
#include <nlohmann/json.hpp>

#include "common/dispatch/crossing.h"
#include "common/tuning/file.h"
#include "tests/support/calls.h"
#include "tests/support/left_out.h"
#include "tests/support/machines.h"

namespace tandem::test::analyze_test {
namespace {

AnalyzeOptions quick(int top) {
  AnalyzeOptions options;
  options.top = top;
  options.how.min_seconds = 0.001;
  return options;
}

TEST(Analyze, RunsTheChosenAndTheNext) {
  Context ctx;
  for (const char* problem :
       {"matmul f32:33x17x29,bias,act=relu", "quantized_matmul s8:16x16x16", "spmm csr:20x30x40@0.2"}) {
    const Analysis analysis = explain_analyze(ctx, problem, quick(2));
    EXPECT_EQ(analysis.decision.kernel, explain(ctx, problem).kernel);
    ASSERT_FALSE(analysis.trials.empty()) << problem;
    EXPECT_EQ(analysis.trials[0].predicted.kernel, analysis.decision.kernel);
    EXPECT_FALSE(analysis.any_wrong()) << to_string(analysis);
    double least = INFINITY;
    for (const Trial& trial : analysis.trials) {
      EXPECT_EQ(trial.predicted.kernel, trial.row.kernel);
      EXPECT_EQ(trial.row.status, profile::Status::ok) << trial.row.reason;
      EXPECT_GT(trial.kernel_seconds, 0);
      EXPECT_DOUBLE_EQ(trial.off_by, trial.seconds / trial.predicted.seconds - 1);
      if (trial.row.backend == "cpu") {
        EXPECT_DOUBLE_EQ(trial.seconds, trial.kernel_seconds);
        EXPECT_TRUE(std::isnan(trial.moving_seconds));
      } else {
        EXPECT_DOUBLE_EQ(trial.seconds, trial.kernel_seconds + trial.moving_seconds);
      }
      least = std::min(least, trial.seconds);
    }
    EXPECT_DOUBLE_EQ(analysis.regret, analysis.trials[0].seconds / least - 1);
    const std::string text = to_string(analysis);
    for (const Trial& trial : analysis.trials) EXPECT_TRUE(has(text, trial.row.kernel)) << text;
  }
}

TEST(Analyze, RunsOneOfEachSideWhateverTopIs) {
  Context ctx;
  const Analysis analysis = explain_analyze(ctx, "relu f32:2000", quick(1));
  const bool both = best_on(analysis.decision, Backend::cuda) != nullptr;
  EXPECT_EQ(analysis.trials.size(), both ? 2u : 1u);
  const Analysis all = explain_analyze(ctx, "relu f32:2000", quick(1000));
  std::size_t accepted = 0;
  for (const Candidate& c : all.decision.candidates) accepted += c.accepted ? 1 : 0;
  EXPECT_EQ(all.trials.size(), accepted);
}

TEST(Analyze, ShowsWhatIsWrongWithoutATime) {
  Analysis analysis;
  analysis.decision.op = "relu";
  analysis.decision.kernel = "cpu.relu.f32.bad";
  Trial bad;
  bad.predicted.kernel = bad.row.kernel = "cpu.relu.f32.bad";
  bad.predicted.seconds = 1e-6;
  bad.row.status = profile::Status::wrong;
  bad.row.reason = "element (3) is 1, expected 2";
  analysis.trials = {bad};
  EXPECT_TRUE(analysis.any_wrong());
  const std::string text = to_string(analysis);
  EXPECT_TRUE(has(text, "cpu.relu.f32.bad") && has(text, "WRONG: element (3) is 1, expected 2")) << text;
}

TEST(Analyze, RefusesWhatCannotBeMeasured) {
  Context ctx;
  const struct {
    const char *problem, *mentions;
    int top;
  } kBad[] = {{"relu f32:10 reuse=4", "reuse=4", 3},
              {"relu f32:10", "0 candidates", 0},
              {"relu f32:0", "no element", 3},
              {"relu", "relu", 3},
              {"nothing f32:10", "'nothing'", 3}};
  for (const auto& bad : kBad) {
    const Error error = error_of([&] { explain_analyze(ctx, bad.problem, quick(bad.top)); });
    EXPECT_EQ(error.code(), Code::invalid_argument) << bad.problem;
    EXPECT_TRUE(has(error.what(), bad.mentions)) << error.what();
  }
  ContextOptions options;
  options.machine = gpu_machine_with(10e9);
  Context elsewhere(options);
  EXPECT_EQ(error_of([&] { explain_analyze(elsewhere, "relu f32:10"); }).code(), Code::unavailable);
  const Error there = error_of([&] { explain_analyze(elsewhere, "relu f32:10 x:cuda:0"); });
  EXPECT_EQ(there.code(), Code::invalid_argument);
  EXPECT_TRUE(has(there.what(), "x cannot be on cuda:0")) << there.what();
}

TEST(MachineOfAnExplanation, IsReadAsItWasWritten) {
  Machine machine = gpu_machine_with(12e9);
  machine.cpu.avx512_bf16 = true;
  machine.ceilings.wait_seconds = 3e-6;
  for (std::size_t i = 0; i < CopyCurve::kPoints; ++i)
    machine.ceilings.h2d_pageable.seconds[i] = 1e-6 * static_cast<double>(i + 1);
  const std::string text = to_json(Explanation{"relu f32:9", machine, {}, nullptr, nullptr});
  const Machine back = machine_from_json(text, "back");
  EXPECT_EQ(to_json(Explanation{"relu f32:9", back, {}, nullptr, nullptr}), text);
  // The ceilings stand there as in a tuning file: curves are lists of seconds.
  tuning::File file;
  file.ceilings = machine.ceilings;
  EXPECT_EQ(nlohmann::json::parse(text)["machine"]["ceilings"],
            nlohmann::json::parse(tuning::print_file(file))["ceilings"]);
  EXPECT_EQ(back.cpu.threads, machine.cpu.threads);
  EXPECT_EQ(back.gpus.front().shared_bytes_per_block, machine.gpus.front().shared_bytes_per_block);
  EXPECT_EQ(back.ceilings.h2d_pageable.seconds, machine.ceilings.h2d_pageable.seconds);
  const auto refused = [&](const std::string& from, const std::string& to) {
    std::string bad = text;
    bad.replace(bad.find(from), from.size(), to);
    const Error error = error_of([&] { machine_from_json(bad, "bad.json"); });
    EXPECT_EQ(error.code(), Code::io_error) << to;
    EXPECT_TRUE(has(error.what(), "bad.json: ")) << error.what();
  };
  refused("tandem-explain/1", "tandem-explain/9");
  refused("\"threads\": 4", "\"threads\": 0");
  refused("\"threads\": 4", "\"threads\": \"four\"");
  refused("\"threads\": 4", "\"threads\": 5000");
  refused("\"multiprocessors\": 100", "\"multiprocessors\": 0");
  refused("\"isa\": \"avx512\"", "\"isa\": \"mmx\"");
  refused("\"ceilings\"", "\"floors\"");
  refused("\"h2d_pinned\": [", "\"h2d_pinned\": [0.5,");
  refused("\"h2d_bytes_s\": ", "\"h2d_bytes_s\": -");
  EXPECT_EQ(error_of([&] { machine_from_json("", "nothing"); }).code(), Code::io_error);
}

TEST(MachineOfAnExplanation, DamagedTextIsAnErrorOrAMachineToChooseFor) {
  const std::string text = to_json(Explanation{"relu f32:9", gpu_machine_with(12e9), {}, nullptr, nullptr});
  int refused = 0, read = 0;
  for (std::size_t i = 0; i < text.size(); ++i)
    for (const char c : {'0', '9', '-', '"', 'e', '}', '\xff'}) {
      if (i % 3 != 0 && c != '0') continue;
      std::string bad = text;
      bad[i] = c;
      try {
        ContextOptions options;
        options.machine = machine_from_json(bad, "bad.json");
        options.machine->cpu.threads = 2;
        Context there(options);
        EXPECT_FALSE(decide(there, parse_question("matmul f32:64x64x64")).kernel.empty()) << bad;
        ++read;
      } catch (const Error& error) {
        EXPECT_TRUE(has(error.what(), "bad.json: ")) << error.what();
        ++refused;
      }
    }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(read, 100);
}

TEST(MeasuredBreakEven, IsWellFormed) {
  TANDEM_NEED_GPU();
  Context ctx;
  BreakEvenOptions options;
  options.measure = true;
  options.max_bytes = 40 << 10;
  options.how.min_seconds = 0.0005;
  const BreakEven b = break_even(ctx, "matmul f32:32x32x32", options);
  EXPECT_EQ(b.reason, "");
  EXPECT_TRUE(b.measured);
  EXPECT_EQ(b.smallest, "f32:32x32x32");
  EXPECT_EQ(b.largest, "f32:32x32x32");
  ASSERT_EQ(b.crossings.size(), 9u);
  for (const Crossing& c : b.crossings) {
    EXPECT_EQ(c.from.empty(), !c.reason.empty());
    EXPECT_EQ(c.from.empty(), std::isnan(c.scale.from));
    // The GPU may be faster before it is, and is before it surely is.
    EXPECT_TRUE(c.from.empty() || c.scale.possibly <= c.scale.from);
    EXPECT_TRUE(c.surely.empty() || c.scale.from <= c.scale.surely);
  }
  ASSERT_FALSE(b.sizes.empty());
  for (const SidesAt& s : b.sizes) {
    EXPECT_TRUE(s.cpu.starts_with("cpu.") && s.cuda.starts_with("cuda."));
    EXPECT_GT(s.cpu_seconds, 0);
    EXPECT_GT(s.cuda_seconds, 0);
    EXPECT_GT(s.cuda_moved_seconds, 0);
  }
  std::atomic<bool> stop{true};
  options.how.cancel = &stop;
  const BreakEven none = break_even(ctx, "matmul f32:32x32x32", options);
  EXPECT_TRUE(none.interrupted);
  EXPECT_TRUE(none.crossings.empty());
}

}  // namespace
}  // namespace tandem::test::analyze_test
