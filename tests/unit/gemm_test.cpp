// The packed product under block sizes that make small problems take every path: several blocks of m, n and k, partial
// tiles, kept and alternating panels. Scratch and operands are exactly as large as they must be.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/core/thread_pool.h"
#include "cpu/gemm/blocking.h"
#include "cpu/gemm/plan.h"
#include "cpu/kernels.h"

namespace tandem::cpu::gemm_test {
namespace {

constexpr IsaLevel kLevels[] = {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512};

TEST(MatmulBlocking, FollowsTheCaches) {
  CpuInfo cpu;
  cpu.l2_bytes = 1 << 20;
  cpu.l3_bytes = 32 << 20;
  const MatmulBlocking large = matmul_blocking(cpu, 14, 32);
  EXPECT_EQ(large.mc % 14, 0);
  EXPECT_EQ(large.nc % 32, 0);
  EXPECT_LE(large.mc * large.kc * 4, cpu.l2_bytes / 2);
  EXPECT_LE(large.nc * large.kc * 4, cpu.l3_bytes / 4);
  cpu.l2_bytes = 256 << 10;
  cpu.l3_bytes = 2 << 20;
  const MatmulBlocking small = matmul_blocking(cpu, 14, 32);
  EXPECT_LT(small.kc, large.kc);
  EXPECT_LT(small.nc, large.nc);
}

// Blocks of k of a product with few rows, by the distance of the rows of b.
TEST(MatmulBlocking, RowsThatShareSetsOfL2MakeShortBlocksOfK) {
  CpuInfo cpu;
  cpu.l2_bytes = 2 << 20;
  const auto depth = [&](std::int64_t k, std::int64_t b_row, std::int64_t kc = 1024, std::int64_t c_col = 1) {
    MatmulArgs args;
    args.k = k;
    args.b.row = b_row;
    args.c.col = c_col;
    return thin_depth(args, {128, kc, 4096}, cpu);
  };
  EXPECT_EQ(depth(4096, 4000), 512);
  EXPECT_EQ(depth(4096, 0), 512);
  EXPECT_EQ(depth(4096, 512), 128);  // 2 KiB apart
  EXPECT_EQ(depth(4096, 1024), 64);  // 4 KiB
  EXPECT_EQ(depth(4096, 4096), 49);  // blocks of 48 at least, all alike
  EXPECT_EQ(depth(4096, std::int64_t{1} << 30), 49);
  EXPECT_EQ(depth(96, 4096), 512);  // in one block
  EXPECT_EQ(depth(97, 4096), 49);
  EXPECT_EQ(depth(4096, 4096, 40), 20);  // a forced size is kept
  EXPECT_EQ(depth(4096, 4096, 1), 1);
  EXPECT_EQ(depth(4096, 4096, 1024, 16), 512);  // a c in columns is not written more often
}

TEST(MatmulBlocking, IsForcedInAScope) {
  const CpuInfo cpu;
  const MatmulBlocking own = matmul_blocking(cpu, 6, 16);
  {
    const ScopedMatmulBlocking outer({12, 34, 56});
    EXPECT_EQ(matmul_blocking(cpu, 6, 16), (MatmulBlocking{12, 34, 56}));
    {
      const ScopedMatmulBlocking inner({1, 2, 3});
      EXPECT_EQ(matmul_blocking(cpu, 6, 16), (MatmulBlocking{1, 2, 3}));
    }
    EXPECT_EQ(matmul_blocking(cpu, 6, 16), (MatmulBlocking{12, 34, 56}));
  }
  EXPECT_EQ(matmul_blocking(cpu, 6, 16), own);
}

struct Shape {
  std::int64_t m, n, k;
};
struct Form {
  bool ta = false, tb = false, fused = false;
  bool layer = false;  // a bias and relu, which tiles add themselves
  std::int64_t c_col = 1;
};

// Small whole numbers: every sum is exact, so that an index error or a lost term shows as a different number.
std::vector<float> whole_numbers(std::int64_t count, std::uint32_t seed) {
  std::minstd_rand random(seed);
  std::uniform_int_distribution<int> values(-4, 4);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (float& x : out) x = static_cast<float>(values(random));
  return out;
}

// What run() must produce, in double: max(2 a b - c + bias, 0), max(a b + bias, 0), or a b.
std::vector<float> expected(const Shape& s, const Form& f, const std::vector<float>& a, const std::vector<float>& b,
                            const std::vector<float>& c, const std::vector<float>& bias) {
  std::vector<float> out = c;
  for (std::int64_t i = 0; i < s.m; ++i)
    for (std::int64_t j = 0; j < s.n; ++j) {
      double sum = 0;
      for (std::int64_t p = 0; p < s.k; ++p)
        sum += static_cast<double>(a[static_cast<std::size_t>(f.ta ? p * s.m + i : i * s.k + p)]) *
               static_cast<double>(b[static_cast<std::size_t>(f.tb ? j * s.k + p : p * s.n + j)]);
      float& to = out[static_cast<std::size_t>((i * s.n + j) * f.c_col)];
      if (f.fused) {
        sum = 2 * sum - static_cast<double>(to) + static_cast<double>(bias[static_cast<std::size_t>(j)]);
        sum = std::max(sum, 0.0);
      }
      if (f.layer) sum = std::max(sum + static_cast<double>(bias[static_cast<std::size_t>(j)]), 0.0);
      to = static_cast<float>(sum);
    }
  return out;
}

class Gemm : public ::testing::Test {
 protected:
  void check(const Shape& s, const Form& f, IsaLevel level, int threads) {
    const auto a = whole_numbers(s.m * s.k, 1), b = whole_numbers(s.k * s.n, 2), bias = whole_numbers(s.n, 3);
    auto c = whole_numbers(s.m * s.n * f.c_col, 4);
    const auto want = expected(s, f, a, b, c, bias);
    Machine machine;
    machine.cpu = query();
    if (level > machine.cpu.isa) return;
    machine.cpu.isa = level;
    machine.cpu.threads = threads;
    MatmulProblem problem;
    problem.m = s.m;
    problem.n = s.n;
    problem.k = s.k;
    MatmulArgs args;
    args.m = s.m;
    args.n = s.n;
    args.k = s.k;
    args.a = {a.data(), f.ta ? 1 : s.k, f.ta ? s.m : 1};
    args.b = {b.data(), f.tb ? 1 : s.n, f.tb ? s.k : 1};
    args.c = {c.data(), s.n * f.c_col, f.c_col};
    if (f.fused) {
      args.alpha = 2.0f;
      args.beta = -1.0f;
    }
    if (f.fused || f.layer) {
      args.bias = {bias.data(), 0, 1};
      args.activation = Activation::relu;
    }
    ThreadPool pool(threads);
    const Queue queue{&machine, &pool, nullptr};
    const std::size_t bytes = matmul_f32_simd::kKernel.workspace(problem, machine);
    // NaN everywhere: scratch that is read before it is written shows in the result.
    std::vector<float> scratch(bytes / sizeof(float) + 64, std::nanf(""));
    const std::size_t shift = (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64) / sizeof(float) % 16;
    ASSERT_EQ(matmul_f32_simd::kKernel.run(args, queue, {scratch.data() + shift, bytes}), Code::ok);
    for (std::size_t i = shift + bytes / sizeof(float); i < scratch.size(); ++i)
      ASSERT_TRUE(std::isnan(scratch[i])) << "written behind the workspace";
    for (std::size_t i = 0; i < c.size(); ++i)
      ASSERT_EQ(c[i], want[i]) << s.m << "x" << s.n << "x" << s.k << " ta " << f.ta << " tb " << f.tb << " fused "
                               << f.fused << " layer " << f.layer << " c_col " << f.c_col << " on " << name(level)
                               << ", " << threads << " threads, element " << i;
  }
  void check_all(const Shape& s) {
    for (IsaLevel level : kLevels)
      for (int threads : {1, 3})
        for (const Form& f :
             {Form{}, Form{.ta = true}, Form{.tb = true}, Form{.fused = true}, Form{.tb = true, .fused = true},
              Form{.fused = true, .c_col = 2}, Form{.layer = true}, Form{.tb = true, .layer = true}})
          check(s, f, level, threads);
  }
};

TEST_F(Gemm, SeveralBlocksOfEverything) {
  const ScopedMatmulBlocking blocking({28, 24, 64});
  check_all({70, 150, 100});
  check_all({61, 64, 25});
}

// NaN of different bits meet in sums of blocks of k and in the bias: which of them stays must not depend on where the
// shares of threads end, and with them the tiles.
TEST_F(Gemm, BitsOfNaNDoNotDependOnTheThreads) {
  const ScopedMatmulBlocking blocking({12, 64, 32});
  constexpr std::int64_t kM = 24, kN = 43, kK = 300;
  std::vector<float> a = whole_numbers(kM * kK, 1), bias = whole_numbers(kN, 3);
  const std::vector<float> b = whole_numbers(kK * kN, 2);
  for (std::int64_t i = 0; i < kM; ++i) {
    a[static_cast<std::size_t>(i * kK + 3)] = std::bit_cast<float>(0x7fc00111u);
    a[static_cast<std::size_t>(i * kK + kK - 1)] = std::bit_cast<float>(0xffc00222u);
  }
  for (std::size_t j = 0; j < bias.size(); j += 3) bias[j] = std::bit_cast<float>(0xffc00333u);
  for (const IsaLevel level : kLevels)
    for (const bool layer : {false, true}) {
      Machine machine;
      machine.cpu = query();
      if (level > machine.cpu.isa) continue;
      machine.cpu.isa = level;
      std::vector<float> first;
      for (const int threads : {1, 2, 3}) {
        machine.cpu.threads = threads;
        MatmulProblem problem;
        problem.m = kM, problem.n = kN, problem.k = kK;
        MatmulArgs args;
        args.m = kM, args.n = kN, args.k = kK;
        std::vector<float> c(static_cast<std::size_t>(kM * kN));
        args.a = {a.data(), kK, 1};
        args.b = {b.data(), kN, 1};
        args.c = {c.data(), kN, 1};
        if (layer) {
          args.bias = {bias.data(), 0, 1};
          args.activation = Activation::relu;
        }
        ThreadPool pool(threads);
        const std::size_t bytes = matmul_f32_simd::kKernel.workspace(problem, machine);
        const std::shared_ptr<void> scratch = allocate_host(bytes + 64, 64, "test");
        ASSERT_EQ(matmul_f32_simd::kKernel.run(args, {&machine, &pool, nullptr}, {scratch.get(), bytes}), Code::ok);
        if (threads == 1) first = c;
        ASSERT_EQ(std::memcmp(c.data(), first.data(), c.size() * sizeof(float)), 0)
            << name(level) << ", " << threads << " threads, layer " << layer;
      }
    }
}

TEST_F(Gemm, BlocksOfOneStep) {
  const ScopedMatmulBlocking blocking({14, 1, 32});
  check_all({45, 47, 5});
}

TEST_F(Gemm, FewRowsOverSeveralBlocksOfK) {
  const ScopedMatmulBlocking blocking({28, 32, 64});
  check_all({13, 131, 77});
}

TEST_F(Gemm, RowsFourKibibytesApart) {
  check_all({31, 40, 1024});
  check_all({150, 33, 1024});
}

TEST_F(Gemm, RowsStreamed) {
  for (std::int64_t m = 1; m <= 4; ++m) check_all({m, 1027, 301});
}

// The bits of random sums, which depend on the order of the additions.
TEST_F(Gemm, SameBitsForEveryNumberOfThreads) {
  std::minstd_rand random(5);
  std::uniform_real_distribution<float> values(-1.0f, 1.0f);
  constexpr std::int64_t kM = 123, kN = 211, kK = 97;
  std::vector<float> a(kM * kK), b(kK * kN);
  for (float& x : a) x = values(random);
  for (float& x : b) x = values(random);
  const ScopedMatmulBlocking blocking({28, 40, 64});
  for (IsaLevel level : kLevels) {
    std::vector<float> first;
    for (int threads : {1, 2, 3, 4, 7}) {
      Machine machine;
      machine.cpu = query();
      if (level > machine.cpu.isa) continue;
      machine.cpu.isa = level;
      machine.cpu.threads = threads;
      MatmulProblem problem;
      problem.m = kM;
      problem.n = kN;
      problem.k = kK;
      std::vector<float> c(kM * kN);
      MatmulArgs args;
      args.m = kM;
      args.n = kN;
      args.k = kK;
      args.a = {a.data(), kK, 1};
      args.b = {b.data(), kN, 1};
      args.c = {c.data(), kN, 1};
      ThreadPool pool(threads);
      const std::size_t bytes = matmul_f32_simd::kKernel.workspace(problem, machine);
      std::vector<float> scratch(bytes / sizeof(float) + 32);
      const std::size_t shift = (64 - reinterpret_cast<std::uintptr_t>(scratch.data()) % 64) / sizeof(float) % 16;
      ASSERT_EQ(matmul_f32_simd::kKernel.run(args, {&machine, &pool, nullptr}, {scratch.data() + shift, bytes}),
                Code::ok);
      if (first.empty()) first = c;
      EXPECT_EQ(std::memcmp(first.data(), c.data(), c.size() * sizeof(float)), 0) << name(level) << ", " << threads;
    }
  }
}

}  // namespace
}  // namespace tandem::cpu::gemm_test
