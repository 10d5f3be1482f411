// Two layers with fewer units between them.
#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/prune.h>

#include "common/compress/elements.h"

namespace tandem {
namespace {

template <class... Values>
Error refused(fmt::format_string<Values...> text, Values&&... values) {
  return Error(Code::invalid_argument, "narrow_layers: " + fmt::format(text, std::forward<Values>(values)...));
}

void check(const ConstView& w1, const ConstView& b1, const ConstView& w2, std::span<const std::int64_t> kept) {
  if (w1.rank() != 2 || w2.rank() != 2 || w1.size(1) != w2.size(0))
    throw refused("w1 is {} and w2 is {}, but the columns of one must be the rows of the other", to_string(w1.shape()),
                  to_string(w2.shape()));
  const std::int64_t units = w1.size(1);
  if (b1.rank() != 0 && !(b1.shape() == Shape{units}))
    throw refused("b1 is {}, but w1 has {} columns", to_string(b1.shape()), units);
  std::int64_t least = 0;
  for (const std::int64_t unit : kept) {
    if (unit < least || unit >= units)
      throw refused("unit {} is kept, but only ascending ones below {} can be", unit, units);
    least = unit + 1;
  }
}

}  // namespace

NarrowedLayers narrow_layers(ConstView w1, ConstView b1, ConstView w2, std::span<const std::int64_t> kept) {
  check(w1, b1, w2, kept);
  const auto count = static_cast<std::int64_t>(kept.size());
  const std::int64_t inputs = w1.size(0), units = w1.size(1), outputs = w2.size(1);
  NarrowedLayers out;
  out.w1 = Tensor::empty({inputs, count});
  out.w2 = Tensor::empty({count, outputs});
  const std::vector<float> first = compress::finite_values("narrow_layers", "w1", w1);
  const std::vector<float> second = compress::finite_values("narrow_layers", "w2", w2);
  for (std::int64_t j = 0; j < count; ++j) {
    const std::int64_t unit = kept[static_cast<std::size_t>(j)];
    for (std::int64_t i = 0; i < inputs; ++i)
      out.w1.data<float>()[i * count + j] = first[static_cast<std::size_t>(i * units + unit)];
    std::copy_n(second.data() + unit * outputs, outputs, out.w2.data<float>() + j * outputs);
  }
  if (b1.rank() == 0) return out;
  const std::vector<float> bias = compress::finite_values("narrow_layers", "b1", b1);
  out.b1 = Tensor::empty({count});
  for (std::int64_t j = 0; j < count; ++j)
    out.b1.data<float>()[j] = bias[static_cast<std::size_t>(kept[static_cast<std::size_t>(j)])];
  return out;
}

}  // namespace tandem
