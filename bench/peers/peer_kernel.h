// What the rows of peers have in common.
#pragma once

#include <limits>

#include "common/ops/matmul.h"
#include "common/profile/run_problem.h"

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

// Each library adds its rows.
void add_blas(profile::MoreRows& more);
void add_onednn(profile::MoreRows& more);
void add_xnnpack(profile::MoreRows& more);

}  // namespace tandem::peers
