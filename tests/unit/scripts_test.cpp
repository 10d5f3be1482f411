// The scripts that the README names: asked for help, they say what they do and do nothing.
#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

namespace tandem::test::scripts_test {
namespace {

TEST(Scripts, HelpInstallsAndBuildsNothing) {
  if (std::system("command -v bash >/dev/null") != 0) GTEST_SKIP() << "there is no bash";
  const struct {
    std::string script, arguments, says;
  } kScripts[] = {
      {"bench/run.sh", "--help", "bench/run.sh -- --help"},
      {"bench/run.sh", "-h", "bench/run.sh -- --help"},
      {"bench/run.sh", "model --help", "bench/run.sh model -- --help"},
      {"bench/evidence.sh", "--help", "bench/evidence.sh --quick"},
      {"tests/run.sh", "--help", "tests/run.sh -L quick"},
      {"cmake/build.sh", "--help", "TANDEM_BUILD_DIR"},
      {"cmake/setup.sh", "--help", "cmake/setup.sh [PACKAGE...]"},
  };
  for (const auto& c : kScripts) {
    const TemporaryFolder folder;
    // A script that builds nevertheless ends soon: there is no such preset.
    const std::string build = folder.file("build");
    const Ran ran = run_program(TANDEM_TEST_DATA_DIR "/../../" + c.script, c.arguments,
                                "TANDEM_PRESET=none TANDEM_BUILD_DIR=" + build);
    EXPECT_EQ(ran.exit_code, 0) << c.script << " " << c.arguments << "\n" << ran.err;
    EXPECT_NE(ran.out.find(c.says), std::string::npos) << c.script << " " << c.arguments << "\n" << ran.out;
    EXPECT_EQ(ran.out.find("set -"), std::string::npos) << "more than the words at its head\n" << ran.out;
    EXPECT_FALSE(std::filesystem::exists(build)) << c.script << " " << c.arguments;
  }
}

}  // namespace
}  // namespace tandem::test::scripts_test
