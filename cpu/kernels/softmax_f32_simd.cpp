// Idea:    maximum, exponentials with their sum, scaling: three passes over a row that stays in L1; up to four vectors
//          stay in registers, rows of at most one go four at a time; along any other axis one row a lane.
// Limits:  one thread a row; rows longer than L2 are read three times from further away; rows and axis both strided go
//          through a buffer.
// Expect:  measured on a Zen 5 server core, one thread: 1.5 times Eigen with -march=native on 128x1024, 5.4 times on
//          1797x10 (tandem-simd-math-bench). On a Xeon with AVX-512 3.2 to 5.2 times XNNPACK, whatever the length
//          of rows.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/softmax_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tandem/ops.h>

#include "cpu/loops/softmax-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

// `rows` rows of n elements: row r at x + r x_row, its elements x_step apart, and so for y.
template <bool kLog>
HWY_INLINE void softmax_rows(const float* x, std::int64_t x_row, std::int64_t x_step, float* y, std::int64_t y_row,
                             std::int64_t y_step, std::int64_t n, std::int64_t rows) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(F32()));
  std::int64_t r = 0;
  if (x_step == 1 && y_step == 1 && n <= lanes) {
    for (; r + 4 <= rows; r += 4)
      softmax_short_rows<kLog, 4>(x + r * x_row, x_row, y + r * y_row, y_row, static_cast<size_t>(n));
    for (; r < rows; ++r)
      softmax_short_rows<kLog, 1>(x + r * x_row, x_row, y + r * y_row, y_row, static_cast<size_t>(n));
  } else if (x_step == 1 && y_step == 1 && n <= 4 * lanes) {
    const auto all_rows = [&](auto vectors) TANDEM_LAMBDA {
      for (; r < rows; ++r)
        softmax_few_vectors<kLog, vectors.value>(x + r * x_row, y + r * y_row, static_cast<size_t>(n));
    };
    if (n <= 2 * lanes)
      all_rows(std::integral_constant<int, 2>());
    else if (n <= 3 * lanes)
      all_rows(std::integral_constant<int, 3>());
    else
      all_rows(std::integral_constant<int, 4>());
  } else if (x_step == 1 && y_step == 1) {
    for (; r < rows; ++r) softmax_row<kLog>(x + r * x_row, y + r * y_row, static_cast<size_t>(n));
  } else if (x_row == 1 && y_row == 1) {
    constexpr int kBatch = kSmallBatch;
    for (; r + kBatch * lanes <= rows; r += kBatch * lanes)
      softmax_lanes<kLog, kBatch>(x + r, x_step, y + r, y_step, n, static_cast<size_t>(kBatch * lanes));
    for (; r < rows; r += lanes)
      softmax_lanes<kLog, 1>(x + r, x_step, y + r, y_step, n, static_cast<size_t>(std::min(lanes, rows - r)));
  } else {
    for (; r < rows; ++r) softmax_strided_row<kLog>(x + r * x_row, x_step, y + r * y_row, y_step, n);
  }
}

void softmax_run(SoftmaxFn fn, const float* x, std::int64_t x_row, std::int64_t x_step, float* y, std::int64_t y_row,
                 std::int64_t y_step, std::int64_t n, std::int64_t rows) {
  if (fn == SoftmaxFn::softmax) {
    softmax_rows<false>(x, x_row, x_step, y, y_row, y_step, n, rows);
  } else {
    softmax_rows<true>(x, x_row, x_step, y, y_row, y_step, n, rows);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/softmax.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::softmax_f32_simd {
namespace {

HWY_EXPORT(softmax_run);

// Rows that take about a microsecond.
std::int64_t rows_per_thread(std::int64_t length) {
  return std::max<std::int64_t>(1, 8192 / std::max<std::int64_t>(length, 8));
}

Refusal supports(const SoftmaxProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const SoftmaxProblem& p, const Machine& machine) {
  const int threads = threads_worth(p.rows, rows_per_thread(p.length), machine.cpu.threads);
  const double elements = static_cast<double>(p.rows) * static_cast<double>(std::max<std::int64_t>(p.length, 16));
  return cpu_seconds(machine, (p.contiguous ? 40 : 80) * elements, Softmax::bytes(p), 1, threads);
}

Code run(const SoftmaxArgs& args, const Queue& queue, Workspace) {
  if (args.length == 0 || args.rows.elements == 0) return Code::ok;
  const auto softmax = TANDEM_SIMD_CALL(queue.machine->cpu.isa, softmax_run);
  const auto* x = static_cast<const float*>(args.x);
  auto* y = static_cast<float*>(args.y);
  if (args.rows.rank == 0) {
    softmax(args.fn, x, 0, args.x_stride, y, 0, args.y_stride, args.length, 1);
    return Code::ok;
  }
  const int last = args.rows.rank - 1;
  const std::int64_t x_row = args.rows.strides[0][last], y_row = args.rows.strides[1][last];
  for_shares(queue, args.rows.elements, 64, rows_per_thread(args.length), [&](std::int64_t begin, std::int64_t end) {
    for_rows(args.rows, begin, end, [&](const std::int64_t(&at)[2], std::int64_t count) {
      softmax(args.fn, x + at[0], x_row, args.x_stride, y + at[1], y_row, args.y_stride, args.length, count);
    });
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Softmax> kKernel;
const Kernel<Softmax> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = no_workspace<Softmax>, .run = run};

}  // namespace tandem::cpu::softmax_f32_simd

#endif  // HWY_ONCE
