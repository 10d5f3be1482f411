// Products with AMX, whose sweeps take a in place or packed, over several blocks of b, prepared or not.
#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "common/core/thread_pool.h"
#include "common/dispatch/execute.h"
#include "cpu/gemm/blocking.h"
#include "cpu/kernels.h"
#include "tests/support/data.h"

namespace tandem::cpu::sweep_test {
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

// Products of bytes are exact, and say so element by element.
void check(const Form& f, int threads) {
  Machine machine;
  machine.cpu = query();
  machine.cpu.threads = threads;
  const std::int64_t pitch = f.pitch != 0 ? f.pitch : f.k;
  const std::int64_t a_row = f.ta ? 1 : pitch, a_col = f.ta ? f.m : 1;
  const std::int64_t b_row = f.tb ? 1 : f.n, b_col = f.tb ? f.k : 1;
  const std::int64_t a_size = f.ta ? f.m * f.k : f.m == 0 || f.k == 0 ? 0 : (f.m - 1) * pitch + f.k;
  std::vector<std::int8_t> a(static_cast<std::size_t>(a_size)), b(static_cast<std::size_t>(f.k * f.n));
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
  ThreadPool pool(threads);
  const auto& kernel = quantized_matmul_s8_amx::kKernel;
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

TEST(Sweep, TakesEveryFormOfItsOperands) {
  if (!query().has_amx_int8() || !query().has_s8_dot()) GTEST_SKIP() << "this CPU has no AMX";
  for (const Form& form : kForms)
    for (const int threads : {1, 3}) {
      SCOPED_TRACE(::testing::Message() << form.m << 'x' << form.n << 'x' << form.k << ", pitch " << form.pitch
                                        << ", ta " << form.ta << ", tb " << form.tb << ", zp " << form.zero_points
                                        << ", prepared " << form.prepared << ", threads " << threads);
      check(form, threads);
      const ScopedMatmulBlocking several_blocks_of_b({32, 64, 64});
      check(form, threads);
    }
}

}  // namespace
}  // namespace tandem::cpu::sweep_test
