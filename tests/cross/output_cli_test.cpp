// What all programs promise of their output: nothing that is read or written is overwritten, nothing measured is lost
// when standard output goes away, and what could not be written is told.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_COMPARE_PROGRAM

namespace tandem::test::output_cli_test {
namespace {

using nlohmann::json;

const std::string kRelu = "relu f32:1000 --kernels 'cpu.*' --min-time 0.002 ";

struct Program {
  const char *path, *name, *arguments;
};
constexpr Program kCompare = {TANDEM_COMPARE_PROGRAM, "tandem-compare", "relu f32:1000 --min-time 0.002"};
constexpr Program kExplain = {TANDEM_EXPLAIN_PROGRAM, "tandem-explain", "relu f32:1000"};
constexpr Program kLayout = {TANDEM_LAYOUT_PROGRAM, "tandem-layout", "--size 64x64 --min-time 0.001"};
constexpr Program kProfile = {TANDEM_PROFILE_PROGRAM, "tandem-profile", "relu f32:1000 --min-time 0.002"};
constexpr Program kRoofline = {TANDEM_ROOFLINE_PROGRAM, "tandem-roofline", "relu f32:1000 --min-time 0.002"};
constexpr Program kTune = {TANDEM_TUNE_PROGRAM, "tandem-tune", "--dry-run"};

Ran run(const Program& program, const std::string& arguments, const std::string& before = "") {
  return run_program(program.path, arguments, before + " TANDEM_TUNING=off");
}

TEST(Output, OverwritesNothingThatIsReadOrWritten) {
  const TemporaryFolder folder;
  const std::string a = folder.file("a"), twin = folder.path().string() + "/./b", b = folder.file("b");
  ASSERT_EQ(run(kCompare, kRelu + "--quiet --json " + a).exit_code, 0);
  const std::string before = read_bytes(a);
  std::filesystem::create_symlink(a, folder.file("link"));
  const Program kReport = {TANDEM_REPORT_PROGRAM, "tandem-report", ""},
                kModel = {TANDEM_MODEL_PROGRAM, "tandem-model", ""};
  const struct {
    Program program;
    std::string arguments, mentions;
  } kBad[] = {
      {kCompare, kRelu + "--json " + b + " --csv " + twin, "--json and --csv would be written to the same file"},
      {kCompare, kRelu + "--baseline " + a + " --json " + a, "--json " + a + " would overwrite what --baseline reads"},
      {kCompare, kRelu + "--baseline " + a + " --json " + folder.file("link"), "would overwrite"},
      {kCompare, "matmul --a " + a + " --b " + a + " --csv " + a, "would overwrite what --a reads"},
      {kReport, a + " -o " + a, "would overwrite"},
      {kModel, a + " --data " + b + " --json " + a, "would overwrite what the model reads"},
      {kModel, b + " --data " + a + " --json " + a, "would overwrite what --data reads"},
      {kProfile, "relu f32:10 --json " + b + " --trace " + b, "--json and --trace"},
      {kRoofline, "relu f32:10 --json " + b + " --svg " + b, "--json and --svg"},
      {kExplain, "relu f32:10 --machine " + a + " --json " + a, "would overwrite what --machine reads"},
      {kTune, "--regret --json " + b + " --file " + twin, "would overwrite what --file reads"},
      {kTune, "--record " + a + " --file " + a, a},
  };
  for (const auto& bad : kBad) expect_usage_error(run(bad.program, bad.arguments), bad.program.name, bad.mentions);
  EXPECT_EQ(read_bytes(a), before);
  EXPECT_FALSE(std::filesystem::exists(b));
}

TEST(Output, EmptyValuesAreNoValues) {
  const struct {
    Program program;
    std::string option;
  } kBad[] = {{kCompare, "--json"},     {kCompare, "--baseline"}, {kCompare, "--data"},  {kCompare, "--sweep-threads"},
              {kExplain, "--min-time"}, {kProfile, "--kernel"},   {kProfile, "--trace"}, {kRoofline, "--svg"},
              {kTune, "--file"},        {kExplain, "--machine"},  {kLayout, "--csv"}};
  for (const auto& bad : kBad)
    expect_usage_error(run(bad.program, bad.program.arguments + (" " + bad.option + " ''")), bad.program.name,
                       bad.option + ": its value is empty");
}

TEST(Output, AStandardOutputThatIsFullIsAnError) {
  for (const Program& program : {kCompare, kExplain, kLayout, kProfile, kRoofline, kTune})
    for (const std::string& arguments : {std::string(program.arguments), std::string("--help")})
      expect_usage_error(run(program, arguments + " >/dev/full"), program.name, "standard output could not be written");
}

TEST(Output, FilesAreWrittenThoughStandardOutputIsFull) {
  const TemporaryFolder folder;
  const std::string csv = folder.file("a.csv");
  expect_usage_error(run(kCompare, kRelu + "--csv " + csv + " >/dev/full"), "tandem-compare", "standard output");
  EXPECT_NE(read_bytes(csv).find("cpu.unary.f32.simd"), std::string::npos);
  std::filesystem::remove(csv);
  expect_usage_error(run(kCompare, kRelu + "--json - --csv " + csv + " >/dev/full"), "tandem-compare",
                     "standard output");
  EXPECT_NE(read_bytes(csv).find("cpu.unary.f32.simd"), std::string::npos);
}

/// The exit code of a program whose reader goes away before it writes.
int code_without_reader(const std::string& arguments, const std::string& code) {
  const Ran ran = run(kCompare, arguments + "; echo $? >" + code + "; } | true", "{");
  EXPECT_EQ(ran.err, "");
  return std::stoi(read_bytes(code));
}

TEST(Output, AReaderThatWentAwayCostsNoFile) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a.json"), code = folder.file("code");
  EXPECT_EQ(code_without_reader(kRelu + "softmax f32:16x10 --json " + file, code), 0);
  EXPECT_GT(json::parse(read_bytes(file)).at("rows").size(), 3u);
  EXPECT_EQ(code_without_reader(kRelu + "--json - --csv " + file, code), 0);
  EXPECT_NE(read_bytes(file).find("cpu.unary.f32.simd"), std::string::npos);
  EXPECT_EQ(code_without_reader(kRelu, code), 141) << "as by SIGPIPE: there is nothing left to do";
}

TEST(Output, AHangUpKeepsWhatWasMeasured) {
  const TemporaryFolder folder;
  const std::string file = folder.file("a.json");
  const Ran ran = run(kCompare, "relu f32:1000 --min-time 60 --json " + file,
                      "timeout --foreground --preserve-status -s HUP 3 env");
  EXPECT_EQ(ran.exit_code, 130) << ran.err;
  EXPECT_TRUE(json::parse(read_bytes(file)).at("interrupted").get<bool>());
}

TEST(Output, ARooflineThatWasInterruptedSaysSo) {
  const Ran ran = run(kRoofline, "relu f32:1000 --min-time 60", "timeout --foreground --preserve-status -s INT 4 env");
  EXPECT_EQ(ran.exit_code, 130) << ran.err;
  EXPECT_NE(ran.out.find("interrupted"), std::string::npos) << ran.out;
}

}  // namespace
}  // namespace tandem::test::output_cli_test

#endif
