// From the text of a problem to the problem itself, without memory for its operands.
#pragma once

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include <tandem/error.h>

#include "common/core/stage.h"
#include "common/ops/operand.h"

namespace tandem {

/// Views of the operands with nothing behind them, which describe() and the staging arithmetic never touch. They are on
/// `devices`, or on the host where none are given. One address an operand: equal ones would mean a call in place.
template <class Op>
std::vector<View> views_without_memory(const Request<Op>& request, std::span<const Device> devices = {}) {
  static char anywhere[kMaxOperands];
  std::vector<View> operands;
  for (std::size_t i = 0; i < request.operands.size(); ++i) {
    const OperandSpec& spec = request.operands[i];
    operands.emplace_back(&anywhere[i], spec.dtype, spec.shape, spec.strides,
                          devices.empty() ? Device::cpu() : devices[i]);
  }
  return operands;
}

/// The problem that a request describes, with its operands in one place.
template <class Op>
typename Op::Problem problem_of(const Request<Op>& request) {
  return Op::describe(request.attributes, views_without_memory(request));
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

}  // namespace tandem
