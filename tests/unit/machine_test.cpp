// Detection of this machine: figures that can be true.
#include <sched.h>

#include <cmath>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "common/core/host_api.h"
#include "common/dispatch/cost.h"
#include "tests/support/machines.h"

namespace tandem::machine_test {
namespace {

int allowed_processors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

TEST(Machine, DescribesTheProcessor) {
  const CpuInfo cpu = cpu::query();
  EXPECT_FALSE(cpu.name.empty());
  EXPECT_GE(cpu.threads, 1);
  EXPECT_LE(cpu.threads, allowed_processors());
  EXPECT_GE(cpu.l1d_bytes, 4 << 10);
  EXPECT_LE(cpu.l1d_bytes, cpu.l2_bytes);
  EXPECT_LE(cpu.l2_bytes, cpu.l3_bytes);
#if defined(__x86_64__)
  EXPECT_EQ(cpu.isa >= IsaLevel::avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
  EXPECT_EQ(cpu.isa >= IsaLevel::avx512, __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                                             __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                                             __builtin_cpu_supports("avx512vl"));
#endif
}

TEST(Machine, AffinityLimitsTheThreads) {
  cpu_set_t before;
  CPU_ZERO(&before);
  ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
  int first = 0;
  while (!CPU_ISSET(first, &before)) ++first;
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(first, &one);
  ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  const int threads = cpu::query().threads;
  ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
  EXPECT_EQ(threads, 1);
}

TEST(Machine, MeasuresItsCeilings) {
  Context ctx;
  const Ceilings& c = ctx.machine().ceilings;
  for (const double value : {c.cpu_flops, c.cpu_l2_bytes, c.cpu_l3_bytes, c.cpu_dram_bytes}) {
    EXPECT_TRUE(std::isfinite(value));
    EXPECT_GT(value, 1e6);
  }
  EXPECT_GE(c.cpu_fork_seconds, 0);
  EXPECT_LT(c.cpu_fork_seconds, 1);
  EXPECT_EQ(ctx.machine().gpus.empty(), !ctx.machine().no_gpu_reason.empty());
}

TEST(Machine, CeilingsCanBeMeasuredAgain) {
  Context ctx;
  const Ceilings c = measure_ceilings(ctx);
  for (const double value :
       {c.cpu_flops, c.cpu_s8_ops, c.cpu_bf16_flops, c.cpu_l2_bytes, c.cpu_l3_bytes, c.cpu_dram_bytes})
    EXPECT_GT(value, 1e6);
  EXPECT_EQ(c.gpu_bytes > 0, !ctx.machine().gpus.empty());
  EXPECT_EQ(c.h2d_pageable.seconds.front() > 0, !ctx.machine().gpus.empty());
  ContextOptions pretended;
  pretended.machine = test::plain_machine();
  Context elsewhere(pretended);
  EXPECT_THROW(measure_ceilings(elsewhere), Error);
}

TEST(Machine, AssumesWhatWasNotMeasured) {
  const Ceilings none = assumed({});
  for (const double value :
       {none.cpu_flops, none.cpu_l2_bytes, none.cpu_l3_bytes, none.cpu_dram_bytes, none.cpu_fork_seconds,
        none.gpu_flops, none.gpu_bytes, none.launch_seconds, none.copy_seconds, none.h2d_bytes, none.d2h_bytes})
    EXPECT_GT(value, 0);
  Ceilings some;
  some.gpu_flops = 7;
  some.cpu_flops = std::nan("");
  EXPECT_EQ(assumed(some).gpu_flops, 7);
  EXPECT_GT(assumed(some).cpu_flops, 0);
}

TEST(Machine, CostIsTheLargerOfTwoBounds) {
  const Machine m = test::gpu_machine_with(10e9);
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 100e9, 0, 1, 1), 1);
  const double fork = fork_seconds(m, 2);
  EXPECT_DOUBLE_EQ(fork, m.ceilings.cpu_fork_seconds);
  EXPECT_EQ(fork_seconds(m, 1), 0);
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 100e9, 0, 0.5, 4), fork + 0.5);
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 0, 20e9, 1, 1), 1);           // above the last level cache
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 0, 20e9, 1, 4), fork + 0.5);  // memory serves two threads, no more
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 0, 1e5, 1, 1), 1e-6);         // within L2
  const double l2 = static_cast<double>(m.cpu.l2_bytes), l3 = static_cast<double>(m.cpu.l3_bytes);
  ASSERT_LT(4 * l2, l3);
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 0, 2 * l2, 1, 1), 2 * l2 / 50e9);                // within the last-level cache
  EXPECT_DOUBLE_EQ(cpu_seconds(m, 0, 2 * l2, 1, 2), fork + 2 * l2 / (2 * 100e9));  // within the L2 of two cores
  EXPECT_DOUBLE_EQ(cpu_rate(m, l2, 1), 100e9);
  EXPECT_DOUBLE_EQ(cpu_rate(m, l3, 1), 50e9);
  EXPECT_DOUBLE_EQ(cpu_rate(m, l3 + 1, 1), 20e9);
  EXPECT_DOUBLE_EQ(gpu_seconds(m, 100e12, 0, 0.5, 1), 2);
  EXPECT_DOUBLE_EQ(gpu_seconds(m, 0, 3e12, 1, 0.5), 2);
}

TEST(Context, CapsWhatItUses) {
  ContextOptions options;
  options.threads = 3;
  options.isa_max = IsaLevel::sse4;
  options.use_gpu = false;
  Context ctx(options);
  EXPECT_EQ(ctx.threads(), 3);
  EXPECT_LE(ctx.machine().cpu.isa, IsaLevel::sse4);
  EXPECT_TRUE(ctx.machine().gpus.empty());
  EXPECT_EQ(ctx.machine().no_gpu_reason, "the context was made with use_gpu = false");
  for (const int threads : {-1, 1025}) {
    options.threads = threads;
    try {
      Context bad(options);
      FAIL();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::invalid_argument);
      EXPECT_NE(std::string(error.what()).find(std::to_string(threads)), std::string::npos);
    }
  }
}

TEST(Context, ACapOnTheInstructionSetsHasItsOwnCeilings) {
  ContextOptions options;
  options.use_gpu = false;
  Context all(options);
  if (all.machine().cpu.isa < IsaLevel::avx2) GTEST_SKIP() << "no level is several times as fast as scalar";
  options.isa_max = IsaLevel::scalar;
  Context capped(options);
  use_tuning(all, "off");
  use_tuning(capped, "off");
  const Ceilings &fast = all.machine().ceilings, &slow = capped.machine().ceilings;
  EXPECT_GT(slow.cpu_flops, 0);
  EXPECT_GT(slow.cpu_dram_bytes, 0);
  EXPECT_LT(slow.cpu_flops, fast.cpu_flops / 2);
  EXPECT_LT(slow.cpu_s8_ops, fast.cpu_s8_ops / 2);
  // What follows from them.
  const auto predicted = [](Context& ctx) { return explain(ctx, "matmul f32:256x256x256").predicted_seconds; };
  EXPECT_GT(predicted(capped), 2 * predicted(all));
  use_tuning(capped, "frozen");  // which measures nothing
  EXPECT_EQ(capped.machine().ceilings.cpu_flops, 0);
}

}  // namespace
}  // namespace tandem::machine_test
