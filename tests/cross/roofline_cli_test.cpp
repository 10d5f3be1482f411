// The program tandem-roofline as its users meet it.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/xml_check.h"

#ifdef TANDEM_ROOFLINE_PROGRAM

namespace tandem::test::roofline_cli_test {
namespace {

using nlohmann::json;

Ran run(const std::string& arguments) { return run_program(TANDEM_ROOFLINE_PROGRAM, arguments); }

TEST(RooflineCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const struct {
    const char *arguments, *mentions;
  } kBad[] = {{"f32:10", "'f32:10'"},
              {"relu", "'relu'"},
              {"nonsense f32:10", "'nonsense'"},
              {"relu f32:0", "no element"},
              {"relu f32:10 --svg - --json -", "standard output"},
              {"relu f32:10 --svg /nowhere/at/all.svg", "/nowhere/at/all.svg"},
              {"relu f32:10 --min-time 0", "--min-time"},
              {"relu f32:10 --kernels nosuch", "'nosuch'"},
              {"relu f32:10 --unknown", "--unknown"}};
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-roofline", bad.mentions);
}

TEST(RooflineCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_NE(ran.out.find("tandem-roofline"), std::string::npos) << option;
  }
}

TEST(RooflineCli, ShowsCeilingsAndPointsAsTextPictureAndJson) {
  const TemporaryFolder folder;
  const std::string svg = folder.file("a.svg"), file = folder.file("a.json");
  const Ran ran = run("matmul f32:32x32x32 'transpose f32:64x64' --min-time 0.002 --kernels 'cpu.*' --svg " + svg +
                      " --json " + file);
  ASSERT_EQ(ran.exit_code, 0) << ran.err;
  for (const char* part :
       {"roofline of the host", "ceilings: FMA", "DRAM", "flop/byte", "cpu.matmul.f32.simd", "no point: cpu.transpose"})
    EXPECT_NE(ran.out.find(part), std::string::npos) << part << "\n" << ran.out;
  const std::string picture = read_bytes(svg);
  EXPECT_EQ(xml_complaint(picture), "");
  EXPECT_NE(picture.find("cpu.matmul.f32.simd"), std::string::npos);

  const json result = json::parse(read_bytes(file));
  EXPECT_EQ(result["schema"], "tandem-roofline/1");
  const json& host = result["rooflines"][0];
  EXPECT_EQ(host["flops_ceilings"].size(), 3u);
  EXPECT_EQ(host["bytes_ceilings"].size(), 4u);
  ASSERT_FALSE(host["points"].empty());
  for (const json& point : host["points"]) {
    // 2 * 32^3 operations on three matrices of 32 * 32 floats.
    EXPECT_NEAR(point["flops_per_byte"], 65536.0 / 12288, 1e-9);
    EXPECT_GT(point["flops_s"], 0);
    EXPECT_NE(point["ceiling_by"], "");
  }
  EXPECT_TRUE(result["copies"].is_object());
}

TEST(RooflineCli, ThePictureAloneGoesToStandardOutput) {
  const Ran ran = run("relu f32:1000 --min-time 0.002 --svg -");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(xml_complaint(ran.out), "") << ran.out.substr(0, 300);
}

}  // namespace
}  // namespace tandem::test::roofline_cli_test

#endif
