// Libraries of others for the CPU, as rows beside the kernels of the table. They are found when they are asked for, by
// dlopen, and never linked; what is not installed is a row that says so.
#pragma once

#include "common/profile/run_problem.h"

namespace tandem::peers {

/// "peer.openblas.sgemm", "peer.blis.sgemm", "peer.mkl.sgemm", "peer.onednn.matmul", "peer.onednn.matmul_bf16",
/// "peer.onednn.matmul_s8", "peer.xnnpack.unary", "peer.xnnpack.softmax" and "peer.xnnpack.dequantize", installed or
/// not. They use as many threads as the context that runs them, one context at a time. The entries live for ever.
profile::MoreRows host_peers();

}  // namespace tandem::peers
