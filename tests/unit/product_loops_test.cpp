// Products whose loops go their own way: with AMX, whose sweeps take a in place or packed, over several blocks of b,
// prepared or not; and with a short k and a large c, which is written row by row.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/core/bf16.h"
#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/core/thread_pool.h"
#include "common/dispatch/execute.h"
#include "cpu/gemm/blocking.h"
#include "cpu/kernels.h"
#include "tests/support/data.h"

namespace tandem::cpu::product_loops_test {
namespace {

struct Form {
  std::int64_t m, n, k;
  std::int64_t pitch = 0;  // of a by rows; 0: k
  bool ta = false, tb = false, zero_points = false, prepared = false;
};

// 4096: all rows of a fall into the same sets of L1, so that it is packed; 192 and 67: it is read where it is.
constexpr Form kForms[] = {
    {.m = 32, .n = 32, .k = 64},
    {.m = 64, .n = 150, .k = 128, .pitch = 192},
    {.m = 48, .n = 97, .k = 67},
    {.m = 33, .n = 200, .k = 130, .pitch = 4096},
    {.m = 80, .n = 81, .k = 1},
    {.m = 5, .n = 300, .k = 0},
    {.m = 47, .n = 65, .k = 200, .ta = true},
    {.m = 70, .n = 130, .k = 61, .ta = true, .tb = true},
    {.m = 64, .n = 140, .k = 100, .zero_points = true},
    {.m = 49, .n = 70, .k = 129, .ta = true, .zero_points = true},
    {.m = 96, .n = 170, .k = 192, .prepared = true},
    {.m = 65, .n = 99, .k = 77, .zero_points = true, .prepared = true},
};

Machine machine_with(int threads) {
  Machine machine;
  machine.cpu = query();
  machine.cpu.threads = threads;
  return machine;
}

// Products of bytes are exact, and say so element by element.
void check(const Form& f, const Machine& machine, const Kernel<QuantizedMatmul>& kernel) {
  const std::int64_t pitch = f.pitch != 0 ? f.pitch : f.k;
  const std::int64_t a_row = f.ta ? 1 : pitch, a_col = f.ta ? f.m : 1;
  const std::int64_t b_row = f.tb ? 1 : f.n, b_col = f.tb ? f.k : 1;
  const std::int64_t a_size = f.ta ? f.m * f.k : f.m == 0 || f.k == 0 ? 0 : (f.m - 1) * pitch + f.k;
  std::vector<std::int8_t> a(static_cast<std::size_t>(a_size + 1)), b(static_cast<std::size_t>(f.k * f.n + 1));
  std::vector<std::int32_t> c(static_cast<std::size_t>(f.m * f.n), -1);
  test::fill_integers(std::span<std::int8_t>(a), 1);
  test::fill_integers(std::span<std::int8_t>(b), 2);
  const std::int32_t za = 5, zb = -3;
  QuantizedMatmulProblem problem;
  problem.result = DType::s32;
  problem.m = f.m, problem.n = f.n, problem.k = f.k;
  QuantizedMatmulArgs args;
  args.m = f.m, args.n = f.n, args.k = f.k;
  args.result = DType::s32;
  args.a = {a.data(), a_row, a_col};
  args.b = {b.data(), b_row, b_col};
  args.c = {c.data(), f.n, 1};
  if (f.zero_points) args.za = {&za, 0}, args.zb = {&zb, 0};
  args.range = {INT32_MIN, INT32_MAX};
  const PackedLayout layout = packed_layout(machine.cpu, DType::s8, f.k, f.n);
  const auto panels = allocate_host(layout.bytes, 64, "test");
  if (f.prepared) {
    pack_b(machine.cpu, DType::s8, f.k, f.n, b.data(), b_row, b_col, panels.get());
    args.packed_b = panels.get();
    args.packed_panel = layout.panel;
  }
  ThreadPool pool(machine.cpu.threads);
  const std::size_t bytes = kernel.workspace(problem, machine);
  const auto workspace = allocate_host(bytes + 256, 256, "test");
  ASSERT_EQ(kernel.run(args, {&machine, &pool, nullptr}, {workspace.get(), bytes}), Code::ok);
  for (std::int64_t i = 0; i < f.m; ++i)
    for (std::int64_t j = 0; j < f.n; ++j) {
      std::int64_t sum = 0;
      for (std::int64_t p = 0; p < f.k; ++p)
        sum += (a[static_cast<std::size_t>(i * a_row + p * a_col)] - (f.zero_points ? za : 0)) *
               (b[static_cast<std::size_t>(p * b_row + j * b_col)] - (f.zero_points ? zb : 0));
      ASSERT_EQ(c[static_cast<std::size_t>(i * f.n + j)], sum) << "(" << i << ", " << j << ')';
    }
}

// Sums of small whole numbers are exact in f32 too. a has no unit stride where `gap` is more than 1.
void check_bf16(std::int64_t m, std::int64_t n, std::int64_t k, bool ta, std::int64_t gap, std::int64_t batch) {
  const Machine machine = machine_with(1);
  const std::int64_t a_row = ta ? gap : k * gap, a_col = ta ? m * gap : gap;
  const auto numbers = [](std::int64_t count, std::uint64_t seed) {
    std::vector<float> values(static_cast<std::size_t>(count));
    test::fill_integers(std::span<float>(values), seed, -4, 4);
    std::vector<Bf16> out;
    for (const float x : values) out.push_back(to_bf16(x));
    return out;
  };
  const std::vector<Bf16> a = numbers(batch * m * k * gap, 1), b = numbers(k * n, 2);
  std::vector<float> c(static_cast<std::size_t>(batch * m * n * 2), -1.0f);
  MatmulProblem problem;
  problem.dtype = DType::bf16;
  problem.m = m, problem.n = n, problem.k = k, problem.batch = batch;
  MatmulArgs args;
  args.m = m, args.n = n, args.k = k;
  args.a = {a.data(), a_row, a_col};
  args.b = {b.data(), n, 1};
  args.c = {c.data(), 2 * n, 2};  // every other element
  args.batch.elements = batch;
  if (batch > 1) {
    args.batch.rank = 1;
    args.batch.shape[0] = batch;
    args.batch.strides[0][0] = m * k * gap;
    args.batch.strides[2][0] = 2 * m * n;
  }
  ThreadPool pool(1);
  const auto& kernel = matmul_bf16_amx::kKernel;
  const std::size_t bytes = kernel.workspace(problem, machine);
  const auto workspace = allocate_host(bytes + 256, 256, "test");
  ASSERT_EQ(kernel.run(args, {&machine, &pool, nullptr}, {workspace.get(), bytes}), Code::ok);
  for (std::int64_t item = 0; item < batch; ++item)
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j) {
        float sum = 0;
        for (std::int64_t p = 0; p < k; ++p)
          sum += to_f32(a[static_cast<std::size_t>(item * m * k * gap + i * a_row + p * a_col)]) *
                 to_f32(b[static_cast<std::size_t>(p * n + j)]);
        const float* at = c.data() + item * 2 * m * n + i * 2 * n + 2 * j;
        ASSERT_EQ(at[0], sum) << item << " (" << i << ", " << j << ')';
        ASSERT_EQ(at[1], -1.0f) << "between the elements of c";
      }
}

TEST(Sweep, OfBf16) {
  if (!query().has_amx_bf16() || !query().has_bf16_dot()) GTEST_SKIP() << "this CPU has no AMX";
  for (const std::int64_t k : {1, 31, 33, 64, 99})
    for (const bool ta : {false, true})
      for (const std::int64_t gap : {1, 3})
        for (const std::int64_t m : {17, 33, 48}) {
          SCOPED_TRACE(::testing::Message() << m << "x45x" << k << ", ta " << ta << ", gap " << gap);
          check_bf16(m, 45, k, ta, gap, 1);
        }
  check_bf16(32, 33, 65, false, 1, 3);
  check_bf16(19, 33, 65, true, 1, 3);
}

TEST(Sweep, TakesEveryFormOfItsOperands) {
  if (!query().has_amx_int8() || !query().has_s8_dot()) GTEST_SKIP() << "this CPU has no AMX";
  for (const Form& form : kForms)
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(::testing::Message() << form.m << 'x' << form.n << 'x' << form.k << ", pitch " << form.pitch
                                        << ", ta " << form.ta << ", tb " << form.tb << ", zp " << form.zero_points
                                        << ", prepared " << form.prepared << ", threads " << threads);
      check(form, machine_with(threads), quantized_matmul_s8_amx::kKernel);
      const ScopedMatmulBlocking several_blocks_of_b({32, 64, 64});
      check(form, machine_with(threads), quantized_matmul_s8_amx::kKernel);
    }
}

// An L2 so small that these matrices are large.
Machine small_machine(int threads) {
  Machine machine = machine_with(threads);
  machine.cpu.l2_bytes = 32 << 10;
  return machine;
}

TEST(ShortK, BytesTakeEveryFormOfTheirOperands) {
  constexpr Form kShort[] = {
      {.m = 150, .n = 170, .k = 1},
      {.m = 131, .n = 97, .k = 7, .zero_points = true},
      {.m = 140, .n = 160, .k = 12, .ta = true},
      {.m = 133, .n = 65, .k = 33, .tb = true, .zero_points = true},
      {.m = 139, .n = 100, .k = 17, .zero_points = true, .prepared = true},
      {.m = 20, .n = 700, .k = 3, .zero_points = true},
  };
  for (const Form& form : kShort)
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(::testing::Message() << form.m << 'x' << form.n << 'x' << form.k << ", threads " << threads);
      if (query().has_s8_dot()) check(form, small_machine(threads), quantized_matmul_s8_simd::kKernel);
      if (form.prepared) continue;  // for other words
      check(form, small_machine(threads), quantized_matmul_s8_avx2::kKernel);
      const ScopedMatmulBlocking several_blocks({24, 8, 64});
      check(form, small_machine(threads), quantized_matmul_s8_avx2::kKernel);
    }
}

TEST(ShortK, FloatsOfEveryLevel) {
  ThreadPool pool(3);
  for (const IsaLevel level : {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512}) {
    if (level > query().isa) continue;
    for (const int threads : {1, 3})
      for (const std::int64_t k : {1, 5, 32})
        for (const bool tb : {false, true})
          for (const float beta : {0.0f, 2.0f}) {
            constexpr std::int64_t m = 141, n = 83;
            Machine machine = small_machine(threads);
            machine.cpu.isa = level;
            std::vector<float> a(m * static_cast<std::size_t>(k)), b(n * static_cast<std::size_t>(k)), c(m * n, 3.0f);
            test::fill_integers(std::span<float>(a), 1, -4, 4);
            test::fill_integers(std::span<float>(b), 2, -4, 4);
            MatmulProblem problem;
            problem.m = m, problem.n = n, problem.k = k;
            MatmulArgs args;
            args.m = m, args.n = n, args.k = k;
            args.a = {a.data(), k, 1};
            args.b = {b.data(), tb ? 1 : n, tb ? k : 1};
            args.c = {c.data(), n, 1};
            args.beta = beta;
            args.batch.elements = 1;
            const std::size_t bytes = matmul_f32_simd::kKernel.workspace(problem, machine);
            const auto workspace = allocate_host(bytes + 256, 256, "test");
            ASSERT_EQ(matmul_f32_simd::kKernel.run(args, {&machine, &pool, nullptr}, {workspace.get(), bytes}),
                      Code::ok);
            for (std::int64_t i = 0; i < m; ++i)
              for (std::int64_t j = 0; j < n; ++j) {
                float sum = 3 * beta;
                for (std::int64_t p = 0; p < k; ++p)
                  sum +=
                      a[static_cast<std::size_t>(i * k + p)] * b[static_cast<std::size_t>(tb ? j * k + p : p * n + j)];
                ASSERT_EQ(c[static_cast<std::size_t>(i * n + j)], sum)
                    << name(level) << ", " << threads << " threads, k " << k << ", tb " << tb << ", beta " << beta
                    << " (" << i << ", " << j << ')';
              }
          }
  }
}

}  // namespace
}  // namespace tandem::cpu::product_loops_test
