// The programs that time one thing of the library, where their command line is concerned.
#include <string>

#include <gtest/gtest.h>

#include "tests/support/program_run.h"

#ifdef TANDEM_GEMM_BENCH_PROGRAM

namespace tandem::test::benches_cli_test {
namespace {

TEST(BenchesCli, BadCommandsAreOneSentenceAndExitCodeTwo) {
  const struct {
    const char *program, *name, *arguments, *mentions;
  } kBad[] = {
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "abc", "'abc'"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "0x1x1", "'0x1x1'"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8,tc", "'8x8x8,tc'"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8x8", "'8x8x8x8'"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "99999999999x1x1", "'99999999999x1x1'"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "2000000000x2000000000x1", "of memory are free"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 --isa foo", "'foo'"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 -t 99999999", "--threads 99999999"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 -t 0", "--threads 0"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 -s nan", "--seconds nan"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 -s -1", "--seconds -1"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 --mc -5", "--mc -5"},
      {TANDEM_GEMM_BENCH_PROGRAM, "tandem-gemm-bench", "8x8x8 --mc 5", "all three"},
      {TANDEM_DOT_BENCH_PROGRAM, "tandem-dot-bench", "abc", "'abc'"},
      {TANDEM_DOT_BENCH_PROGRAM, "tandem-dot-bench", "0x0x0", "'0x0x0'"},
      {TANDEM_DOT_BENCH_PROGRAM, "tandem-dot-bench", "8x8x8,ta", "'8x8x8,ta'"},
      {TANDEM_DOT_BENCH_PROGRAM, "tandem-dot-bench", "8x8x8 -s 0", "--seconds 0"},
      {TANDEM_POOL_BENCH_PROGRAM, "tandem-pool-bench", "99999999", "threads 99999999"},
      {TANDEM_POOL_BENCH_PROGRAM, "tandem-pool-bench", "0", "threads 0"},
      {TANDEM_POOL_BENCH_PROGRAM, "tandem-pool-bench", "2x", "2x"},
      {TANDEM_DISPATCH_BENCH_PROGRAM, "tandem-dispatch-bench", "nosuch", "nosuch"},
  };
  for (const auto& bad : kBad) expect_usage_error(run_program(bad.program, bad.arguments), bad.name, bad.mentions);
}

TEST(BenchesCli, HelpIsAnAnswer) {
  for (const char* program : {TANDEM_GEMM_BENCH_PROGRAM, TANDEM_DOT_BENCH_PROGRAM, TANDEM_POOL_BENCH_PROGRAM,
                              TANDEM_DISPATCH_BENCH_PROGRAM}) {
    const Ran ran = run_program(program, "--help");
    EXPECT_EQ(ran.exit_code, 0) << program;
    EXPECT_NE(ran.out.find("--help"), std::string::npos) << program;
  }
}

TEST(BenchesCli, AProductIsMeasured) {
  const Ran gemm = run_program(TANDEM_GEMM_BENCH_PROGRAM, "9x8x7,ta,tb -t 1 -s 0.001");
  EXPECT_EQ(gemm.exit_code, 0) << gemm.err;
  EXPECT_NE(gemm.out.find("9x8x7,ta,tb"), std::string::npos) << gemm.out;
  const Ran dot = run_program(TANDEM_DOT_BENCH_PROGRAM, "9x8x7 -s 0.001 -o f32");
  EXPECT_EQ(dot.exit_code, 0) << dot.err;
  EXPECT_NE(dot.out.find("f32 simd"), std::string::npos) << dot.out;
}

}  // namespace
}  // namespace tandem::test::benches_cli_test

#endif
