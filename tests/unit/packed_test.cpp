// A b that is packed once: products from its panels alone, under block sizes that take every path. b itself holds other
// numbers, so that a kernel which reads it is found out.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include <gtest/gtest.h>

#include "common/core/context_impl.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/core/thread_pool.h"
#include "common/dispatch/execute.h"
#include "cpu/gemm/blocking.h"
#include "cpu/kernels.h"
#include "tests/support/data.h"

namespace tandem::cpu::packed_test {
namespace {

struct Size {
  std::int64_t m, n, k;
};
constexpr Size kSizes[] = {{1, 1, 1},      {9, 33, 7},    {14, 32, 64}, {45, 100, 70},
                           {61, 131, 300}, {1, 70, 2000}, {3, 40, 0}};

// Bytes behind the end of `bytes`, which nobody may write.
class Packed {
 public:
  Packed(const CpuInfo& cpu, DType dtype, std::int64_t k, std::int64_t n, const void* b, std::int64_t row,
         std::int64_t col)
      : layout_(packed_layout(cpu, dtype, k, n)), memory_(allocate_host(layout_.bytes + kGuard, 64, "test")) {
    std::memset(memory_.get(), kPoison, layout_.bytes + kGuard);
    pack_b(cpu, dtype, k, n, b, row, col, memory_.get());
  }
  std::int64_t panel() const { return layout_.panel; }
  const void* data() const { return memory_.get(); }
  bool overran() const {
    const auto* end = static_cast<const unsigned char*>(memory_.get()) + layout_.bytes;
    return std::any_of(end, end + kGuard, [](unsigned char byte) { return byte != kPoison; });
  }

 private:
  static constexpr std::size_t kGuard = 256;
  static constexpr unsigned char kPoison = 0xa5;
  PackedLayout layout_;
  std::shared_ptr<void> memory_;
};

Machine machine_at(IsaLevel level, int threads) {
  Machine machine;
  machine.cpu = query();
  machine.cpu.isa = level;
  machine.cpu.threads = threads;
  return machine;
}

template <class Op>
void run_kernel(const Kernel<Op>& kernel, const typename Op::Problem& problem, const typename Op::Args& args,
                const Machine& machine) {
  ThreadPool pool(machine.cpu.threads);
  const std::size_t bytes = kernel.workspace(problem, machine);
  const auto workspace = allocate_host(bytes + 256, 256, "test");
  ASSERT_EQ(kernel.run(args, {&machine, &pool, nullptr}, {workspace.get(), bytes}), Code::ok);
}

template <class Check>
void at_every_setting(Check check) {
  for (const IsaLevel level : {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512})
    for (const int threads : {1, 3}) {
      if (level > query().isa) continue;
      for (const Size& size : kSizes) {
        check(machine_at(level, threads), size);
        const ScopedMatmulBlocking small({28, 24, 64});
        check(machine_at(level, threads), size);
      }
    }
}

TEST(PackedB, ProductsOfF32) {
  at_every_setting([](const Machine& machine, const Size& s) {
    for (const bool transposed : {false, true}) {
      std::vector<float> a(static_cast<std::size_t>(s.m * s.k)), b(static_cast<std::size_t>(s.k * s.n)),
          c(static_cast<std::size_t>(s.m * s.n), std::nanf(""));
      test::fill_integers(std::span<float>(a), 1, -4, 4);
      test::fill_integers(std::span<float>(b), 2, -4, 4);
      const std::int64_t row = transposed ? 1 : s.n, col = transposed ? s.k : 1;
      const std::vector<float> original = b;
      const Packed packed(machine.cpu, DType::f32, s.k, s.n, b.data(), row, col);
      ASSERT_GT(packed.panel(), 0);
      EXPECT_FALSE(packed.overran());
      // Few rows of a large b may be streamed from b itself.
      if (s.m > 8) std::fill(b.begin(), b.end(), std::nanf(""));
      MatmulProblem problem;
      problem.m = s.m, problem.n = s.n, problem.k = s.k;
      MatmulArgs args;
      args.m = s.m, args.n = s.n, args.k = s.k;
      args.a = {a.data(), s.k, 1};
      args.b = {b.data(), row, col};
      args.c = {c.data(), s.n, 1};
      args.packed_b = packed.data();
      args.packed_panel = packed.panel();
      run_kernel(matmul_f32_simd::kKernel, problem, args, machine);
      for (std::int64_t i = 0; i < s.m; ++i)
        for (std::int64_t j = 0; j < s.n; ++j) {
          double sum = 0;
          for (std::int64_t p = 0; p < s.k; ++p)
            sum += static_cast<double>(a[static_cast<std::size_t>(i * s.k + p)]) *
                   static_cast<double>(original[static_cast<std::size_t>(p * row + j * col)]);
          ASSERT_EQ(static_cast<double>(c[static_cast<std::size_t>(i * s.n + j)]), sum)
              << s.m << 'x' << s.n << 'x' << s.k << " on " << name(machine.cpu.isa) << " (" << i << ", " << j << ')';
        }
    }
  });
}

TEST(PackedB, ProductsOfS8) {
  int ran = 0;
  at_every_setting([&](const Machine& machine, const Size& s) {
    if (!machine.cpu.has_s8_dot()) {
      EXPECT_EQ(packed_layout(machine.cpu, DType::s8, s.k, s.n).panel, 0);
      return;
    }
    for (const DType a_type : {DType::s8, DType::u8})
      for (const bool zero_points : {false, true}) {
        std::vector<std::int8_t> a(static_cast<std::size_t>(s.m * s.k)), b(static_cast<std::size_t>(s.k * s.n));
        std::vector<std::int32_t> c(static_cast<std::size_t>(s.m * s.n), -1);
        test::fill_integers(std::span<std::int8_t>(a), 1);
        test::fill_integers(std::span<std::int8_t>(b), 2);
        const std::vector<std::int8_t> original = b;
        const Packed packed(machine.cpu, DType::s8, s.k, s.n, b.data(), s.n, 1);
        ASSERT_GT(packed.panel(), 0);
        EXPECT_FALSE(packed.overran());
        std::fill(b.begin(), b.end(), std::int8_t{77});
        const std::int32_t za = 5, zb = -3;
        QuantizedMatmulProblem problem;
        problem.a = a_type;
        problem.result = DType::s32;
        problem.m = s.m, problem.n = s.n, problem.k = s.k;
        QuantizedMatmulArgs args;
        args.m = s.m, args.n = s.n, args.k = s.k;
        args.a_type = a_type;
        args.result = DType::s32;
        args.a = {a.data(), s.k, 1};
        args.b = {b.data(), s.n, 1};
        args.c = {c.data(), s.n, 1};
        if (zero_points) args.za = {&za, 0}, args.zb = {&zb, 0};
        args.range = {INT32_MIN, INT32_MAX};
        args.packed_b = packed.data();
        args.packed_panel = packed.panel();
        run_kernel(quantized_matmul_s8_simd::kKernel, problem, args, machine);
        ++ran;
        for (std::int64_t i = 0; i < s.m; ++i)
          for (std::int64_t j = 0; j < s.n; ++j) {
            std::int64_t sum = 0;
            for (std::int64_t p = 0; p < s.k; ++p) {
              const std::int8_t x = a[static_cast<std::size_t>(i * s.k + p)];
              const int value = a_type == DType::u8 ? static_cast<std::uint8_t>(x) : x;
              sum += (value - (zero_points ? za : 0)) *
                     (original[static_cast<std::size_t>(p * s.n + j)] - (zero_points ? zb : 0));
            }
            ASSERT_EQ(c[static_cast<std::size_t>(i * s.n + j)], sum)
                << s.m << 'x' << s.n << 'x' << s.k << " on " << name(machine.cpu.isa) << " (" << i << ", " << j << ')';
          }
      }
  });
  if (ran == 0) GTEST_SKIP() << "this CPU has no instruction for sums of products of bytes";
}

// Panels of another width, which another level made, are left alone.
TEST(PackedB, PanelsOfAnotherWidthAreNotUsed) {
  const Machine machine = machine_at(query().isa, 1);
  std::vector<float> a(20 * 30, 1.0f), b(30 * 40, 2.0f), c(20 * 40);
  MatmulProblem problem;
  problem.m = 20, problem.n = 40, problem.k = 30;
  MatmulArgs args;
  args.m = 20, args.n = 40, args.k = 30;
  args.a = {a.data(), 30, 1};
  args.b = {b.data(), 40, 1};
  args.c = {c.data(), 40, 1};
  args.packed_b = a.data();
  args.packed_panel = packed_layout(machine.cpu, DType::f32, 30, 40).panel + 1;
  run_kernel(matmul_f32_simd::kKernel, problem, args, machine);
  for (const float x : c) ASSERT_EQ(x, 60.0f);
}

// The selection is told that panels come with the call, and the product that reads them need not pack b: for few rows
// of a deep b that is most of its time. The one that packs all the same is predicted to take as long as before.
TEST(PackedB, PanelsThatComeWithTheCallAreNoWork) {
  Context ctx;
  char memory[4];
  const View operands[] = {View(memory, DType::bf16, {1, 2000}), View(memory + 1, DType::bf16, {2000, 10}),
                           View(memory + 2, DType::f32, {1, 10})};
  const PackedMatrix panels;
  CallOptions with;
  with.packed = &panels;
  const auto plain = make_situation<Matmul>(ctx.impl(), {}, operands);
  const auto packed = make_situation<Matmul>(ctx.impl(), {}, operands, with);
  EXPECT_FALSE(plain.problem[0].packed);
  EXPECT_TRUE(packed.problem[0].packed);
  EXPECT_NE(plain, packed);  // or one decision would be kept for both

  Machine machine = machine_at(query().isa, 1);
  if (!machine.cpu.has_s8_dot()) GTEST_SKIP() << "this CPU has no instruction for sums of products of bytes";
  QuantizedMatmulProblem bytes;
  bytes.m = 1, bytes.n = 10, bytes.k = 2000;
  const double packs = quantized_matmul_s8_simd::kKernel.cost(bytes, machine);
  const double avx2 = quantized_matmul_s8_avx2::kKernel.cost(bytes, machine);
  bytes.packed = true;
  // The rest is the multiplication, which is predicted at a small part of the assumed ceiling where that is AMX's.
  EXPECT_LT(quantized_matmul_s8_simd::kKernel.cost(bytes, machine), 0.8 * packs);
  EXPECT_LT(quantized_matmul_s8_simd::kKernel.cost(bytes, machine), avx2);
  EXPECT_EQ(quantized_matmul_s8_avx2::kKernel.cost(bytes, machine), avx2);
}

}  // namespace
}  // namespace tandem::cpu::packed_test
