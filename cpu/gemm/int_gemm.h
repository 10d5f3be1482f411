// Integer products on the loops of gemm.h: what the s8 kernels share.
#pragma once

#include "common/ops/quantized_matmul.h"
#include "cpu/gemm/gemm.h"

namespace tandem::cpu {

/// GemmCall::fused of integer products.
struct IntStoreArgs {
  const QuantizedMatmulArgs* args = nullptr;
  std::int32_t shift = 0;  // what packing added to a
};

/// Scratch of int_gemm(), whatever the strides.
std::size_t int_gemm_workspace(const GemmSet& set, std::int64_t m, std::int64_t n, std::int64_t k,
                               const Machine& machine);

/// c, with `set` for the type of a; `shift` is what its packing adds to a.
void int_gemm(const GemmSet& set, std::int32_t shift, const QuantizedMatmulArgs& args, const Queue& queue,
              Workspace workspace);

}  // namespace tandem::cpu
