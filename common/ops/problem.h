// From the name of an operation and the text of its problem to the operation's own types.
#pragma once

#include <string>
#include <string_view>

#include <fmt/ranges.h>
#include <tandem/error.h>

#include "common/ops/all.h"

namespace tandem {

/// Calls visit(request) with the Request<Op> that the operation named `op` makes of `text`. Throws
/// Error(invalid_argument) when there is no such operation, or when it cannot parse the text.
template <class Visit>
void with_problem(std::string_view op, std::string_view text, Visit visit) {
  bool known = false;
  for_each_op([&]<class Op>() {
    if (known) return;
    const std::optional<Request<Op>> request = Op::parse(op, text);
    if (!request) return;
    known = true;
    visit(*request);
  });
  if (known) return;
  std::vector<std::string> names;
  for_each_op([&]<class Op>() {
    for (const std::string& name : Op::op_names()) names.push_back(name);
  });
  throw Error(Code::invalid_argument,
              fmt::format("there is no operation '{}'; known are {}", op, fmt::join(names, ", ")));
}

}  // namespace tandem
