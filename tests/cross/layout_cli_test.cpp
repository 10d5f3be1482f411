// The program tandem-layout as its users meet it.
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/program_run.h"

#ifdef TANDEM_LAYOUT_PROGRAM

namespace tandem::test::layout_cli_test {
namespace {

Ran run(const std::string& arguments) { return run_program(TANDEM_LAYOUT_PROGRAM, arguments); }

TEST(LayoutCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const struct {
    const char *arguments, *mentions;
  } kBad[] = {{"--size 12", "--size 12"},
              {"--size 128x128y", "128x128y"},
              {"--size 1x1", "1 x 1"},
              {"--size 99999999x99999999", "99999999 x 99999999"},
              {"--json /nowhere/at/all.json", "/nowhere/at/all.json"},
              {"--threads 2", "--threads"},
              {"something", "something"}};
  for (const auto& bad : kBad) expect_usage_error(run(bad.arguments), "tandem-layout", bad.mentions);
}

TEST(LayoutCli, PrintsATableWithAdviceOrJson) {
  const Ran table = run("--size 128x128 --min-time 0.001");
  EXPECT_EQ(table.exit_code, 0) << table.err;
  for (const char* part : {"by columns", "4112 floats apart", "aligned to 64 bytes", "order: "})
    EXPECT_NE(table.out.find(part), std::string::npos) << part << "\n" << table.out;
  const Ran json = run("--size 128x128 --min-time 0.001 --json -");
  EXPECT_EQ(json.exit_code, 0) << json.err;
  EXPECT_EQ(nlohmann::json::parse(json.out)["schema"], "tandem-layout/1");
}

TEST(LayoutCli, HelpAndVersionAreAnswers) {
  for (const char* option : {"--help", "--version"}) {
    const Ran ran = run(option);
    EXPECT_EQ(ran.exit_code, 0) << option;
    EXPECT_NE(ran.out.find("tandem-layout"), std::string::npos) << option;
  }
}

}  // namespace
}  // namespace tandem::test::layout_cli_test

#endif
