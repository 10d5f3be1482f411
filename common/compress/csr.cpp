// Compressed sparse rows.
#include <limits>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/sparse.h>

#include "common/compress/elements.h"
#include "common/ops/operand.h"

namespace tandem {
namespace {

using compress::refuse;

constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();

void require_line(const Tensor& tensor, std::string_view what, DType dtype, std::int64_t elements) {
  require_dtype("check_csr", what, tensor, dtype);
  compress::require_host("check_csr", what, tensor);
  if (!(tensor.shape() == Shape{elements}))
    refuse("check_csr", fmt::format("{} has shape {}, not {}", what, to_string(tensor.shape()), elements));
}

}  // namespace

double Csr::density() const noexcept {
  const double all = static_cast<double>(rows) * static_cast<double>(cols);
  return all == 0 ? 0 : static_cast<double>(stored()) / all;
}

Csr to_csr(ConstView matrix) {
  require_dtype("to_csr", "the matrix", matrix, DType::f32);
  compress::require_host("to_csr", "the matrix", matrix);
  if (matrix.rank() != 2) refuse("to_csr", fmt::format("shape {} is not a matrix", to_string(matrix.shape())));
  Csr csr{matrix.size(0), matrix.size(1), {}, {}, {}};
  if (csr.cols > kMost) refuse("to_csr", fmt::format("{} columns are above the limit of {}", csr.cols, kMost));
  if (csr.rows == std::numeric_limits<std::int64_t>::max()) refuse("to_csr", "too many rows");
  const float* base = static_cast<const float*>(matrix.data());
  const auto is_stored = [&](std::int64_t offset) { return !(base[offset] == 0.0f); };  // NaN too
  csr.row_offsets = Tensor::zeros({csr.rows + 1}, DType::s32);
  std::int32_t* offsets = csr.row_offsets.data<std::int32_t>();
  std::int64_t stored = 0;
  compress::for_each_element(matrix, [&](std::int64_t i, std::int64_t offset) {
    if (!is_stored(offset)) return;
    if (++stored > kMost) refuse("to_csr", fmt::format("more than {} elements are not 0", kMost));
    ++offsets[i / csr.cols + 1];
  });
  for (std::int64_t row = 0; row < csr.rows; ++row) offsets[row + 1] += offsets[row];
  csr.columns = Tensor::empty({stored}, DType::s32);
  csr.values = Tensor::empty({stored});
  std::int32_t* columns = csr.columns.data<std::int32_t>();
  float* values = csr.values.data<float>();
  compress::for_each_element(matrix, [&](std::int64_t i, std::int64_t offset) {
    if (!is_stored(offset)) return;
    *columns++ = static_cast<std::int32_t>(i % csr.cols);
    *values++ = base[offset];
  });
  return csr;
}

void check_csr(const Csr& csr) {
  if (csr.rows < 0 || csr.cols < 0 || csr.cols > kMost || csr.rows == std::numeric_limits<std::int64_t>::max())
    refuse("check_csr", fmt::format("a matrix of {} rows and {} columns", csr.rows, csr.cols));
  require_line(csr.row_offsets, "row_offsets", DType::s32, csr.rows + 1);
  require_line(csr.columns, "columns", DType::s32, csr.columns.elements());
  require_line(csr.values, "values", DType::f32, csr.columns.elements());
  const std::int32_t *offsets = csr.row_offsets.data<std::int32_t>(), *columns = csr.columns.data<std::int32_t>();
  if (offsets[0] != 0) refuse("check_csr", fmt::format("row_offsets starts with {}, not 0", offsets[0]));
  for (std::int64_t row = 0; row < csr.rows; ++row)
    if (offsets[row + 1] < offsets[row])
      refuse("check_csr",
             fmt::format("row_offsets falls from {} to {} at row {}", offsets[row], offsets[row + 1], row));
  if (offsets[csr.rows] != csr.stored())
    refuse("check_csr",
           fmt::format("row_offsets ends with {}, but {} elements are stored", offsets[csr.rows], csr.stored()));
  for (std::int64_t row = 0; row < csr.rows; ++row)
    for (std::int64_t i = offsets[row]; i < offsets[row + 1]; ++i) {
      if (columns[i] < 0 || columns[i] >= csr.cols)
        refuse("check_csr", fmt::format("row {} has column {} of {}", row, columns[i], csr.cols));
      if (i > offsets[row] && columns[i] <= columns[i - 1])
        refuse("check_csr", fmt::format("row {} has column {} after column {}", row, columns[i], columns[i - 1]));
    }
}

Tensor to_dense(const Csr& csr) {
  check_csr(csr);
  Tensor dense = Tensor::zeros({csr.rows, csr.cols});
  float* out = dense.data<float>();
  const std::int32_t *offsets = csr.row_offsets.data<std::int32_t>(), *columns = csr.columns.data<std::int32_t>();
  const float* values = csr.values.data<float>();
  for (std::int64_t row = 0; row < csr.rows; ++row)
    for (std::int64_t i = offsets[row]; i < offsets[row + 1]; ++i) out[row * csr.cols + columns[i]] = values[i];
  return dense;
}

}  // namespace tandem
