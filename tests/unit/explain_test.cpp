// Contexts that pretend to be another machine, over the real tables: explain, policies, and the refusal to run.
#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "tests/support/machines.h"

namespace tandem::test {
namespace {

Context pretending(const Machine& machine, const Policy& policy = {}) {
  ContextOptions options;
  options.machine = machine;
  options.policy = policy;
  return Context(options);
}

template <class Call>
Error error_of(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    return error;
  }
  return Error(Code::ok, "nothing was thrown");
}

constexpr const char* kProblems[] = {"matmul f32:512x512x512", "relu f32:1000000", "add f32:1000x1000,row",
                                     "softmax f32:128x1024",   "sum f32:1000000",  "transpose f32:1000x1000"};

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Explain, NamesEveryKernelOfTheOperation) {
  Context ctx = pretending(gpu_machine_with(20e9));
  for (const char* problem : kProblems) {
    const Decision d = explain(ctx, problem);
    EXPECT_FALSE(d.kernel.empty()) << problem;
    EXPECT_GT(d.predicted_seconds, 0) << problem;
    std::size_t known = 0;
    for (const KernelInfo& k : kernels(ctx)) {
      const bool listed =
          std::any_of(d.candidates.begin(), d.candidates.end(), [&](const Candidate& c) { return c.kernel == k.name; });
      known += listed ? 1 : 0;
    }
    EXPECT_EQ(known, d.candidates.size()) << problem;
    const std::string text = to_string(d);
    EXPECT_TRUE(has(text, problem) || has(text, d.op)) << text;
    EXPECT_TRUE(has(text, "chosen")) << text;
    EXPECT_TRUE(has(text, "why")) << text;
    for (const Candidate& c : d.candidates) {
      EXPECT_TRUE(has(text, c.kernel)) << text;
      EXPECT_FALSE(c.verdict.empty()) << c.kernel;
    }
  }
}

TEST(Explain, ChoosesTheCpuWithoutAGpu) {
  Context ctx = pretending(plain_machine());
  for (const char* problem : kProblems) {
    const Decision d = explain(ctx, problem);
    EXPECT_EQ(d.backend, Backend::cpu) << problem;
    EXPECT_EQ(d.kernel.substr(0, 4), "cpu.");
    for (const Candidate& c : d.candidates) EXPECT_FALSE(c.accepted && c.kernel.starts_with("cuda.")) << c.kernel;
  }
}

TEST(Explain, TakesAReferenceOnlyWhereNothingElseIsLeft) {
  Context ctx = pretending(plain_machine());
  for (const char* problem : kProblems) {
    const Decision d = explain(ctx, problem);
    bool other = false, reference = false;
    for (const KernelInfo& k : kernels(ctx))
      for (const Candidate& c : d.candidates) {
        if (c.kernel != k.name) continue;
        if (c.accepted && !k.reference) other = true;
        if (k.name == d.kernel) reference = k.reference;
      }
    EXPECT_NE(other, reference) << problem;
  }
}

TEST(Explain, RejectsWhatItCannotRead) {
  Context ctx = pretending(plain_machine());
  const Error unknown = error_of([&] { explain(ctx, "frobnicate f32:3"); });
  EXPECT_EQ(unknown.code(), Code::invalid_argument);
  EXPECT_TRUE(has(unknown.what(), "frobnicate")) << unknown.what();
  EXPECT_EQ(error_of([&] { explain(ctx, ""); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { explain(ctx, "matmul"); }).code(), Code::invalid_argument);
  for (const char* problem : {"matmul f32:2x2", "matmul f64:2x2x2", "relu f32:4000000000x4000000000"}) {
    const Error error = error_of([&] { explain(ctx, problem); });
    EXPECT_EQ(error.code(), Code::invalid_argument) << problem;
    EXPECT_TRUE(has(error.what(), problem)) << error.what();
  }
  EXPECT_EQ(explain(ctx, "relu f32:1000").problem, "f32:1000");  // not taken for a call in place
}

TEST(PretendedContext, SelectsButDoesNotRun) {
  Context ctx = pretending(gpu_machine_with(20e9));
  const Tensor x = Tensor::full({64}, 1.0f);
  const Error error = error_of([&] { relu(ctx, x); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(has(error.what(), "pretends to be another machine")) << error.what();
  EXPECT_EQ(error_of([&] { Tensor::empty(ctx, {4}, DType::f32, Device::cuda()); }).code(), Code::unavailable);
}

TEST(Policy, IsValidatedWhenItIsSet) {
  Context ctx = pretending(plain_machine());
  Policy unknown;
  unknown.kernels = {"cpu.matmul.f32.quantum"};
  const Error name = error_of([&] { ctx.set_policy(unknown); });
  EXPECT_EQ(name.code(), Code::invalid_argument);
  EXPECT_TRUE(has(name.what(), "cpu.matmul.f32.quantum")) << name.what();
  Policy gpu;
  gpu.backend = Backend::cuda;
  const Error backend = error_of([&] { ctx.set_policy(gpu); });
  EXPECT_EQ(backend.code(), Code::unavailable);
  EXPECT_TRUE(has(backend.what(), plain_machine().no_gpu_reason)) << backend.what();
  EXPECT_FALSE(ctx.policy().backend.has_value());  // the old policy is left
  EXPECT_TRUE(ctx.policy().kernels.empty());
  EXPECT_EQ(error_of([&] { pretending(plain_machine(), gpu); }).code(), Code::unavailable);
}

TEST(Policy, ForcedBackendAndKernelDecide) {
  Context ctx = pretending(gpu_machine_with(20e9));
  Policy policy;
  policy.backend = Backend::cpu;
  ctx.set_policy(policy);
  for (const char* problem : kProblems) EXPECT_EQ(explain(ctx, problem).backend, Backend::cpu);
  int forced = 0;
  for (const Candidate& free : explain(ctx, "matmul f32:64x64x64").candidates) {
    if (!free.accepted) continue;
    ++forced;
    policy.kernels = {free.kernel};
    ctx.set_policy(policy);
    const Decision d = explain(ctx, "matmul f32:64x64x64");
    EXPECT_EQ(d.kernel, free.kernel);
    for (const Candidate& c : d.candidates) EXPECT_EQ(c.accepted, c.kernel == free.kernel) << c.kernel;
    EXPECT_NE(explain(ctx, "relu f32:64").kernel, "");  // other operations are free
  }
  EXPECT_GT(forced, 1);
}

TEST(Kernels, ListsAllWithAReasonWhereNotRunnable) {
  Context ctx = pretending(plain_machine());
  bool any = false;
  for (const KernelInfo& k : kernels(ctx)) {
    any = true;
    EXPECT_EQ(k.runnable, k.reason.empty()) << k.name;
    EXPECT_EQ(k.name.substr(0, k.name.find('.')), name(k.backend)) << k.name;
    EXPECT_FALSE(k.runnable && k.backend == Backend::cuda) << k.name;
    EXPECT_FALSE(k.runnable && !k.built) << k.name;
  }
  EXPECT_TRUE(any);
}

}  // namespace
}  // namespace tandem::test
