// Models of linear layers: read from safetensors files, pruned and calibrated here, run by Network.
//
// Errors: Error(invalid_argument) names the function and the offending value, unless stated.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/ops.h>
#include <tandem/safetensors.h>
#include <tandem/tensor.h>

namespace tandem {

/// activation(x @ weight + bias).
struct Layer {
  std::string weight_name, bias_name;  ///< of the tensors in the file; bias_name is empty where there is no bias
  Tensor weight;                       ///< f32 [in, out], row-major, on the host
  Tensor bias;                         ///< f32 [out] on the host; no dimensions where there is none
  Activation activation = Activation::none;

  bool has_bias() const noexcept { return !bias_name.empty(); }
  std::int64_t inputs() const noexcept { return weight.shape()[0]; }
  std::int64_t outputs() const noexcept { return weight.shape()[1]; }
};

/// At least one layer, each taking what the one before gives; then softmax along a row where asked for.
struct Model {
  std::string name;  ///< for people; may be empty
  std::vector<Layer> layers;
  bool softmax = false;

  std::int64_t inputs() const noexcept { return layers.front().inputs(); }
  std::int64_t outputs() const noexcept { return layers.back().outputs(); }
  /// Elements of all weights, without biases.
  std::int64_t weights() const noexcept;
};

/// Reads a safetensors file whose metadata describes a model (docs/model-format.md). Files are not trusted: every
/// tensor must be used once, f32, finite, and fit its neighbours. Throws as load_safetensors does, and Error(io_error)
/// that names the file and what is wrong with the description.
Model load_model(const std::string& path, std::int64_t max_bytes = kSafetensorsMaxBytes);

/// Writes a file that load_model reads. Throws as save_safetensors does, and for a model that load_model would refuse.
void save_model(const std::string& path, const Model& model);

/// A copy with exactly pruned_count(sparsity, model.weights()) weights of the least magnitude, over all layers, set to
/// 0; biases stay. Throws as prune_magnitude of <tandem/prune.h>.
Model prune_magnitude(const Model& model, double sparsity);

/// A copy whose weights are 2:4 along their inputs: of each four weights of an output the two largest stay.
Model prune_2_4(const Model& model);

}  // namespace tandem
