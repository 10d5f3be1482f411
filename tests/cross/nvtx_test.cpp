// Scopes and calls as NVTX ranges, seen by a library that NVTX loads into this program when it runs again.
#include <filesystem>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "tests/support/program_run.h"
#include "tests/support/temporary_folder.h"

#ifdef TANDEM_NVTX_INJECTION

namespace tandem::test::nvtx_test {
namespace {

/// What the run below sees; by itself it only has to work.
TEST(Nvtx, ScopesAndCalls) {
  ContextOptions options;
  options.threads = 1;
  options.use_gpu = false;
  Context ctx(options);
  const Tensor x = Tensor::full({4, 4}, 1);
  relu(ctx, x);  // before a recorder is there
  trace::Recorder recorder;
  trace::attach(ctx, recorder);
  {
    const trace::Scope scope(ctx, "layer 1");
    matmul(ctx, x, x);
    sigmoid(ctx, x);
  }
  relu(ctx, x);
  trace::RecorderOptions quiet;
  quiet.nvtx = false;
  trace::attach(ctx, trace::Recorder(quiet));
  softmax(ctx, x);
  trace::detach(ctx);
  relu(ctx, x);
  EXPECT_EQ(recorder.spans().size(), 4u);
}

TEST(Nvtx, AToolSeesRangesAsTheyNest) {
  const TemporaryFolder folder;
  const std::string seen = folder.file("seen");
  const Ran ran =
      run_program(std::filesystem::read_symlink("/proc/self/exe").string(), "--gtest_filter=Nvtx.ScopesAndCalls",
                  "NVTX_INJECTION64_PATH=" TANDEM_NVTX_INJECTION " TANDEM_NVTX_OUT=" + seen);
  ASSERT_EQ(ran.exit_code, 0) << ran.out << ran.err;
  EXPECT_EQ(read_bytes(seen), "layer 1\n matmul\n sigmoid\nrelu\n");
}

}  // namespace
}  // namespace tandem::test::nvtx_test

#endif
