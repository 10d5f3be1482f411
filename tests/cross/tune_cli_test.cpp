// The program tandem-tune as its users meet it: exit codes, sentences, the file it writes.
#include <algorithm>
#include <chrono>
#include <map>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <tandem/tuning.h>
#include <nlohmann/json.hpp>

#include "common/core/context_impl.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_TUNE_PROGRAM

namespace tandem::test::tune_cli_test {
namespace {

using nlohmann::json;

Ran run(const std::string& arguments, const std::string& before = "TANDEM_TUNING=off") {
  return run_program(TANDEM_TUNE_PROGRAM, arguments, before);
}

TEST(TuneCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const TemporaryFolder folder;
  const std::string bad = folder.file("bad.json"), list = folder.file("list.txt");
  write_bytes(bad, "{\"schema\": \"tandem-tuning/9\"}");
  write_bytes(list, "relu\n");
  const struct {
    std::string arguments, mentions;
  } kBad[] = {
      {"--unknown", "--unknown"},
      {"matmul", "no problem"},
      {"wish f32:10", "'wish'"},
      {"relu f32:0", "no element"},
      {"--seconds -1", "--seconds"},
      {"--seconds 0", "--seconds 0"},
      {"relu f32:10 --min-time 0", "--min-time 0"},
      {"--suite -1 --regret", "--suite -1"},
      {"--regret --json /nowhere/at/all.json", "/nowhere/at/all.json"},
      {"--seconds 60 --file /proc/x.json", "/proc/x.json: cannot write"},
      // What would be passed over in silence.
      {"relu f32:10 --seconds 2", "--seconds means nothing together with problems that are named"},
      {"relu f32:10 --record " + list, "--problems means nothing together with --record"},
      {"--record " + list + " --seconds 2", "--seconds means nothing together with --record"},
      {"--suite 5", "--suite is for --regret"},
      {"relu f32:10 --suite 5", "--suite is for --regret"},
      {"relu f32:10 --remeasure-ceilings", "--problems means nothing together with --remeasure-ceilings"},
      {"--remeasure-ceilings --dry-run", "--dry-run means nothing"},
      {"--regret relu f32:10", "--problems means nothing together with --regret"},
      {"--regret --seconds 2", "--seconds means nothing"},
      {"--regret --thorough", "--thorough means nothing"},
      {"--show --reset", "--reset means nothing together with --show"},
      {"--reset --import x.json", "--import means nothing together with --reset"},
      {"--import x.json --threads 1", "--threads means nothing together with --import"},
      {"relu f32:10 --min-time -1", "--min-time"},
      {"relu f32:10 --threads -1", "--threads"},
      {"--suite 0 --regret", "--suite"},
      {"--json x.json", "--regret"},
      {"--record /nowhere/list.txt", "/nowhere/list.txt"},
      {"--record " + list, "'relu'"},
      {"--import /nowhere/results.json", "/nowhere/results.json"},
      {"--import " + bad, "schema"},
      {"--show --file /nowhere/t.json", "/nowhere/t.json"},
      {"--show --file " + bad, "tandem-tuning/9"},
      {"relu f32:10 --file " + bad, "tandem-tuning/9"},
  };
  for (const auto& c : kBad) {
    const std::string file = c.arguments.find("--file") == c.arguments.npos ? " --file " + folder.file("t.json") : "";
    expect_usage_error(run(c.arguments + file), "tandem-tune", c.mentions);
  }
  EXPECT_FALSE(std::filesystem::exists(folder.file("t.json")));
}

TEST(TuneCli, MeasuresShowsAndIsUsed) {
  const TemporaryFolder folder;
  const std::string file = folder.file("t.json");
  const Ran tuned = run("relu f32:1000 'softmax f32:16x64' --min-time 0.001 --file " + file);
  ASSERT_EQ(tuned.exit_code, 0) << tuned.err;
  EXPECT_NE(tuned.out.find("2 problems"), std::string::npos) << tuned.out;
  const json written = json::parse(read_bytes(file));
  EXPECT_EQ(written.at("schema"), "tandem-tuning/1");
  EXPECT_TRUE(written.contains("ceilings"));
  ASSERT_GE(written.at("measured").size(), 2u);
  for (const json& m : written.at("measured")) EXPECT_GT(m.at("seconds").get<double>(), 0);
  const Ran shown = run("--show --file " + file);
  EXPECT_EQ(shown.exit_code, 0);
  EXPECT_NE(shown.out.find("fingerprint matches"), std::string::npos) << shown.out;
  EXPECT_NE(shown.out.find("softmax"), std::string::npos) << shown.out;

  // What was measured stays when more is.
  const Ran more = run("exp f32:500 --min-time 0.001 --file " + file);
  EXPECT_EQ(more.exit_code, 0) << more.err;
  EXPECT_GT(json::parse(read_bytes(file)).at("measured").size(), written.at("measured").size());

  // Ceilings that are measured again replace those in the file, and nothing else; without that they stay.
  json planted = json::parse(read_bytes(file));
  planted["ceilings"]["cpu_flops_s_one_thread"] = 1.5;
  write_bytes(file, planted.dump());
  ASSERT_EQ(run("exp f32:400 --min-time 0.001 --file " + file).exit_code, 0);
  json kept = json::parse(read_bytes(file));
  EXPECT_EQ(kept.at("ceilings").at("cpu_flops_s_one_thread"), 1.5);
  const Ran ceilings = run("--remeasure-ceilings --file " + file);
  EXPECT_EQ(ceilings.exit_code, 0) << ceilings.err;
  const json measured = json::parse(read_bytes(file));
  EXPECT_GT(measured.at("ceilings").at("cpu_flops_s_one_thread").get<double>(), 1e6);
  EXPECT_EQ(measured.at("measured"), kept.at("measured"));

  // Regret over problems that were not measured.
  const Ran regret = run("--regret --suite 2 --min-time 0.001 --json - --file " + file, "TANDEM_TUNING=" + file);
  ASSERT_EQ(regret.exit_code, 0) << regret.err;
  const json found = json::parse(regret.out);
  EXPECT_EQ(found.at("schema"), "tandem-regret/1");
  EXPECT_EQ(found.at("problems").size(), 2u);
  EXPECT_NE(found.at("model").get<std::string>().find("fingerprint matches"), std::string::npos) << found.at("model");
  for (const json& p : found.at("problems")) {
    // Not measured before; and no regret where the chosen kernel is the best one, as which one is was measured.
    EXPECT_NE(p.at("rung"), "measured") << p;
    EXPECT_GT(p.at("best_s").get<double>(), 0) << p;
    const double regret_here = p.at("regret");
    EXPECT_TRUE(p.at("chosen") != p.at("best") || regret_here == 0) << p;
  }
  EXPECT_EQ(found.at("all").at("problems"), 2);
  EXPECT_EQ(found.at("all").at("worst_regret"),
            std::max(found["problems"][0]["regret"].get<double>(), found["problems"][1]["regret"].get<double>()));

  const Ran reset = run("--reset --file " + file);
  EXPECT_EQ(reset.exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(file));
}

// The curves of copies reach predictions through the file alone: a context does not measure them.
TEST(TuneCli, WritesTheCurvesOfCopiesWhereThereIsAGpu) {
  const TemporaryFolder folder;
  const std::string file = folder.file("t.json");
  const Ran first = run("--remeasure-ceilings --file " + file);
  ASSERT_EQ(first.exit_code, 0) << first.err;
  Context ctx;
  const bool gpu = !ctx.machine().gpus.empty();
  use_tuning(ctx, file);
  EXPECT_EQ(ctx.machine().ceilings.h2d_pageable.measured(), gpu);
  EXPECT_EQ(ctx.machine().ceilings.d2h_pageable.measured(), gpu);
  EXPECT_EQ(run("--show --file " + file).out.find("copies by size") != std::string::npos, gpu);

  // A file without them gets them; its other ceilings stay.
  json older = json::parse(read_bytes(file));
  older["ceilings"]["cpu_flops_s_one_thread"] = 1.5;
  for (const char* curve : {"h2d_pageable", "d2h_pageable", "h2d_pinned", "d2h_pinned"})
    for (json& seconds : older["ceilings"][curve]) seconds = 0;
  write_bytes(file, older.dump());
  const Ran second = run("relu f32:10 --min-time 0.001 --file " + file);
  ASSERT_EQ(second.exit_code, 0) << second.err;
  use_tuning(ctx, "off");
  EXPECT_FALSE(ctx.machine().ceilings.h2d_pageable.measured());
  use_tuning(ctx, file);
  EXPECT_EQ(ctx.machine().ceilings.cpu_flops, 1.5);
  EXPECT_EQ(ctx.machine().ceilings.h2d_pageable.measured(), gpu);
}

TEST(TuneCli, MeasuresWhatWasRecordedAndListsWithoutMeasuring) {
  const TemporaryFolder folder;
  write_bytes(folder.file("met.txt"), "relu f32:300\n# add f32:10,b=2  (not all that this was)\n\nrelu f32:300\n");
  const Ran tuned = run("--record " + folder.file("met.txt") + " --min-time 0.001 --file " + folder.file("t.json"));
  EXPECT_EQ(tuned.exit_code, 0) << tuned.err;
  EXPECT_NE(tuned.out.find("1 problems"), std::string::npos) << tuned.out;
  const Ran dry = run("--dry-run --file " + folder.file("none.json"));
  EXPECT_EQ(dry.exit_code, 0);
  EXPECT_NE(dry.out.find("matmul f32:"), std::string::npos);
  EXPECT_NE(dry.out.find("spmm csr:"), std::string::npos);
  // Operations of one or two forms are not left with one or two problems.
  std::map<std::string, int> problems;
  for (const std::string& line : lines_of(dry.out)) ++problems[line.substr(0, line.find(' '))];
  EXPECT_GT(problems.size(), 20u);
  for (const auto& [op, count] : problems) EXPECT_GE(count, 4) << op;
  EXPECT_FALSE(std::filesystem::exists(folder.file("none.json")));
}

TEST(TuneCli, SpendsTheTimeItIsGiven) {
  const TemporaryFolder folder;
  const auto begin = std::chrono::steady_clock::now();
  const Ran tuned = run("--seconds 0.5 --min-time 0.0005 --file " + folder.file("t.json"));
  EXPECT_EQ(tuned.exit_code, 0) << tuned.err;
  EXPECT_GE(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(), 0.5);
  // What it measures first is what it says that it will.
  const std::vector<std::string> listed = lines_of(run("--dry-run --file " + folder.file("t.json")).out);
  const std::set<std::string> first_round(listed.begin(), listed.end());
  std::set<std::string> measured;
  const json file = json::parse(read_bytes(folder.file("t.json")));
  for (const json& m : file.at("measured"))
    measured.insert(m.at("op").get<std::string>() + " " + m.at("problem").get<std::string>());
  EXPECT_TRUE(measured.contains(listed.at(0))) << listed.at(0);
  if (measured.size() < first_round.size()) {  // else half a second was enough for more
    for (const std::string& problem : measured) EXPECT_TRUE(first_round.contains(problem)) << problem;
  }
}

TEST(TuneCli, ACapOnTheInstructionSetsIsNotTuned) {
  const TemporaryFolder folder;
  if (detected_machine().cpu.isa == IsaLevel::scalar) GTEST_SKIP() << "there is no lower level";
  const std::string file = " --file " + folder.file("t.json");
  const std::string cap = "TANDEM_TUNING=off TANDEM_ISA_MAX=scalar";
  expect_usage_error(run("relu f32:10 --min-time 0.001" + file, cap), "tandem-tune", "TANDEM_ISA_MAX=scalar is below");
  EXPECT_FALSE(std::filesystem::exists(folder.file("t.json")));
  EXPECT_EQ(run("--dry-run" + file, cap).exit_code, 0) << "nothing is measured";
}

TEST(TuneCli, ResetRemovesNothingButATuningFile) {
  const TemporaryFolder folder;
  const std::string thesis = folder.file("thesis.txt"), torn = folder.file("t.json"), empty = folder.file("empty");
  write_bytes(thesis, "A thesis about {\"schema\": \"tandem-tuning/1\"}");
  std::filesystem::create_directory(empty);
  expect_usage_error(run("--reset --file " + thesis), "tandem-tune", "thesis.txt: not removed: this is no tuning file");
  expect_usage_error(run("--reset --file " + empty), "tandem-tune", "not a regular file");
  EXPECT_TRUE(std::filesystem::exists(thesis) && std::filesystem::exists(empty));
  ASSERT_EQ(run("relu f32:10 --min-time 0.001 --file " + torn).exit_code, 0);
  write_bytes(torn, read_bytes(torn).substr(0, 300));  // of no use, and still what is to go
  EXPECT_EQ(run("--reset --file " + torn).out, torn + ": removed\n");
  EXPECT_EQ(run("--reset --file " + torn).out, torn + ": there is none\n");
}

TEST(TuneCli, TellsWhatItReplaces) {
  const TemporaryFolder folder;
  const std::string file = folder.file("t.json");
  ASSERT_EQ(run("relu f32:10 --min-time 0.001 --file " + file).exit_code, 0);
  json other = json::parse(read_bytes(file));
  const std::size_t held = other.at("measured").size();
  other["fingerprint"]["cpu"] = "An abacus";
  write_bytes(file, other.dump());
  const Ran ran = run("relu f32:20 --min-time 0.001 --file " + file);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_NE(ran.out.find("; " + std::to_string(held) + " that it held are gone: cpu is 'An abacus' there"),
            std::string::npos)
      << ran.out;
}

}  // namespace
}  // namespace tandem::test::tune_cli_test

#endif
