// Running one problem on one CUDA kernel, on the GPU of this machine or as on a smaller one.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/kernel_run.h"
#include "tests/support/left_out.h"

namespace tandem::test {

/// The GPU of this machine, with the multiprocessors and L2 of another one.
inline Machine smaller(int multiprocessors, std::int64_t l2_bytes) {
  Machine machine = gpu_machine();
  machine.gpus[0].multiprocessors = multiprocessors;
  machine.gpus[0].l2_bytes = l2_bytes;
  return machine;
}

template <class Op>
void expect_right(const Kernel<Op>& kernel, const Case<Op>& c, const Machine& machine = gpu_machine()) {
  static std::uint64_t seed = 0;
  Prepared<Op> prepared(c, ++seed);
  const Outcome outcome = run_on_gpu(kernel, prepared, machine);
  EXPECT_EQ(outcome.refusal, "") << prepared.description();
  EXPECT_EQ(outcome.failure, "") << prepared.description();
}

inline OperandSpec f32(const char* name, const Shape& shape, const Strides& strides) {
  return {name, DType::f32, shape, strides};
}
inline OperandSpec f32(const char* name, const Shape& shape) { return f32(name, shape, row_major(shape)); }

}  // namespace tandem::test
