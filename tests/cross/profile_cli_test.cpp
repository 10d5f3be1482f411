// The program tandem-profile as its users meet it: exit codes, sentences, files.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_PROFILE_PROGRAM

namespace tandem::test::profile_cli_test {
namespace {

using nlohmann::json;

Ran run(const std::string& arguments, const std::string& before = "") {
  return run_program(TANDEM_PROFILE_PROGRAM, arguments, before);
}

const std::string kQuick = " --min-time 0.005 ";

TEST(ProfileCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const struct {
    const char *arguments, *mentions;
  } kBad[] = {
      {"", "problem"},
      {"matmul", "'matmul'"},
      {"matmul f32:8x8x8 relu f32:8", "is not an operation and a problem"},
      {"nonsense f32:10", "'nonsense'"},
      {"matmul f32:10x10", "three sizes"},
      {"relu f32:0", "no element"},
      {"relu f32:10 --kernel cpu.nothing", "'cpu.nothing'"},
      {"relu f32:10 --kernel cpu.matmul.f32.naive", "'cpu.matmul.f32.naive'"},
      {"relu f32:10 --threads -2", "--threads"},
      {"relu f32:10 --min-time 0", "--min-time"},
      {"relu f32:10 --unknown", "--unknown"},
      {"relu f32:10 --json - --trace -", "standard output"},
      {"relu f32:10 --json /nowhere/at/all.json", "/nowhere/at/all.json"},
      {"relu f32:10 --trace /nowhere/at/all.json", "/nowhere/at/all.json"},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-profile", bad.mentions);
}

TEST(ProfileCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_NE(ran.out.find("tandem-profile"), std::string::npos) << option;
    EXPECT_EQ(ran.err, "") << option;
  }
}

TEST(ProfileCli, TheTableNamesStagesAndSources) {
  const Ran ran = run("'matmul f32:64x64x64' --cold" + kQuick);
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  for (const char* text : {"Stages of a call", "kernel", "wall", "other", "kernel alone, cold", "intensity", "bound by",
                           "derived:", "measured:", "modelled:", "right: every element"})
    EXPECT_NE(ran.out.find(text), std::string::npos) << text << "\n" << ran.out;
}

TEST(ProfileCli, JsonHoldsEveryNumberWithItsSource) {
  const Ran ran = run("softmax f32:50x60 --threads 1 --cold --json -" + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  const json out = json::parse(ran.out);
  EXPECT_EQ(out.at("schema"), "tandem-profile/1");
  EXPECT_EQ(out.at("op"), "softmax");
  EXPECT_EQ(out.at("problem"), "f32:50x60");
  EXPECT_EQ(out.at("status"), "ok");
  EXPECT_EQ(out.at("machine").at("threads"), 1);
  double sum = 0;
  for (const json& stage : out.at("stages")) {
    const json& time = stage.at("time");
    EXPECT_FALSE(time.at("how").get<std::string>().empty());
    EXPECT_EQ(time.at("source") == "n/a", time.at("value").is_null());
    if (!time.at("value").is_null()) sum += time.at("value").get<double>();
    EXPECT_EQ(stage.at("sample_s").size(), out.at("traced_call").at("samples").get<std::size_t>());
  }
  EXPECT_NEAR(sum, out.at("wall").at("value").get<double>(), 1e-6 * sum);
  for (const char* timing : {"kernel_hot", "kernel_cold", "call", "traced_call"})
    EXPECT_GT(out.at(timing).at("median_s").get<double>(), 0) << timing;
  for (const char* group : {"work", "clocks", "overhead"})
    for (const auto& [name, figure] : out.at(group).items()) {
      for (const char* key : {"value", "unit", "source", "how"}) EXPECT_TRUE(figure.contains(key)) << name;
      EXPECT_EQ(figure.at("source") == "n/a", figure.at("value").is_null()) << name;
    }
}

TEST(ProfileCli, TheTraceOfTheLastCallIsWrittenWhole) {
  const TemporaryFolder folder;
  const std::string file = folder.file("trace.json");
  const Ran ran = run("matmul f32:64x64x64 --quiet --trace " + file + kQuick);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out, "");
  const json trace = json::parse(read_bytes(file));
  std::string names;
  for (const json& event : trace.at("traceEvents"))
    if (event.at("ph") == "X") names += event.at("name").get<std::string>() + ",";
  EXPECT_EQ(names.rfind("call,matmul,select,workspace,kernel,", 0), 0u) << names;
}

TEST(ProfileCli, AKernelThatCannotRunIsOneSentence) {
  expect_usage_error(run("matmul f32:8x8x8 --quiet --kernel cuda.matmul.f32.tiled" + kQuick, "CUDA_VISIBLE_DEVICES= "),
                     "tandem-profile", "cuda.matmul.f32.tiled");
}

}  // namespace
}  // namespace tandem::test::profile_cli_test

#endif
