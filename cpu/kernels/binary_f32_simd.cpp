// Idea:    four vectors in step; a broadcast operand stays in a register or is read along its row; a short row, or one
//          number for each short row, is read from copies side by side; results that no cache would hold are stored
//          past the caches; strided operands are gathered in pieces.
// Limits:  strided elements cost several times what contiguous ones do.
// Expect:  measured on a Zen 5 server core, one thread: add moves 0.8 to 1.0 of the bytes a second of a copy in L2, and
//          above the last-level cache about those of a copy with non-temporal stores. On a Xeon a bias of 10 columns
//          under 10000 rows takes a 24th of the time that gathering took, of 64 columns under 1000 rows half; dividing
//          10000 rows of 10 by a number each takes a ninth.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/binary_f32_simd.cpp"
#include "cpu/simd/simd.h"

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <tandem/ops.h>

#include "cpu/loops/map-inl.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {

template <class A, class B>
HWY_INLINE void binary_of(BinaryFn fn, const A& a, const B& b, float* out, size_t n, bool stream) {
  constexpr int kBatch = kSmallBatch;
  switch (fn) {
    case BinaryFn::add:
      return map_run<kBatch>(
          n, out, stream, [](const auto& x, const auto& y) TANDEM_LAMBDA { return add(x, y); }, a, b);
    case BinaryFn::sub:
      return map_run<kBatch>(
          n, out, stream, [](const auto& x, const auto& y) TANDEM_LAMBDA { return sub(x, y); }, a, b);
    case BinaryFn::mul:
      return map_run<kBatch>(
          n, out, stream, [](const auto& x, const auto& y) TANDEM_LAMBDA { return mul(x, y); }, a, b);
    case BinaryFn::div:
      return map_run<kBatch>(
          n, out, stream, [](const auto& x, const auto& y) TANDEM_LAMBDA { return div(x, y); }, a, b);
    case BinaryFn::squared_difference:
      return map_run<kBatch>(
          n, out, stream,
          [](const auto& x, const auto& y) TANDEM_LAMBDA {
            const auto difference = sub(x, y);
            return mul(difference, difference);
          },
          a, b);
  }
}

// out[i] = fn(a[i a_step], b[i b_step]) for i < n; steps are 0 or 1; out may be a or b when that steps.
void binary_run(BinaryFn fn, const float* a, int a_step, const float* b, int b_step, float* out, size_t n,
                bool stream) {
  if (a_step == 1 && b_step == 1) {
    binary_of(fn, FromArray{a}, FromArray{b}, out, n, stream);
  } else if (a_step == 1) {
    binary_of(fn, FromArray{a}, FromValue{*b}, out, n, stream);
  } else if (b_step == 1) {
    binary_of(fn, FromValue{*a}, FromArray{b}, out, n, stream);
  } else {
    binary_of(fn, FromValue{*a}, FromValue{*b}, out, n, stream);
  }
  if (stream) hwy::FlushStream();
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/elementwise.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu::binary_f32_simd {
namespace {

HWY_EXPORT(binary_run);

constexpr std::int64_t kPerThread = 16384;
constexpr std::int64_t kRepeated = 512;    // elements of copies of a row, or of the numbers of rows
constexpr std::int64_t kShortColumn = 32;  // of longer rows, each is a loop of its own
constexpr std::int64_t kShortRow = 16;     // shorter rows are cheaper through a buffer than one by one

Refusal supports(const BinaryProblem& p, const Machine&) {
  return p.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

double cost(const BinaryProblem& p, const Machine& machine) {
  const int threads = threads_worth(p.elements, kPerThread, machine.cpu.threads);
  const bool rows = p.contiguous || p.a_elements < p.elements || p.b_elements < p.elements;
  return cpu_seconds(machine, (rows ? 2 : 40) * Binary::flops(p), Binary::bytes(p), 1, threads);
}

struct Operands {
  const float* a;
  const float* b;
  float* out;
};

// Whether the result and the operand beside `operand` are rows without gaps.
bool rows_of_others(const Loops<3>& loops, int operand) {
  if (loops.rank != 2) return false;
  const auto is = [&](int which) { return loops.strides[which][0] == loops.shape[1] && loops.strides[which][1] == 1; };
  return is(1 - operand) && is(2);
}

// Whether `operand`, 0 or 1, is one short row for all rows: a bias.
bool repeats(const Loops<3>& loops, int operand) {
  return rows_of_others(loops, operand) && loops.shape[1] <= kRepeated / 2 && loops.strides[operand][0] == 0 &&
         loops.strides[operand][1] == 1;
}

// Whether `operand` is one number for each short row.
bool is_column(const Loops<3>& loops, int operand) {
  return rows_of_others(loops, operand) && loops.shape[1] <= kShortColumn && loops.strides[operand][1] == 0;
}

// That row is written out several times, and read along with the other operand.
template <class Run>
void repeated(const BinaryArgs& args, const Operands& p, int operand, std::int64_t begin, std::int64_t end, Run run) {
  alignas(64) float copies[kRepeated];
  const std::int64_t n = args.loops.shape[1], phase = begin % n;
  const float* row = operand == 0 ? p.a : p.b;
  // One copy more than are read at once, since they are read from within the first.
  const std::int64_t count = std::min(kRepeated / n - 1, (end - begin + n - 1) / n);
  for (std::int64_t i = 0; i <= count; ++i) std::copy_n(row, n, copies + i * n);
  for (std::int64_t at = begin; at < end; at += count * n) {
    const float* from = copies + phase;
    run(operand == 0 ? from : p.a + at, 1, operand == 1 ? from : p.b + at, 1, p.out + at,
        std::min(count * n, end - at));
  }
}

// Copies of each of `rows` numbers, n side by side; in pieces of kWidth, over whose rest the next number comes.
template <std::int64_t kWidth>
void copy_each(const float* column, std::int64_t step, std::int64_t rows, std::int64_t n, float* copies) {
  for (std::int64_t i = 0; i < rows; ++i, copies += n)
    for (std::int64_t at = 0; at < n; at += kWidth) std::fill_n(copies + at, kWidth, column[i * step]);
}

// The numbers are written as often as their rows are long, and read along with the other operand.
template <class Run>
void column(const BinaryArgs& args, const Operands& p, int operand, std::int64_t begin, std::int64_t end, Run run) {
  constexpr std::int64_t kWide = 16;
  alignas(64) float copies[kRepeated + kWide];
  const std::int64_t n = args.loops.shape[1], step = args.loops.strides[operand][0];
  const float* numbers = operand == 0 ? p.a : p.b;
  while (begin < end) {
    const std::int64_t first = begin / n, rows = std::min(kRepeated / n, (end - 1) / n - first + 1);
    (n <= 4 ? copy_each<4> : n <= 8 ? copy_each<8> : copy_each<kWide>)(numbers + first * step, step, rows, n, copies);
    const float* from = copies + (begin - first * n);
    const std::int64_t last = std::min(end, (first + rows) * n);
    run(operand == 0 ? from : p.a + begin, 1, operand == 1 ? from : p.b + begin, 1, p.out + begin, last - begin);
    begin = last;
  }
}

template <class Run>
void strided(const BinaryArgs& args, const Operands& p, std::int64_t begin, std::int64_t end, Run run) {
  for (const int operand : {0, 1}) {
    if (repeats(args.loops, operand)) return repeated(args, p, operand, begin, end, run);
    if (is_column(args.loops, operand)) return column(args, p, operand, begin, end, run);
  }
  const int last = args.loops.rank - 1;
  const std::int64_t steps[3] = {args.loops.strides[0][last], args.loops.strides[1][last], args.loops.strides[2][last]};
  const auto steps_by_one_or_none = [](std::int64_t step) { return step == 0 || step == 1; };
  if (steps[2] == 1 && steps_by_one_or_none(steps[0]) && steps_by_one_or_none(steps[1]) &&
      args.loops.shape[last] >= kShortRow)
    return for_rows(args.loops, begin, end, [&](const std::int64_t(&at)[3], std::int64_t count) {
      run(p.a + at[0], static_cast<int>(steps[0]), p.b + at[1], static_cast<int>(steps[1]), p.out + at[2], count);
    });
  alignas(64) float a[kPiece], b[kPiece];
  Walker<3> from(args.loops, begin), to(args.loops, begin);
  while (begin < end) {
    const std::int64_t count = std::min(kPiece, end - begin);
    for (std::int64_t i = 0; i < count; ++i, from.next()) {
      a[i] = p.a[from.offset(0)];
      b[i] = p.b[from.offset(1)];
    }
    run(a, 1, b, 1, a, count);
    for (std::int64_t i = 0; i < count; ++i, to.next()) p.out[to.offset(2)] = a[i];
    begin += count;
  }
}

Code run(const BinaryArgs& args, const Queue& queue, Workspace) {
  const auto binary = TANDEM_SIMD_CALL(queue.machine->cpu.isa, binary_run);
  const Operands p{static_cast<const float*>(args.a), static_cast<const float*>(args.b), static_cast<float*>(args.out)};
  const std::int64_t elements = args.loops.elements;
  if (elements == 0) return Code::ok;
  const bool contiguous = args.loops.contiguous();
  const bool out_of_place = p.out != p.a && p.out != p.b;
  const bool stream = contiguous && out_of_place && bypass_caches(*queue.machine, elements * 3 * 4);
  for_shares(queue, elements, 64, kPerThread, [&](std::int64_t begin, std::int64_t end) {
    if (contiguous)
      return binary(args.fn, p.a + begin, 1, p.b + begin, 1, p.out + begin, static_cast<std::size_t>(end - begin),
                    stream);
    strided(args, p, begin, end,
            [&](const float* a, int a_step, const float* b, int b_step, float* out, std::int64_t count) {
              binary(args.fn, a, a_step, b, b_step, out, static_cast<std::size_t>(count), false);
            });
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Binary> kKernel;
const Kernel<Binary> kKernel = {
    .needs = {}, .traits = {}, .supports = supports, .cost = cost, .workspace = no_workspace<Binary>, .run = run};

}  // namespace tandem::cpu::binary_f32_simd

#endif  // HWY_ONCE
