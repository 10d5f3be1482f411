// What can be compared: operations, problem grammar, kernels.
#pragma once

#include <string>

#include <tandem/context.h>

namespace tandem::compare {

/// Names, grammar and kernels of every operation.
std::string list_everything(Context& ctx);

}  // namespace tandem::compare
