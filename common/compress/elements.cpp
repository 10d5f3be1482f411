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

namespace {

/// Calls visit(i, value) for each element, all of them f32 and finite.
template <class Visit>
void for_each_finite(std::string_view function, std::string_view operand, const ConstView& view, Visit visit) {
  const float* base = static_cast<const float*>(view.data());
  for_each_element(view, [&](std::int64_t i, std::int64_t offset) {
    const float value = base[offset];
    if (!std::isfinite(value))
      throw Error(Code::invalid_argument, fmt::format("{}: element {} of {}, shape {}, is {}", function, i, operand,
                                                      to_string(view.shape()), value));
    visit(static_cast<std::size_t>(i), value);
  });
}

}  // namespace

void require_finite(std::string_view function, std::string_view operand, const ConstView& view) {
  require_dtype(function, operand, view, DType::f32);
  require_host(function, operand, view);
  for_each_finite(function, operand, view, [](std::size_t, float) {});
}

std::vector<float> finite_values(std::string_view function, std::string_view operand, const ConstView& view) {
  require_dtype(function, operand, view, DType::f32);
  require_host(function, operand, view);
  std::vector<float> values(static_cast<std::size_t>(view.elements()));
  for_each_finite(function, operand, view, [&](std::size_t i, float value) { values[i] = value; });
  return values;
}

}  // namespace tandem::compress
