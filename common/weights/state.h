// What a handle of weights shares.
#pragma once

#include <variant>

#include <tandem/sparse.h>
#include <tandem/weights.h>

namespace tandem {

/// The matrix in its form: dense [k, n]; quantised [k, n] with its scales; CSR of the transposed matrix [n, k].
using StoredWeights = std::variant<Tensor, QuantizedTensor, Csr>;

struct Weights::State {
  WeightForm form = WeightForm::f32;
  std::int64_t inputs = 0, outputs = 0;
  StoredWeights host;
};

/// Row-major on the host, from any place.
Tensor host_copy(Context& ctx, const ConstView& view, const char* op);
/// The same in bf16; f32 is rounded to the nearest, ties to even.
Tensor bf16_copy(Context& ctx, const ConstView& view, const char* op);

}  // namespace tandem
