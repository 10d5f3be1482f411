#include "common/compress/elements.h"

#include <cmath>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/ops/operand.h"

namespace tandem::compress {

void require_host(std::string_view function, std::string_view operand, const ConstView& view) {
  if (!view.device().is_cpu())
    throw Error(Code::invalid_argument, fmt::format("{}: {} is on {}; bring it to the host first", function, operand,
                                                    to_string(view.device())));
}

std::vector<float> finite_weights(std::string_view function, const ConstView& weights) {
  require_dtype(function, "the tensor of weights", weights, DType::f32);
  require_host(function, "the tensor of weights", weights);
  const float* base = static_cast<const float*>(weights.data());
  std::vector<float> values(static_cast<std::size_t>(weights.elements()));
  for_each_element(weights, [&](std::int64_t i, std::int64_t offset) {
    const float value = base[offset];
    if (!std::isfinite(value))
      throw Error(Code::invalid_argument,
                  fmt::format("{}: weight {} of shape {} is {}", function, i, to_string(weights.shape()), value));
    values[static_cast<std::size_t>(i)] = value;
  });
  return values;
}

}  // namespace tandem::compress
