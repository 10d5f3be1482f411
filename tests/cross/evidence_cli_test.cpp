// The program tandem-evidence: its figures depend on the machine, its form does not.
#include <string>

#include <gtest/gtest.h>

#include "tests/support/program_run.h"

#ifdef TANDEM_EVIDENCE_PROGRAM

namespace tandem::test::evidence_cli_test {
namespace {

TEST(EvidenceCli, CountsEveryComparison) {
  const Ran ran = run_program(TANDEM_EVIDENCE_PROGRAM, "--runs 2 --min-time 0.002");
  EXPECT_TRUE(ran.exit_code == 0 || ran.exit_code == 1) << ran.err;  // 1: a target was not reached
  EXPECT_NE(ran.out.find("own overhead: clock tick"), std::string::npos) << ran.out;
  for (const char* name : {"itself again", "with 5 % more work", "with 1 % more work"})
    EXPECT_NE(ran.out.find(name), std::string::npos) << ran.out;
  EXPECT_NE(ran.out.find("2 comparisons"), std::string::npos) << ran.out;
  EXPECT_EQ(ran.exit_code == 1, ran.out.find("NOT REACHED") != std::string::npos) << ran.out;
}

TEST(EvidenceCli, BadCommandsAreOneSentence) {
  for (const char* arguments : {"--runs 0", "--min-time 0", "--threads x", "--unknown"})
    expect_usage_error(run_program(TANDEM_EVIDENCE_PROGRAM, arguments), "tandem-evidence", "--");
}

TEST(EvidenceCli, TellsItsVersion) {
  const Ran ran = run_program(TANDEM_EVIDENCE_PROGRAM, "--version");
  EXPECT_EQ(ran.exit_code, 0) << ran.err;
  EXPECT_EQ(ran.out.rfind("tandem-evidence ", 0), 0u) << ran.out;
}

}  // namespace
}  // namespace tandem::test::evidence_cli_test

#endif
