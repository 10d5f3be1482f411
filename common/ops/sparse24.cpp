#include "common/ops/sparse24.h"

#include <cstring>
#include <random>

#include <fmt/format.h>

namespace tandem {
namespace {

std::int64_t groups_of(std::int64_t k) { return k / 4 + (k % 4 != 0 ? 1 : 0); }

}  // namespace

Sparse24Rows sparse24_rows(const View& values, const View& metadata) {
  return {values.data(), static_cast<const std::uint8_t*>(metadata.data()), values.shape()[1] / 2};
}

void add_sparse24(std::vector<OperandSpec>& operands, DType dtype, std::int64_t n, std::int64_t k) {
  const std::int64_t groups = groups_of(k);
  const Shape values{n, 2 * groups}, metadata{n, (groups + 1) / 2};
  element_count(values);
  operands.push_back({"b", dtype, values, row_major(values)});
  operands.push_back({"b_places", DType::u8, metadata, row_major(metadata)});
}

void fill_sparse24(const View& values, const View& metadata, std::int64_t k, std::uint64_t seed) {
  constexpr unsigned kPairs[6] = {0b0100, 0b1000, 0b1100, 0b1001, 0b1101, 0b1110};  // the second place above the first
  std::mt19937_64 random(seed);
  const Sparse24Rows rows = sparse24_rows(values, metadata);
  const std::size_t size = size_of(values.dtype());
  auto* bytes = static_cast<unsigned char*>(metadata.data());
  auto* data = static_cast<unsigned char*>(values.data());
  for (std::int64_t j = 0; j < values.shape()[0]; ++j, bytes += rows.metadata_bytes()) {
    std::memset(bytes, 0, static_cast<std::size_t>(rows.metadata_bytes()));
    for (std::int64_t g = 0; g < rows.groups; ++g, data += 2 * size) {
      const unsigned pair = kPairs[random() % 6];
      bytes[g / 2] = static_cast<unsigned char>(bytes[g / 2] | pair << (g % 2 * 4));
      for (const unsigned which : {0u, 1u})  // nothing but zeros beyond the end of a row
        if (g * 4 + (pair >> (2 * which) & 3u) >= k) std::memset(data + which * size, 0, size);
    }
  }
}

double sparse24_bytes(DType dtype, std::int64_t n, std::int64_t k) {
  const std::int64_t groups = groups_of(k);
  return static_cast<double>(n) *
         (sparse24_depth(k) * static_cast<double>(size_of(dtype)) + static_cast<double>((groups + 1) / 2));
}

double sparse24_depth(std::int64_t k) { return 2.0 * static_cast<double>(groups_of(k)); }

void check_sparse24_operand(std::string_view op, const Sparse24& b, DType dtype, std::int64_t k) {
  if (b.cols != k)
    throw Error(Code::invalid_argument,
                fmt::format("{}: inner dimensions differ (a has {} columns, the 2:4 matrix is {}x{}, one row a result "
                            "column)",
                            op, k, b.rows, b.cols));
  require_dtype(op, "the tensor of 2:4 values", b.values, dtype);
  require_dtype(op, "the 2:4 metadata", b.metadata, DType::u8);
  const Shape values{b.rows, 2 * b.groups()}, metadata{b.rows, (b.groups() + 1) / 2};
  if (!(b.values.shape() == values) || !(b.metadata.shape() == metadata) || !b.values.view().is_contiguous() ||
      !b.metadata.view().is_contiguous())
    throw Error(Code::invalid_argument,
                fmt::format("{}: 2:4 values are {} and metadata {}, a {}x{} matrix needs {} and {}, row-major", op,
                            to_string(b.values.shape()), to_string(b.metadata.shape()), b.rows, b.cols,
                            to_string(values), to_string(metadata)));
}

}  // namespace tandem
