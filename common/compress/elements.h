// Elements of host views in row-major order, and what the functions on them refuse.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <tandem/tensor.h>

namespace tandem::compress {

/// Calls visit(i, offset) with the number and the element offset of each element of `view`, in row-major order.
template <class Visit>
void for_each_element(const ConstView& view, Visit visit) {
  Dims index = view.shape();
  for (int d = 0; d < view.rank(); ++d) index[d] = 0;
  std::int64_t offset = 0;
  for (std::int64_t i = 0; i < view.elements(); ++i) {
    visit(i, offset);
    for (int d = view.rank() - 1; d >= 0; --d) {
      offset += view.strides()[d];
      if (++index[d] < view.size(d)) break;
      offset -= view.size(d) * view.strides()[d];
      index[d] = 0;
    }
  }
}

/// Throws Error(invalid_argument): "<function>: <why>".
[[noreturn]] void refuse(std::string_view function, const std::string& why);

/// Throws Error(invalid_argument) that names `function` when the view is on a GPU.
void require_host(std::string_view function, std::string_view operand, const ConstView& view);

/// Throws Error(invalid_argument) when the elements are not f32 on the host, or one is a NaN or an infinity.
void require_finite(std::string_view function, std::string_view operand, const ConstView& view);

/// The elements of an operand copied into row-major order. Throws Error(invalid_argument) when they are not f32 on the
/// host, or one is a NaN or an infinity.
std::vector<float> finite_values(std::string_view function, std::string_view operand, const ConstView& view);

}  // namespace tandem::compress
