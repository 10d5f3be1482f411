// Conversions as steps for the walks of cuda/scaled.cuh, without scales.
#pragma once

#include "common/ops/convert.h"
#include "cuda/bf16.cuh"
#include "cuda/f16.cuh"
#include "cuda/scaled.cuh"

namespace tandem::cuda {

/// A type of 16 bits, as bits.
struct Bf16Bits {
  static __device__ __forceinline__ std::uint16_t round(float x) { return bf16_bits(x); }
  static __device__ __forceinline__ float widen(std::uint16_t x) { return bf16_value(x); }
};
struct F16Bits {
  static __device__ __forceinline__ std::uint16_t round(float x) { return f16_bits(x); }
  static __device__ __forceinline__ float widen(std::uint16_t x) { return f16_value(x); }
};

template <class Half>
struct RoundStep {
  using In = float;
  using Out = std::uint16_t;
  __device__ __forceinline__ Out operator()(In x, float, std::int32_t) const { return Half::round(x); }
};

template <class Half>
struct WidenStep {
  using In = std::uint16_t;
  using Out = float;
  __device__ __forceinline__ Out operator()(In x, float, std::int32_t) const { return Half::widen(x); }
};

inline Scaled scaled(const ConvertArgs& args) {
  return {args.x, args.y, nullptr, nullptr, as_scaled(args.loops, 0, -1, -1, 1)};
}

/// Calls run(step) with the step that `args` ask for.
template <class Half, class Run>
Code with_step(const ConvertArgs& args, Run run) {
  return args.from == DType::f32 ? run(RoundStep<Half>()) : run(WidenStep<Half>());
}

}  // namespace tandem::cuda
