// The description of a model in the metadata of a safetensors file (docs/model-format.md), as text and as a struct.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tandem/ops.h>

namespace tandem {

/// The key of the file's metadata.
inline constexpr const char* kModelKey = "tandem.model";

struct LayerDescription {
  std::string weight, bias;  ///< names of tensors; bias may be empty
  Activation activation = Activation::none;
  bool transposed = false;  ///< the weight is stored [out, in]
};

struct ModelDescription {
  std::string name;
  std::vector<LayerDescription> layers;
  bool softmax = false;
};

/// Text from a file, not trusted: at most 1 MiB, nothing unknown, missing or repeated. Nothing recurses. Throws
/// Error(io_error) that begins with `file`.
ModelDescription parse_model_description(std::string_view text, std::string_view file);

/// The inverse. Strings must be UTF-8: Error(invalid_argument) otherwise.
std::string print_model_description(const ModelDescription& description);

}  // namespace tandem
