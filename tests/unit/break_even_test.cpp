// Break-evens: how sizes grow, and crossings that are known because the times are made up.
#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "common/dispatch/crossing.h"
#include "tests/support/calls.h"
#include "tests/support/machines.h"

namespace tandem::test::break_even_test {
namespace {

Context made_up(const Machine& machine) {
  ContextOptions options;
  options.machine = machine;
  return Context(options);
}

TEST(Scaling, GrowsAllSizesAndKeepsWhatTheyAreMultiplesOf) {
  const struct {
    const char* text;
    std::int64_t steps;
    const char* expected;
  } kCases[] = {{"f32:512x512x512", 23, "f32:736x736x736"},
                {"f32:512x512x512", 16, "f32:512x512x512"},
                {"f32:512x512x512", 1, "f32:32x32x32"},
                {"s8:1024x512x256,per_token,out=s8", 2, "s8:64x32x32,per_token,out=s8"},
                {"f32:1x1536x384,2:4", 96, "f32:1x3072x768,2:4"},
                {"f32:1797x10", 3594, "f32:3594x20"},
                {"f32:1797x10", 1, "f32:1x2"},
                {"f32:30x30x30*7,ta", 1, "f32:2x2x2*7,ta"},
                {"csr:1000x1000x1000@0.05,tb", 250, "csr:2000x2000x2000@0.05,tb"},
                {"f32:1000000", 1, "f32:32"},
                {"f32:1", 5, "f32:5"}};
  for (const auto& c : kCases) EXPECT_EQ(Scaling(c.text).at(c.steps), c.expected) << c.text;
  EXPECT_DOUBLE_EQ(Scaling("f32:512x256").scale(8), 0.5);
  for (const char* bad : {"", "f32", "f32:", "f32:x3", "f32:0x3", "f32:3x", "f32:3y4", "f32:-3"})
    EXPECT_FALSE(Scaling(bad).grows()) << bad;
}

TEST(Scaling, ReadsTheProblemsOfEveryOperation) {
  for (const char* text : {"f32:9x9x9,ta", "u8s8:64x32x16,out=u8", "csr:64x32x16@0.1", "s8:10x20,per_token", "f32:7x5"})
    EXPECT_EQ(Scaling(Scaling(text).at(3)).at(3), Scaling(text).at(3)) << text;
}

TEST(FirstStep, IsTheFirstOneThatHolds) {
  for (const std::int64_t last : {1, 2, 7, 64, 1000, 1000000})
    for (const std::int64_t first : {1, 2, 3, 5, 63, 64, 65, 999, 1000, 1001, 1000000}) {
      int asked = 0;
      const std::int64_t found = first_step(last, 0, [&](std::int64_t step) {
        EXPECT_GE(step, 1);
        EXPECT_LE(step, last);
        ++asked;
        return step >= first;
      });
      EXPECT_EQ(found, first <= last ? first : 0) << last;
      EXPECT_LE(asked, 42);
    }
  const std::int64_t roughly = first_step(1000000, 0.1, [](std::int64_t step) { return step >= 77777; });
  EXPECT_GE(roughly, 77777);
  EXPECT_LE(roughly, 77777 * 11 / 10 + 1);
}

// The CPU takes 2 us a step; the GPU 0.5 us a step after 10 us, and moving 1 us a step more and 50 us once.
SidesAt linear(std::int64_t step, double cpu_error = 0, double cuda_error = 0) {
  const auto s = static_cast<double>(step);
  SidesAt sides;
  sides.cpu_seconds = 2 * s;
  sides.cuda_seconds = 10 + 0.5 * s;
  sides.cuda_moved_seconds = 60 + 1.5 * s;
  sides.cpu_error = cpu_error;
  sides.cuda_error = cuda_error;
  return sides;
}

FirstSteps crossing(Placement placement, int calls, double cpu_error = 0, double cuda_error = 0) {
  return first_steps(100000, 0, [&](std::int64_t step) {
    return duel_between(linear(step, cpu_error, cuda_error), placement, calls);
  });
}

TEST(Crossing, IsExactForLinearTimes) {
  for (const int calls : {1, 10, 100}) {
    EXPECT_EQ(crossing(Placement::resident, calls).from, 7);           // 10 + 0.5 s < 2 s: s > 6.67
    EXPECT_EQ(crossing(Placement::always_transfer, calls).from, 121);  // 60 + 1.5 s < 2 s: s > 120
  }
  // (60 + 1.5 s + (n - 1) (10 + 0.5 s)) / n < 2 s
  EXPECT_EQ(crossing(Placement::upload_once, 1).from, 121);
  EXPECT_EQ(crossing(Placement::upload_once, 10).from, 11);  // 150 + 6 s < 20 s: s > 10.7
  EXPECT_EQ(crossing(Placement::upload_once, 100).from, 8);  // 1050 + 51 s < 200 s: s > 7.05
}

TEST(Crossing, HasTheIntervalOfTheErrors) {
  // 0.9 (60 + 1.5 s) < 1.1 * 2 s: s > 63.5;  1.1 (60 + 1.5 s) < 0.9 * 2 s: s > 440
  const FirstSteps ten = crossing(Placement::always_transfer, 1, 0.1, 0.1);
  EXPECT_EQ(ten.possibly, 64);
  EXPECT_EQ(ten.from, 121);
  EXPECT_EQ(ten.surely, 441);
  const FirstSteps half = crossing(Placement::always_transfer, 1, 0.5, 0.5);
  EXPECT_EQ(half.possibly, 14);  // 30 + 0.75 s < 3 s: s > 13.3
  EXPECT_EQ(half.surely, 0);     // 90 + 2.25 s is never below s
  const FirstSteps unknown = crossing(Placement::always_transfer, 1, profile::kAbsent, 0.1);
  EXPECT_EQ(unknown.from, 121);
  EXPECT_EQ(unknown.possibly, 0);
  EXPECT_EQ(unknown.surely, 0);
}

TEST(Crossing, ASideThatCannotRunNeverWins) {
  SidesAt sides = linear(1000);
  sides.cuda_seconds = sides.cuda_moved_seconds = profile::kAbsent;
  for (const Placement placement : {Placement::resident, Placement::upload_once, Placement::always_transfer})
    EXPECT_FALSE(duel_between(sides, placement, 10).cuda_is_faster());
}

TEST(BreakEven, SaysWhyThereIsNoneWithoutAGpu) {
  Context ctx = made_up(plain_machine());
  for (const bool measure : {false, true}) {
    BreakEvenOptions options;
    options.measure = measure;
    const BreakEven b = break_even(ctx, "matmul f32:512x512x512", options);
    EXPECT_EQ(b.reason, "n/a: " + plain_machine().no_gpu_reason);
    EXPECT_TRUE(b.crossings.empty());
    EXPECT_TRUE(has(to_string(b), b.reason)) << to_string(b);
  }
  EXPECT_EQ(error_of([&] { break_even(ctx, "matmul f32:0x5x5"); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { break_even(ctx, "matmul f32:512"); }).code(), Code::invalid_argument);
  EXPECT_EQ(error_of([&] { break_even(ctx, "nothing f32:512"); }).code(), Code::invalid_argument);
}

TEST(BreakEven, TextSaysTheSameOfAllNumbersOfCallsOnce) {
  BreakEven b;
  b.op = "matmul";
  b.problem = "f32:64x64x64";
  b.smallest = "f32:32x32x32";
  b.largest = "f32:128x128x128";
  b.reuse_reason = "never";
  for (const Placement placement : {Placement::resident, Placement::upload_once, Placement::always_transfer})
    for (const int calls : {1, 10, 100}) {
      Crossing c;
      c.placement = placement;
      c.calls = calls;
      if (placement == Placement::resident) c.from = c.possibly = "f32:32x32x32";
      if (placement == Placement::upload_once && calls > 1) c.from = "f32:96x96x96";
      if (c.from.empty()) c.reason = "nowhere";
      b.crossings.push_back(c);
    }
  EXPECT_EQ(to_string(b),
            "break-even of matmul f32:64x64x64, predicted\n"
            "  resident         1, 10, 100 calls  from f32:32x32x32  (f32:32x32x32 to ?)\n"
            "  upload once      1 call            nowhere\n"
            "  upload once      10, 100 calls     from f32:96x96x96\n"
            "  always transfer  1, 10, 100 calls  nowhere\n"
            "  reuse at this size                 never\n"
            "  sizes looked at                    f32:32x32x32 to f32:128x128x128\n");
}

bool cuda_is_built(Context& ctx) {
  for (const KernelInfo& k : kernels(ctx))
    if (k.backend == Backend::cuda && k.built) return true;
  return false;
}

// Over the library's own kernels: what is found is what explain() says on both sides of it.
TEST(BreakEven, IsWhereExplainChangesItsMind) {
  Context ctx = made_up(gpu_machine_with(20e9));
  if (!cuda_is_built(ctx)) {
    EXPECT_TRUE(has(break_even(ctx, "relu f32:1000").reason, "not built"));
    GTEST_SKIP() << "no CUDA kernel is built";
  }
  for (const std::string problem : {"matmul f32:512x512x512", "matmul f32:64x1024x1024,bias", "softmax f32:1000x1000",
                                    "sum f32:100000", "quantized_matmul s8:256x256x256"}) {
    const BreakEven b = break_even(ctx, problem);
    EXPECT_EQ(b.reason, "") << problem;
    ASSERT_EQ(b.crossings.size(), 9u);
    for (const Crossing& c : b.crossings) EXPECT_EQ(c.from.empty(), !c.reason.empty()) << problem;
    const auto faster = [&](const std::string& text) {
      return duel_of(decide(ctx, parse_question(b.op + " " + text))).cuda_is_faster();
    };
    const Crossing& always = b.crossings[6];
    ASSERT_EQ(always.placement, Placement::always_transfer);
    EXPECT_EQ(always.from, b.crossings[8].from);
    EXPECT_EQ(always.from, b.crossings[3].from);  // one call
    if (always.from.empty()) {
      EXPECT_FALSE(faster(b.largest)) << problem;
      continue;
    }
    EXPECT_TRUE(faster(always.from)) << problem << ' ' << always.from;
    EXPECT_LE(b.crossings[0].scale.from, b.crossings[5].scale.from);  // resident data is worth it sooner
    EXPECT_LE(b.crossings[5].scale.from, b.crossings[4].scale.from);  // and 100 calls sooner than 10
    EXPECT_LE(b.crossings[4].scale.from, always.scale.from);
  }
}

TEST(BreakEven, ReuseIsWhereExplainChangesItsMind) {
  Context ctx = made_up(gpu_machine_with(10e9));
  if (!cuda_is_built(ctx)) GTEST_SKIP() << "no CUDA kernel is built";
  const std::string problem = "matmul f32:64x4096x4096";
  const BreakEven b = break_even(ctx, problem);
  ASSERT_GT(b.reuse.from, 1) << to_string(b);
  const auto faster = [&](double reuse) {
    const std::string words = problem + " reuse=" + std::to_string(static_cast<int>(reuse));
    return duel_of(decide(ctx, parse_question(words))).cuda_is_faster();
  };
  EXPECT_TRUE(faster(b.reuse.from));
  EXPECT_FALSE(faster(b.reuse.from - 1));
  const std::string why = explain(ctx, problem).why;
  EXPECT_TRUE(has(why, "or from reuse >= " + std::to_string(static_cast<int>(b.reuse.from)))) << why;
}

}  // namespace
}  // namespace tandem::test::break_even_test
