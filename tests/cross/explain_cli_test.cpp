// The program tandem-explain as its users meet it: exit codes, sentences, files.
#include <string>

#include <gtest/gtest.h>
#include <tandem/explain.h>
#include <nlohmann/json.hpp>

#include "tests/support/machines.h"
#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_EXPLAIN_PROGRAM

namespace tandem::test::explain_cli_test {
namespace {

using nlohmann::json;

Ran run(const std::string& arguments, const std::string& before = "") {
  return run_program(TANDEM_EXPLAIN_PROGRAM, arguments, before);
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

const std::string kQuick = " --min-time 0.002 ";

TEST(ExplainCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const TemporaryFolder folder;
  write_bytes(folder.file("other.json"), "{\"schema\": \"tandem-compare/1\"}");
  write_bytes(folder.file("torn.json"), "{\"schema\": \"tandem-expl");
  const struct {
    std::string arguments, mentions;
  } kBad[] = {
      {"", "missing"},
      {"nonsense f32:10", "'nonsense'"},
      {"matmul f32:10x10", "three sizes"},
      {"relu f32:10 z:cuda", "no operand 'z'"},
      {"relu f32:10 x:tpu", "tpu"},
      {"relu f32:10 reuse=0", "expected_reuse is 0"},
      {"relu f32:10 --reuse -1", "expected_reuse is -1"},
      {"relu f32:10 --reuse x", "--reuse"},
      {"relu f32:10 hello", "'hello'"},
      {"relu f32:10 --devices cpu,cpu,cpu", "3 devices"},
      {"relu f32:10 --devices abacus", "abacus"},
      {"relu f32:10 --top 2", "--analyze"},
      {"relu f32:10 --analyze --top 0", "--top 0"},
      {"relu f32:10 --analyze --reuse 5", "reuse=5"},
      {"relu f32:10 --measure", "--break-even"},
      {"relu f32:10 --max-mib 5", "--break-even"},
      {"relu f32:10 --break-even --max-mib -5", "--max-mib"},
      {"relu f32:10 --threads -2", "--threads"},
      {"relu f32:10 --analyze --min-time 0", "--min-time"},
      {"relu f32:10 --min-time 1", "--min-time is given without --analyze or --measure"},
      {"relu f32:10 --break-even --seed 3", "--seed is given without --analyze or --measure"},
      {"relu f32:10 --unknown", "--unknown"},
      {"relu f32:0 --analyze", "no element"},
      {"relu f32:10 --json /nowhere/at/all.json", "/nowhere/at/all.json"},
      {"relu f32:10 --machine /nowhere.json", "/nowhere.json"},
      {"relu f32:10 --machine " + folder.file("other.json"), "tandem-compare/1"},
      {"relu f32:10 --machine " + folder.file("torn.json"), "torn.json"},
      {"relu f32:10 --analyze --machine " + folder.file("other.json"), "leave out --analyze"},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-explain", bad.mentions);
}

TEST(ExplainCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_TRUE(has(ran.out, "tandem-explain")) << option;
    EXPECT_EQ(ran.err, "") << option;
  }
}

TEST(ExplainCli, SaysTheSameAsTheLibraryAndAsTandemCompare) {
  const Ran ran = run("matmul f32:64x48x32,bias --threads 1");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.err, "");
  EXPECT_TRUE(has(ran.out, "matmul f32:64x48x32,bias  a:cpu b:cpu bias:cpu c:cpu  reuse=1\n")) << ran.out;
  for (const char* label : {"  chosen ", "  why ", "; 1 thread\n"}) EXPECT_TRUE(has(ran.out, label)) << ran.out;
  // Ceilings are measured by each process, so that figures differ; the candidates do not.
  const Ran compared = run_program(TANDEM_COMPARE_PROGRAM, "matmul f32:64x48x32,bias --threads 1 --explain");
  EXPECT_EQ(lines_of(compared.out)[0], lines_of(ran.out)[0]);
  EXPECT_EQ(lines_of(compared.out)[1].substr(0, 30), lines_of(ran.out)[1].substr(0, 30));
  EXPECT_EQ(run("'matmul  f32:64x48x32,bias' --threads 1").out.substr(0, 60), ran.out.substr(0, 60));
}

TEST(ExplainCli, AnalyzeHoldsPredictionsAgainstTimes) {
  const Ran ran = run("matmul f32:65x47x33 --analyze --top 3 --threads 1" + kQuick + "--json -");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json result = json::parse(ran.out);
  EXPECT_EQ(result.at("schema"), "tandem-explain/1");
  EXPECT_EQ(result.at("question"), "matmul f32:65x47x33");
  EXPECT_FALSE(result.contains("break_even"));
  const json& decision = result.at("decision");
  const json& trials = result.at("analysis").at("trials");
  std::size_t cpu = 0;
  for (const json& trial : trials) {
    const json& row = trial.at("row");
    if (row.at("backend") != "cpu") continue;
    ++cpu;
    EXPECT_EQ(row.at("status"), "ok") << row.dump(1);
    EXPECT_LE(row.at("bound_ratio").get<double>(), 1);
    EXPECT_EQ(trial.at("measured_s"), row.at("median_s"));
    EXPECT_NEAR(trial.at("off_by").get<double>(),
                trial.at("measured_s").get<double>() / trial.at("predicted").at("predicted_s").get<double>() - 1, 1e-9);
  }
  EXPECT_GE(cpu, 2u);
  EXPECT_LE(cpu, 3u);
  EXPECT_EQ(trials.at(0).at("predicted").at("kernel"), decision.at("kernel"));
  EXPECT_GE(result.at("analysis").at("regret").get<double>(), 0);
  const Ran text = run("softmax f32:16x10 --analyze" + kQuick);
  ASSERT_EQ(text.exit_code, 0) << text.err;
  for (const char* part : {"chosen", "predicted", "measured", "off by", "cpu.softmax.f32."})
    EXPECT_TRUE(has(text.out, part)) << text.out;
}

TEST(ExplainCli, BreakEvenIsThereOrSaysWhyNot) {
  const Ran ran = run("matmul f32:256x256x256 --break-even --json -");
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json break_even = json::parse(ran.out).at("break_even");
  EXPECT_EQ(break_even.at("source"), "predicted");
  if (break_even.at("reason") == "")
    EXPECT_EQ(break_even.at("crossings").size(), 9u);
  else
    EXPECT_TRUE(break_even.at("reason").get<std::string>().starts_with("n/a: ")) << break_even.dump();
  const Ran text = run("matmul f32:256x256x256 --break-even --measure --max-mib 1" + kQuick);
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_TRUE(has(text.out, "break-even of matmul f32:256x256x256, measured")) << text.out;
}

TEST(ExplainCli, ChoosesForTheMachineInAFile) {
  ContextOptions options;
  options.machine = plain_machine();
  options.machine->cpu.name = "a made-up processor";
  Context there(options);
  const TemporaryFolder folder;
  const Decision decision = explain(there, "matmul f32:100x100x100");
  write_bytes(folder.file("there.json"), to_json(Explanation{"", there.machine(), decision, nullptr, nullptr}));
  const Ran ran = run("matmul f32:100x100x100 --machine " + folder.file("there.json"));
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, to_string(decision));  // to the last figure
  const Ran again = run("matmul f32:100x100x100 --json - --machine " + folder.file("there.json"));
  EXPECT_EQ(json::parse(again.out).at("machine"), json::parse(read_bytes(folder.file("there.json"))).at("machine"));
}

TEST(ExplainCli, AnInterruptStopsTheAnalysis) {
  const Ran ran = run("relu f32:1000 --analyze --min-time 60", "timeout --foreground --preserve-status -s INT 3");
  EXPECT_EQ(ran.exit_code, 130) << ran.err;
  EXPECT_TRUE(has(ran.out, "interrupted")) << ran.out;
}

}  // namespace
}  // namespace tandem::test::explain_cli_test

#endif
