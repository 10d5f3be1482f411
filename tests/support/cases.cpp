#include "tests/support/cases.h"

#include <algorithm>

#include "tests/support/shapes.h"

namespace tandem::test {

Strides placed(Place place, const Shape& shape, std::int64_t gap) {
  const int r = shape.rank();
  const std::int64_t rows = shape[r - 2], cols = shape[r - 1];
  std::int64_t row = 0, col = 0;
  switch (place) {
    case Place::row:
      row = cols, col = 1;
      break;
    case Place::padded:
      row = cols + 5, col = 1;
      break;
    case Place::column:
      row = 1, col = rows;
      break;
    case Place::column_padded:
      row = 1, col = rows + 3;
      break;
    case Place::strided:
      row = 3 * cols + 2, col = 3;
      break;
    case Place::repeat_rows:
      row = 0, col = 1;
      break;
    case Place::repeat_columns:
      row = 1, col = 0;
      break;
    case Place::repeat_all:
      break;
  }
  Strides strides = shape;
  strides[r - 2] = row;
  strides[r - 1] = col;
  std::int64_t item =
      (std::max<std::int64_t>(rows, 1) - 1) * row + (std::max<std::int64_t>(cols, 1) - 1) * col + 1 + gap;
  for (int d = r - 3; d >= 0; --d) {
    strides[d] = item;
    item *= std::max<std::int64_t>(shape[d], 1);
  }
  return strides;
}

std::vector<std::size_t> spread_offsets(int o, std::size_t operands, std::size_t element_bytes) {
  std::vector<std::size_t> offsets;
  for (std::size_t i = 0; i < operands; ++i)
    offsets.push_back(static_cast<std::size_t>((o * static_cast<int>(2 * i + 1) + static_cast<int>(3 * i)) % 16) *
                      element_bytes);
  return offsets;
}

std::string describe(const std::vector<OperandSpec>& operands, Fill fill, bool in_place) {
  constexpr const char* kFills[] = {"whole numbers",
                                    "whole multiples of the smallest denormal",
                                    "reals",
                                    "reals of all exponents",
                                    "special values",
                                    "special values without NaN",
                                    "ends of the range",
                                    "mostly -infinity",
                                    "any bits"};
  std::string text;
  for (const OperandSpec& o : operands) {
    text += o.name + " " + std::string(name(o.dtype)) + ":" + to_string(o.shape) + " [";
    for (int d = 0; d < o.strides.rank(); ++d) text += (d ? "," : "") + std::to_string(o.strides[d]);
    text += "], ";
  }
  return text + kFills[static_cast<std::size_t>(fill)] + (in_place ? ", in place" : "");
}

std::vector<std::int64_t> line_sizes() {
  std::vector<std::int64_t> sizes = all_sizes(0, 67);
  for (const std::int64_t edge : {96, 128, 192, 256, 512, 1024, 4096})
    for (const std::int64_t size : {edge - 1, edge, edge + 1}) sizes.push_back(size);
  for (const std::int64_t prime : {101, 997, 7919}) sizes.push_back(prime);
  return sizes;
}

}  // namespace tandem::test
