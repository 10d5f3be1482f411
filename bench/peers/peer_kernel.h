// What the rows of peers have in common.
#pragma once

#include <limits>
#include <vector>

#include "common/dispatch/registry.h"
#include "common/ops/matmul.h"
#include "common/ops/quantized_matmul.h"

namespace tandem::peers {

inline constexpr Refusal kLayouts = "needs matrices by rows or by columns, and a result by rows";

/// What a product must be besides its types to have a counterpart elsewhere; null: it is.
inline Refusal plain(const MatmulProblem& problem) {
  if (problem.b_format != MatrixFormat::dense) return "needs a dense b";
  if (problem.bias || problem.activation != Activation::none) return "has no bias and no activation";
  if (problem.a == Layout::strided || problem.b == Layout::strided || problem.c != Layout::row) return kLayouts;
  return nullptr;
}
inline Refusal plain_f32(const MatmulProblem& problem) {
  if (problem.dtype != DType::f32 || problem.result != DType::f32) return "has a counterpart of f32 only";
  return plain(problem);
}

/// No model predicts what a peer takes.
template <class Op>
double unknown_cost(const typename Op::Problem&, const Machine&) {
  return std::numeric_limits<double>::quiet_NaN();
}

std::vector<Entry<Matmul>> blas_products();
std::vector<Entry<Matmul>> onednn_products();
std::vector<Entry<QuantizedMatmul>> onednn_quantized_products();

}  // namespace tandem::peers
