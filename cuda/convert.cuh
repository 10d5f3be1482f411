// Conversions as steps for the walks of cuda/scaled.cuh, without scales.
#pragma once

#include "common/ops/convert.h"
#include "cuda/bf16.cuh"
#include "cuda/scaled.cuh"

namespace tandem::cuda {

struct RoundStep {
  using In = float;
  using Out = std::uint16_t;
  __device__ __forceinline__ Out operator()(In x, float, std::int32_t) const { return bf16_bits(x); }
};

struct WidenStep {
  using In = std::uint16_t;
  using Out = float;
  __device__ __forceinline__ Out operator()(In x, float, std::int32_t) const { return bf16_value(x); }
};

inline Scaled scaled(const ConvertArgs& args) {
  return {args.x, args.y, nullptr, nullptr, as_scaled(args.loops, 0, -1, -1, 1)};
}

/// Calls run(step) with the step that `args` ask for.
template <class Run>
Code with_step(const ConvertArgs& args, Run run) {
  return args.dtype == DType::bf16 ? run(RoundStep()) : run(WidenStep());
}

}  // namespace tandem::cuda
