// The environment variables, in processes of their own: they are read once, when the first context is made.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <memory>

#include "tests/support/calls.h"

namespace tandem::test::environment_test {
namespace {

// What the child processes run: one line about a product, then "error: " and the sentence where there is one.
TEST(EnvironmentChild, DISABLED_Report) {
  try {
    Context ctx;
    const Tensor a = Tensor::full({64, 64}, 1.0f);
    matmul(ctx, a, a);
    std::printf("kernel=%s threads=%d isa=%s backend=%s\n", ctx.last().kernel.c_str(), ctx.threads(),
                std::string(name(ctx.machine().cpu.isa)).c_str(),
                ctx.policy().backend ? std::string(name(*ctx.policy().backend)).c_str() : "free");
  } catch (const Error& error) {
    std::printf("error: %s\n", error.what());
  }
}

// The policy after set_policy, and that of the contexts of a batch.
TEST(EnvironmentChild, DISABLED_SetPolicy) {
  ContextOptions options;
  options.threads = 2;
  Context ctx(options);
  const auto print = [](const char* who, Context& c) {
    std::printf("%s=%s,%s\n", who, c.policy().backend ? std::string(name(*c.policy().backend)).c_str() : "free",
                c.policy().kernels.empty() ? "any" : c.policy().kernels[0].c_str());
  };
  const Tensor x = Tensor::full({8}, 1.0f);
  const std::vector<ConstView> batch(2, x);
  ctx.set_policy({});
  print("cleared", ctx);
  parallel_batch(ctx, batch, [&](Context& worker, ConstView item) {
    if (&worker != &ctx && item.as<float>() == x.data<float>()) print("worker", worker);
    return relu(worker, item);
  });
  Policy other;
  other.kernels = {"cpu.unary.f32.eigen"};
  ctx.set_policy(other);
  print("named", ctx);
}

// Output of the child, standard error included.
std::string child(const std::string& variables, const std::string& test = "Report") {
  const std::string command =
      "env -u GTEST_TOTAL_SHARDS -u GTEST_SHARD_INDEX " + variables + " /proc/" + std::to_string(::getpid()) +
      "/exe --gtest_also_run_disabled_tests --gtest_filter=EnvironmentChild.DISABLED_" + test + " 2>&1";
  std::string text;
  std::FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return "popen failed";
  std::array<char, 4096> part;
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), pipe)) text.append(part.data(), got);
  const int status = ::pclose(pipe);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << text;
  return text;
}

std::string runnable_kernel() {
  ContextOptions options;
  options.use_gpu = false;
  Context ctx(options);
  std::string name;
  for (const Candidate& c : explain(ctx, "matmul f32:64x64x64").candidates)
    if (c.accepted) name = c.kernel;  // the last one: not what would be chosen
  return name;
}

TEST(Environment, ChoosesKernelThreadsAndLevel) {
  const std::string kernel = runnable_kernel();
  ASSERT_FALSE(kernel.empty());
  EXPECT_TRUE(has(child("TANDEM_KERNEL=" + kernel), "kernel=" + kernel + " "));
  EXPECT_TRUE(has(child("TANDEM_THREADS=3"), "threads=3 "));
  EXPECT_TRUE(has(child("TANDEM_ISA_MAX=scalar"), "isa=scalar "));
  EXPECT_TRUE(has(child("TANDEM_BACKEND=cpu"), "backend=cpu"));
  EXPECT_TRUE(has(child("TANDEM_BACKEND=cpu"), "kernel=cpu."));
  const std::string plain = child("-u TANDEM_LOG");
  EXPECT_TRUE(has(plain, "backend=free")) << plain;
  EXPECT_FALSE(has(plain, "tandem: ")) << plain;
  EXPECT_TRUE(has(child("TANDEM_LOG=1"), "tandem: matmul f32:64x64x64 -> "));
}

TEST(Environment, FillsInEveryPolicy) {
  const std::string text = child("TANDEM_BACKEND=cpu TANDEM_KERNEL=cpu.unary.f32.simd", "SetPolicy");
  EXPECT_TRUE(has(text, "cleared=cpu,cpu.unary.f32.simd\n")) << text;
  EXPECT_TRUE(has(text, "worker=cpu,cpu.unary.f32.simd\n")) << text;
  EXPECT_TRUE(has(text, "named=cpu,cpu.unary.f32.eigen\n")) << text;
  EXPECT_TRUE(has(child("-u TANDEM_BACKEND -u TANDEM_KERNEL", "SetPolicy"), "cleared=free,any\n"));
}

TEST(Environment, BadValuesAreErrors) {
  const std::pair<const char*, const char*> bad[] = {
      {"TANDEM_BACKEND=gpu", "error: TANDEM_BACKEND=gpu: "},
      {"TANDEM_THREADS=0", "error: TANDEM_THREADS=0: "},
      {"TANDEM_ISA_MAX=mmx", "error: TANDEM_ISA_MAX=mmx: "},
      {"TANDEM_LOG=on", "error: TANDEM_LOG=on: "},
      {"TANDEM_KERNEL=cpu.matmul.f32.quantum",
       "error: TANDEM_KERNEL: there is no kernel named 'cpu.matmul.f32.quantum'"},
  };
  for (const auto& [variables, sentence] : bad) {
    const std::string text = child(variables);
    EXPECT_TRUE(has(text, "error: ")) << text;
    EXPECT_TRUE(has(text, sentence)) << variables << ": " << text;
    EXPECT_FALSE(has(text, "kernel=cpu.matmul.f32.simd threads")) << text;  // never ignored
  }
}

TEST(Environment, AGpuThatIsAskedForAndMissingIsAnError) {
  Context ctx;
  if (!ctx.machine().gpus.empty()) GTEST_SKIP() << "there is a GPU";
  const std::string text = child("TANDEM_BACKEND=cuda");
  EXPECT_TRUE(has(text, "error: ")) << text;
  EXPECT_TRUE(has(text, ctx.machine().no_gpu_reason)) << text;
}

}  // namespace
}  // namespace tandem::test::environment_test
