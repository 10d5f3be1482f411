// Libraries of others for the CPU, as rows beside the kernels of the table. They are found when they are asked for, by
// dlopen, and never linked; what is not installed is a row that says so.
#pragma once

#include <vector>

#include "common/dispatch/registry.h"
#include "common/ops/matmul.h"

namespace tandem::peers {

/// "peer.openblas.sgemm", "peer.blis.sgemm", "peer.mkl.sgemm", "peer.onednn.matmul", installed or not. They use as many
/// threads as the context that runs them, one context at a time. The entries live for ever.
std::vector<Entry<Matmul>> host_products();

}  // namespace tandem::peers
