// What makes a model one that cannot be run.
#pragma once

#include <string>

#include <tandem/model.h>

namespace tandem {

/// A sentence without a subject, such as "layer 2: 'w2' takes 4 inputs, the layer before gives 3"; empty when the model
/// is in order.
std::string model_fault(const Model& model);

}  // namespace tandem
