// Idea:    three loops over 64-bit sums, then the steps that QuantizedMatmulArgs lists; s8 x s8 and u8 x s8
// Limits:  none; any strides, rows shared out over the threads
// Expect:  nothing of speed: the rung that the others are compared with
#include <algorithm>
#include <cmath>

#include "common/core/thread_pool.h"
#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/quantized_matmul.h"
#include "cpu/gemm/scalar_store.h"
#include "cpu/sparse/expand24.h"

namespace tandem::cpu::quantized_matmul_s8_reference {
namespace {

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return cpu_seconds(machine, QuantizedMatmul::flops(p), QuantizedMatmul::bytes(p), 0.01, machine.cpu.threads);
}

template <class A>
std::int32_t accumulate(const QuantizedMatmulArgs& args, std::int64_t i, std::int64_t j) {
  const A* a = static_cast<const A*>(args.a.data) + i * args.a.row;
  const std::int8_t* b = args.b.data + j * args.b.col;
  const std::int64_t za = args.za.data ? args.za[i] : 0, zb = args.zb.data ? args.zb[j] : 0;
  std::int64_t sum = args.bias_s32.data ? args.bias_s32[j] : 0;
  for (std::int64_t l = 0; l < args.k; ++l) sum += (a[l * args.a.col] - za) * (b[l * args.b.row] - zb);
  return static_cast<std::int32_t>(sum);
}

float scaled(const QuantizedMatmulArgs& args, std::int32_t acc, std::int64_t i, std::int64_t j) {
  float value = static_cast<float>(acc) * (args.sa[i] * args.sb[j]);
  if (args.bias_f32.data) value += args.bias_f32[j];
  return activated(args.activation, value);
}

std::int32_t requantized(const QuantizedMatmulArgs& args, std::int32_t acc, std::int64_t i, std::int64_t j) {
  const float multiplier = args.sa[i] * args.sb[j] / args.result_scale;
  float rounded = std::nearbyint(static_cast<float>(acc) * multiplier);
  if (std::isnan(rounded)) rounded = 0;
  const float shifted = rounded + static_cast<float>(args.result_zero_point);
  return static_cast<std::int32_t>(
      std::clamp(shifted, static_cast<float>(args.range.low), static_cast<float>(args.range.high)));
}

void store(const QuantizedMatmulArgs& args, std::int32_t acc, std::int64_t i, std::int64_t j) {
  const std::int64_t at = i * args.c.row + j * args.c.col;
  if (args.result == DType::s32)
    static_cast<std::int32_t*>(args.c.data)[at] = std::max(acc, args.range.low);
  else if (args.result == DType::f32)
    static_cast<float*>(args.c.data)[at] = scaled(args, acc, i, j);
  else if (args.result == DType::s8)
    static_cast<std::int8_t*>(args.c.data)[at] = static_cast<std::int8_t>(requantized(args, acc, i, j));
  else
    static_cast<std::uint8_t*>(args.c.data)[at] = static_cast<std::uint8_t>(requantized(args, acc, i, j));
}

std::size_t workspace(const QuantizedMatmulProblem& p, const Machine&) { return expanded_bytes<std::int8_t>(p); }

Code multiply(const QuantizedMatmulArgs& args, const Queue& queue, Workspace) {
  const auto rows = [&](int t, int count) {
    const Share share = share_of(args.m, 1, t, count);
    for (std::int64_t i = share.begin; i < share.end; ++i)
      for (std::int64_t j = 0; j < args.n; ++j) {
        const bool is_unsigned = args.a_type == DType::u8;
        store(args, is_unsigned ? accumulate<std::uint8_t>(args, i, j) : accumulate<std::int8_t>(args, i, j), i, j);
      }
  };
  if (queue.pool)
    queue.pool->run(queue.machine->cpu.threads, rows);
  else
    rows(0, 1);
  return Code::ok;
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace workspace) {
  return with_dense_b<std::int8_t>(args, queue, workspace, multiply);
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {.needs = {},
                                         .traits = {.reference = true, .sparse24 = true},
                                         .supports = supports_all<QuantizedMatmul>,
                                         .cost = cost,
                                         .workspace = workspace,
                                         .run = run};

}  // namespace tandem::cpu::quantized_matmul_s8_reference
