#include <tandem/model.h>

#include <cmath>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/prune.h>

#include "common/core/stage.h"
#include "common/io/untrusted.h"
#include "common/model/description.h"
#include "common/model/fault.h"

namespace tandem {
namespace {

/// Row-major copy of a vector or a matrix.
Tensor copy_of(const ConstView& view) {
  Tensor copy = Tensor::empty(view.shape());
  if (view.elements() > 0) copy_strided(copy.view(), view);
  return copy;
}

bool finite(const ConstView& tensor) {
  const float* values = tensor.as<float>();
  for (std::int64_t i = 0; i < tensor.elements(); ++i)
    if (!std::isfinite(values[i])) return false;
  return true;
}

/// What load_model refuses, as a sentence about one layer; empty when the layer is in order. `inputs` is what the layer
/// before gives, -1 for the first.
std::string fault_of(const Layer& layer, std::int64_t inputs) {
  const auto tensor_fault = [](const Tensor& tensor, const std::string& name, int rank) -> std::string {
    const std::string text = io::printable(name);
    if (tensor.dtype() != DType::f32)
      return fmt::format("tensor '{}' is {}, only f32 is supported", text, tandem::name(tensor.dtype()));
    if (tensor.shape().rank() != rank || tensor.elements() == 0)
      return fmt::format("tensor '{}' holds {}, not a {}", text, to_string(tensor.shape()),
                         rank == 2 ? "matrix" : "vector");
    if (!finite(tensor)) return fmt::format("tensor '{}' holds a NaN or an infinity", text);
    return "";
  };
  if (std::string fault = tensor_fault(layer.weight, layer.weight_name, 2); !fault.empty()) return fault;
  if (inputs >= 0 && layer.inputs() != inputs)
    return fmt::format("'{}' takes {} inputs, the layer before gives {}", io::printable(layer.weight_name),
                       layer.inputs(), inputs);
  if (!layer.has_bias()) return "";
  if (std::string fault = tensor_fault(layer.bias, layer.bias_name, 1); !fault.empty()) return fault;
  if (layer.bias.elements() != layer.outputs())
    return fmt::format("'{}' holds {} numbers for {} outputs", io::printable(layer.bias_name), layer.bias.elements(),
                       layer.outputs());
  return "";
}

/// The model with other weights; the rest is copied.
template <class WeightOf>
Model with_weights(const Model& model, WeightOf weight_of) {
  Model out;
  out.name = model.name;
  out.softmax = model.softmax;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    out.layers.push_back({layer.weight_name, layer.bias_name, weight_of(i),
                          layer.has_bias() ? copy_of(layer.bias.view()) : Tensor(), layer.activation});
  }
  return out;
}

}  // namespace

std::string model_fault(const Model& model) {
  if (model.layers.empty()) return "there are no layers";
  std::set<std::string> names;
  std::int64_t inputs = -1;
  for (std::size_t i = 0; i < model.layers.size(); ++i) {
    const Layer& layer = model.layers[i];
    std::string fault = fault_of(layer, inputs);
    for (const std::string& name : {layer.weight_name, layer.bias_name})
      if (!name.empty() && !names.insert(name).second)
        fault = fmt::format("tensor '{}' is used twice", io::printable(name));
    if (!fault.empty()) return fmt::format("layer {}: {}", i + 1, fault);
    inputs = layer.outputs();
  }
  return "";
}

std::int64_t Model::weights() const noexcept {
  std::int64_t count = 0;
  for (const Layer& layer : layers) count += layer.weight.elements();
  return count;
}

Model load_model(const std::string& path, std::int64_t max_bytes) {
  SafetensorsFile file = load_safetensors(path, max_bytes);
  const auto refuse = [&](const std::string& sentence) {
    throw Error(Code::io_error, fmt::format("{}: {}: {}", path, kModelKey, sentence));
  };
  const auto text = file.metadata.find(kModelKey);
  if (text == file.metadata.end())
    throw Error(Code::io_error,
                fmt::format("{}: the metadata has no '{}', so this is no model that can be run", path, kModelKey));
  ModelDescription description = parse_model_description(text->second, path);
  std::set<std::string> used;
  const auto take = [&](const std::string& name, std::size_t layer) {
    const auto found = file.tensors.find(name);
    if (found == file.tensors.end())
      refuse(fmt::format("layer {}: there is no tensor '{}'", layer, io::printable(name)));
    if (!used.insert(name).second)
      refuse(fmt::format("layer {}: tensor '{}' is used twice", layer, io::printable(name)));
    return std::move(found->second);
  };
  Model model;
  model.name = std::move(description.name);
  model.softmax = description.softmax;
  for (LayerDescription& entry : description.layers) {
    const std::size_t number = model.layers.size() + 1;
    Layer layer{std::move(entry.weight), std::move(entry.bias), {}, {}, entry.activation};
    layer.weight = take(layer.weight_name, number);
    if (layer.has_bias()) layer.bias = take(layer.bias_name, number);
    if (entry.transposed && layer.weight.dtype() == DType::f32 && layer.weight.shape().rank() == 2)
      layer.weight = copy_of(layer.weight.view().transposed());
    model.layers.push_back(std::move(layer));
  }
  for (const auto& tensor : file.tensors)
    if (!used.contains(tensor.first)) refuse(fmt::format("no layer uses tensor '{}'", io::printable(tensor.first)));
  if (const std::string fault = model_fault(model); !fault.empty()) refuse(fault);
  return model;
}

void save_model(const std::string& path, const Model& model) {
  if (const std::string fault = model_fault(model); !fault.empty())
    throw Error(Code::invalid_argument, fmt::format("save_model: {}", fault));
  ModelDescription description{model.name, {}, model.softmax};
  std::map<std::string, ConstView> tensors;
  for (const Layer& layer : model.layers) {
    description.layers.push_back({layer.weight_name, layer.bias_name, layer.activation, false});
    tensors.emplace(layer.weight_name, layer.weight);
    if (layer.has_bias()) tensors.emplace(layer.bias_name, layer.bias);
  }
  save_safetensors(path, tensors, {{kModelKey, print_model_description(description)}});
}

Model prune_magnitude(const Model& model, double sparsity) {
  std::vector<ConstView> weights;
  for (const Layer& layer : model.layers) weights.push_back(layer.weight);
  PrunedModel pruned = prune_magnitude(std::span<const ConstView>(weights), sparsity);
  return with_weights(model, [&](std::size_t i) { return std::move(pruned.tensors[i].values); });
}

Model prune_2_4(const Model& model) {
  return with_weights(model, [&](std::size_t i) { return prune_2_4(model.layers[i].weight, 0).values; });
}

}  // namespace tandem
