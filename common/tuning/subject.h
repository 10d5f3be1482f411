// Between the kernels of an operation and the tuning table, which knows of texts and numbers alone.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include <tandem/error.h>

#include "common/core/stage.h"
#include "common/dispatch/registry.h"
#include "common/ops/operand.h"
#include "common/tuning/table.h"

namespace tandem::tuning {

/// The problem that a request describes, with its operands in one place. Nothing is allocated.
template <class Op>
typename Op::Problem problem_of(const Request<Op>& request) {
  static char anywhere[kMaxOperands];  // one address an operand: equal ones would mean a call in place
  std::vector<View> operands;
  for (std::size_t i = 0; i < request.operands.size(); ++i) {
    const OperandSpec& spec = request.operands[i];
    operands.emplace_back(&anywhere[i], spec.dtype, spec.shape, spec.strides, Device::cpu());
  }
  return Op::describe(request.attributes, operands);
}

/// What a text describes; nothing where the operation does not take it.
template <class Op>
std::optional<typename Op::Problem> problem_of_text(std::string_view op, std::string_view text) {
  try {
    if (const std::optional<Request<Op>> request = Op::parse(op, text)) return problem_of<Op>(*request);
  } catch (const Error&) {
  }
  return std::nullopt;
}

/// Host threads as measurements count them.
inline int threads_of(Backend backend, const Machine& machine) {
  return backend == Backend::cpu ? machine.cpu.threads : 0;
}

template <class Op>
Subject subject_of(const Entry<Op>& entry, const typename Op::Problem& problem, const Machine& machine, double prior) {
  return {entry.name,
          Op::op_name(problem),
          Op::print(problem),
          threads_of(entry.backend, machine),
          Op::flops(problem),
          Op::bytes(problem),
          prior};
}

}  // namespace tandem::tuning
