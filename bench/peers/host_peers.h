// Libraries of others for the CPU, as rows beside the kernels of the table. They are found when they are asked for, by
// dlopen, and never linked; what is not installed is a row that says so.
#pragma once

#include "common/profile/run_problem.h"

namespace tandem::peers {

/// "peer.openblas.sgemm", "peer.blis.sgemm", "peer.mkl.sgemm", "peer.onednn.matmul", "peer.onednn.matmul_bf16" and
/// "peer.onednn.matmul_s8", installed or not. They use as many threads as the context that runs them, one context at a
/// time. The entries live for ever.
profile::MoreRows host_products();

}  // namespace tandem::peers
