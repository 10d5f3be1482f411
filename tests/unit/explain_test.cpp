// Contexts that pretend to be another machine, over the real tables: explain, policies, and the refusal to run.
#include <functional>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "tests/support/machines.h"
#include "tests/support/models.h"

namespace tandem::test::explain_test {
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

TEST(Explain, AnswersForNothingToComputeToo) {
  for (const Machine& machine : {plain_machine(), gpu_machine_with(20e9)}) {
    Context ctx = pretending(machine);
    for (const char* problem : {"relu f32:0", "matmul f32:0x5x5", "matmul f32:5x5x0", "softmax f32:0x3"})
      EXPECT_FALSE(explain(ctx, problem).kernel.empty()) << problem;
  }
}

TEST(Explain, ReadsPlacesAndReuse) {
  Context ctx = pretending(gpu_machine_with(20e9));
  const Decision d = explain(ctx, "matmul f32:512x256x128,bias  b:cuda:0   reuse=2.5");
  ASSERT_EQ(d.operands.size(), 4u);
  const char* const names[] = {"a", "b", "bias", "c"};
  const std::int64_t bytes[] = {512 * 128 * 4, 128 * 256 * 4, 256 * 4, 512 * 256 * 4};
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(d.operands[i].name, names[i]);
    EXPECT_EQ(d.operands[i].bytes, bytes[i]);
    EXPECT_EQ(d.operands[i].device, i == 1 ? Device::cuda() : Device::cpu());
    EXPECT_EQ(d.operands[i].result, i == 3);
  }
  EXPECT_FLOAT_EQ(d.expected_reuse, 2.5f);
  EXPECT_TRUE(has(to_string(d), "a:cpu b:cuda:0 bias:cpu c:cpu  reuse=2.5")) << to_string(d);
  // What is said by name goes before the list of devices.
  const Decision all = explain(ctx, "matmul f32:64x64x64 c:cpu", {Device::cuda(), Device::cuda(), Device::cuda()});
  EXPECT_EQ(all.operands[0].device, Device::cuda());
  EXPECT_EQ(all.operands[2].device, Device::cpu());
  const struct {
    const char *words, *mentions;
  } kBad[] = {{"relu f32:9 reuse=0", "expected_reuse is 0"},
              {"relu f32:9 reuse=x", "reuse=x"},
              {"relu f32:9 reuse=", "reuse="},
              {"relu f32:9 q:cuda", "no operand 'q'; the operands are x, y"},
              {"relu f32:9 x:tpu", "tpu"},
              {"relu f32:9 what", "'what'"}};
  for (const auto& bad : kBad) {
    const Error error = error_of([&] { explain(ctx, bad.words); });
    EXPECT_EQ(error.code(), Code::invalid_argument) << bad.words;
    EXPECT_TRUE(has(error.what(), bad.mentions)) << error.what();
    EXPECT_TRUE(has(error.what(), bad.words)) << error.what();
  }
  EXPECT_EQ(error_of([&] { explain(ctx, "relu f32:9", std::vector<Device>(3)); }).code(), Code::invalid_argument);
  const Error another = error_of([&] { explain(ctx, "relu f32:9 x:cuda:1"); });
  EXPECT_EQ(another.code(), Code::unavailable);
  EXPECT_TRUE(has(another.what(), "memory of cuda:1 is out of reach: this context uses cuda:0")) << another.what();
  Context alone = pretending(plain_machine());
  const Error nowhere = error_of([&] { explain(alone, "relu f32:9 x:cuda"); });
  EXPECT_EQ(nowhere.code(), Code::unavailable);
  EXPECT_TRUE(has(nowhere.what(), plain_machine().no_gpu_reason)) << nowhere.what();
}

TEST(Explain, ShowsStagesErrorsThreadsAndTheModel) {
  Decision d;
  d.op = "matmul";
  d.problem = "f32:512x512x512";
  d.kernel = "cpu.matmul.f32.simd";
  d.threads = 8;
  d.why = "because";
  d.model = "made up for this test";
  d.operands = {{"a", Device::cpu(), 0, false}, {"b", Device::cuda(), 0, false}, {"c", Device::cpu(), 0, true}};
  Candidate cpu, cuda, refused;
  cpu.kernel = d.kernel;
  cpu.accepted = cuda.accepted = true;
  cpu.verdict = "chosen";
  cpu.seconds = 0.92e-3;
  cpu.copy_in_seconds = 0.22e-3;
  cpu.kernel_seconds = 0.7e-3;
  cpu.rung = Rung::interpolated;
  cpu.error = 0.09;
  cuda.kernel = "cuda.matmul.f32.tiled";
  cuda.verdict = "slower";
  cuda.seconds = 1.31e-3;
  cuda.copy_in_seconds = 0.21e-3;
  cuda.launch_seconds = 6e-6;
  cuda.wait_seconds = 2e-6;
  cuda.error = std::numeric_limits<double>::quiet_NaN();
  refused.verdict = "this CPU is too old";
  d.candidates = {cpu, cuda};
  for (const char* kernel : {"cpu.matmul.f32.x", "cpu.matmul.f32.y"}) {
    refused.kernel = kernel;
    d.candidates.push_back(refused);
  }
  EXPECT_EQ(
      to_string(d),
      "matmul f32:512x512x512  a:cpu b:cuda:0 c:cpu  reuse=1\n"
      "  chosen   cpu.matmul.f32.simd       920 us  interpolated +-9 %  = copy in b 220 us + kernel 700 us; 8 threads\n"
      "  next     cuda.matmul.f32.tiled    1.31 ms  prior               = copy in a 210 us + launch 6 us + wait 2 us\n"
      "  why      because\n"
      "  refused  cpu.matmul.f32.x, cpu.matmul.f32.y: this CPU is too old\n"
      "  model    made up for this test\n");
}

TEST(PretendedContext, SelectsButDoesNotRun) {
  Context ctx = pretending(gpu_machine_with(20e9));
  const Tensor x = Tensor::full({64}, 1.0f);
  const Error error = error_of([&] { relu(ctx, x); });
  EXPECT_EQ(error.code(), Code::unavailable);
  EXPECT_TRUE(has(error.what(), "pretends to be another machine")) << error.what();
  EXPECT_EQ(error_of([&] { Tensor::empty(ctx, {4}, DType::f32, Device::cuda()); }).code(), Code::unavailable);
  EXPECT_EQ(ctx.stream(), nullptr);
}

TEST(PretendedContext, NeitherPacksWeightsNorMeasures) {
  Context ctx = pretending(plain_machine());
  const Tensor w = Tensor::full({64, 64}, 1.0f), zeros = Tensor::zeros({64, 64});
  const Model model = random_model({6, 4}, Activation::relu, 1);
  profile::LayoutOptions small;
  small.rows = small.columns = 64;
  small.min_seconds = 0.001;
  const std::pair<std::string, std::function<void()>> calls[] = {
      {"Weights::dense", [&] { Weights::dense(ctx, w); }},
      {"Weights::dense", [&] { Weights::dense(ctx, w, {DType::bf16}); }},
      {"Weights::quantized", [&] { Weights::quantized(ctx, w); }},
      {"Weights::csr", [&] { Weights::csr(ctx, w); }},
      {"Weights::sparse_2_4", [&] { Weights::sparse_2_4(ctx, zeros); }},
      {"Weights::quantized_2_4", [&] { Weights::quantized_2_4(ctx, zeros); }},
      {"Weights::dense", [&] { Network(ctx, model); }},
      {"analyse_layout", [&] { analyse_layout(ctx, small); }},
  };
  for (const auto& [function, call] : calls) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::unavailable) << function << ": " << error.what();
    EXPECT_EQ(error.what(),
              function + ": this context pretends to be another machine: it can select and explain, not run");
  }
}

TEST(PretendedContext, MemoryOfAnotherGpuIsOutOfReach) {
  Context ctx = pretending(gpu_machine_with(20e9));
  Tensor here = Tensor::full({64}, 1.0f);
  const View x(here.view().data(), DType::f32, {64}, Device::cuda(1));
  const Twin twins[] = {{here, x}};
  const Model model = random_model({6, 4}, Activation::relu, 1);
  CallOptions call;
  call.twins = twins;
  const std::function<void()> calls[] = {[&] { unary_into(ctx, UnaryFn::relu, x, here.view()); },
                                         [&] { unary_into(ctx, UnaryFn::relu, here, x); },
                                         [&] { relu(ctx, x); },
                                         [&] { unary_into(ctx, UnaryFn::exp, here, here.view(), call); },
                                         [&] { copy(ctx, x, Device::cpu()); },
                                         [&] { copy_into(ctx, here, x); },
                                         [&] { here.to(ctx, Device::cuda(1)); },
                                         [&] {
                                           Network(ctx, model, {WeightForm::f32, {}, Device::cuda(1)});
                                         }};
  for (const auto& bad : calls) {
    const Error error = error_of(bad);
    EXPECT_EQ(error.code(), Code::unavailable) << error.what();
    EXPECT_TRUE(has(error.what(), "memory of cuda:1 is out of reach: this context uses cuda:0")) << error.what();
  }
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

TEST(Policy, TwoKernelsOfOneOperationAreRefused) {
  Context ctx = pretending(plain_machine());
  Policy policy;
  policy.kernels = {"cpu.matmul.f32.simd", "cpu.unary.f32.simd", "cpu.matmul.f32.naive"};
  const Error error = error_of([&] { ctx.set_policy(policy); });
  EXPECT_EQ(error.code(), Code::invalid_argument);
  EXPECT_TRUE(has(error.what(), "cpu.matmul.f32.simd") && has(error.what(), "cpu.matmul.f32.naive")) << error.what();
  EXPECT_TRUE(ctx.policy().kernels.empty());
  policy.kernels = {"cpu.matmul.f32.naive", "cpu.unary.f32.simd", "cpu.matmul.f32.naive"};
  ctx.set_policy(policy);
  EXPECT_EQ(explain(ctx, "matmul f32:64x64x64").kernel, "cpu.matmul.f32.naive");
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
}  // namespace tandem::test::explain_test
