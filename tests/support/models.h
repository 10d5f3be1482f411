// Random models of a few layers.
#pragma once

#include <string>
#include <vector>

#include <tandem/model.h>

#include "tests/support/data.h"

namespace tandem::test {

inline Tensor random_tensor(const Shape& shape, std::uint64_t seed, float low = -1, float high = 1) {
  Tensor tensor = Tensor::empty(shape);
  fill_uniform({tensor.data<float>(), static_cast<std::size_t>(tensor.elements())}, seed, low, high);
  return tensor;
}

/// Layers between `sizes`, with a bias for every layer but the second; no activation after the last one.
inline Model random_model(const std::vector<std::int64_t>& sizes, Activation activation, std::uint64_t seed) {
  Model model;
  model.name = "random";
  for (std::size_t i = 0; i + 1 < sizes.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    Layer layer;
    layer.weight_name = "w" + number;
    layer.weight = random_tensor({sizes[i], sizes[i + 1]}, seed + 2 * i);
    if (i != 1) {
      layer.bias_name = "b" + number;
      layer.bias = random_tensor({sizes[i + 1]}, seed + 2 * i + 1);
    }
    if (i + 2 < sizes.size()) layer.activation = activation;
    model.layers.push_back(std::move(layer));
  }
  return model;
}

}  // namespace tandem::test
