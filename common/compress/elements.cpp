#include "common/compress/elements.h"

#include <cmath>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/ops/operand.h"

namespace tandem::compress {

void refuse(std::string_view function, const std::string& why) {
  throw Error(Code::invalid_argument, fmt::format("{}: {}", function, why));
}

void require_host(std::string_view function, std::string_view operand, const ConstView& view) {
  if (!view.device().is_cpu())
    throw Error(Code::invalid_argument, fmt::format("{}: {} is on {}; bring it to the host first", function, operand,
                                                    to_string(view.device())));
}

std::vector<float> finite_values(std::string_view function, std::string_view operand, const ConstView& view) {
  require_dtype(function, operand, view, DType::f32);
  require_host(function, operand, view);
  const float* base = static_cast<const float*>(view.data());
  std::vector<float> values(static_cast<std::size_t>(view.elements()));
  for_each_element(view, [&](std::int64_t i, std::int64_t offset) {
    const float value = base[offset];
    if (!std::isfinite(value))
      throw Error(Code::invalid_argument, fmt::format("{}: element {} of {}, shape {}, is {}", function, i, operand,
                                                      to_string(view.shape()), value));
    values[static_cast<std::size_t>(i)] = value;
  });
  return values;
}

}  // namespace tandem::compress
