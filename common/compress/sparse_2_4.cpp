// 2:4 storage. Elements are moved as bits of their size, so that one code serves every dtype.
#include <algorithm>
#include <bit>
#include <utility>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/sparse.h>

#include "common/compress/elements.h"
#include "common/compress/sparse_2_4.h"
#include "common/ops/operand.h"

namespace tandem {
namespace {

using compress::refuse;

/// Calls visit with an unsigned integer of the dtype's size and a mask of the bits that make an element differ from 0:
/// all, but not the sign of a floating type.
template <class Visit>
void with_bits(std::string_view function, DType dtype, Visit visit) {
  switch (dtype) {
    case DType::f32:
      return visit(std::uint32_t{0x7fffffff});
    case DType::bf16:
    case DType::f16:
      return visit(std::uint16_t{0x7fff});
    case DType::s8:
    case DType::u8:
      return visit(std::uint8_t{0xff});
    case DType::s32:
      break;
  }
  refuse(function, fmt::format("{} is not supported, only f32, bf16, f16, s8 and u8", name(dtype)));
}

/// The two places of a group that are stored: the nonzero ones, and the lowest others where there are fewer.
struct Places {
  int first = 0, second = 1;
};

Places places_of(unsigned nonzero) {
  int chosen[2] = {0, 1};
  int count = 0;
  for (int place = 0; place < 4; ++place)
    if (nonzero >> place & 1u) chosen[count++] = place;
  if (count == 0) return {};
  if (count == 1) return chosen[0] == 0 ? Places{0, 1} : Places{0, chosen[0]};
  return {chosen[0], chosen[1]};
}

/// Elements `group * 4 + place` of a row of `cols`, zeros beyond the end.
template <class Bits>
void load_group(const Bits* row, std::int64_t step, std::int64_t cols, std::int64_t group, Bits (&out)[4]) {
  for (std::int64_t place = 0; place < 4; ++place) {
    const std::int64_t column = group * 4 + place;
    out[place] = column < cols ? row[column * step] : Bits{0};
  }
}

template <class Bits>
void store_rows(const ConstView& matrix, Bits magnitude, const compress::Words24& words, Sparse24& out) {
  const std::int64_t groups = out.groups();
  auto* values = static_cast<Bits*>(out.values.view().data());
  std::uint8_t* metadata = out.metadata.data<std::uint8_t>();
  for (std::int64_t row = 0; row < out.rows; ++row, values += 2 * groups, metadata += (groups + 1) / 2) {
    const Bits* from = static_cast<const Bits*>(matrix.data()) + row * matrix.strides()[0];
    for (std::int64_t group = 0; group < groups; ++group) {
      Bits elements[4];
      load_group(from, matrix.strides()[1], out.cols, group, elements);
      unsigned nonzero = 0;
      for (unsigned place = 0; place < 4; ++place) {
        if ((elements[place] & magnitude) == 0) elements[place] = 0;
        if (elements[place] != 0) nonzero |= 1u << place;
      }
      if (std::popcount(nonzero) > 2)
        refuse(words.function,
               fmt::format("{} {}, {} {} to {} hold {} nonzero elements, 2:4 allows 2", words.row, row, words.columns,
                           group * 4, std::min(group * 4 + 3, out.cols - 1), std::popcount(nonzero)));
      const Places places = places_of(nonzero);
      values[2 * group] = elements[places.first];
      values[2 * group + 1] = elements[places.second];
      metadata[group / 2] |= static_cast<std::uint8_t>((places.first | places.second << 2) << (group % 2 * 4));
    }
  }
}

Places stored_places(const Sparse24& sparse, std::int64_t row, std::int64_t group) {
  const std::uint8_t* metadata = sparse.metadata.data<std::uint8_t>() + row * ((sparse.groups() + 1) / 2);
  const int bits = metadata[group / 2] >> (group % 2 * 4);
  return {bits & 3, bits >> 2 & 3};
}

template <class Bits>
void check_rows(const Sparse24& sparse, Bits magnitude) {
  const std::int64_t groups = sparse.groups(), line = (groups + 1) / 2;
  const auto* values = static_cast<const Bits*>(sparse.values.view().data());
  for (std::int64_t row = 0; row < sparse.rows; ++row) {
    for (std::int64_t group = 0; group < groups; ++group) {
      const Places places = stored_places(sparse, row, group);
      if (places.first >= places.second)
        refuse("check_2_4", fmt::format("row {}, group {} stores the places {} and {}, which do not ascend", row, group,
                                        places.first, places.second));
      const Bits* pair = values + (row * groups + group) * 2;
      for (const auto& [place, value] : {std::pair(places.first, pair[0]), std::pair(places.second, pair[1])})
        if (group * 4 + place >= sparse.cols && (value & magnitude) != 0)
          refuse("check_2_4", fmt::format("row {} stores a nonzero element in column {} of {}", row, group * 4 + place,
                                          sparse.cols));
    }
    if (groups % 2 == 1 && sparse.metadata.data<std::uint8_t>()[row * line + line - 1] >> 4 != 0)
      refuse("check_2_4", fmt::format("row {} has metadata for a group beyond its end", row));
  }
}

}  // namespace

Sparse24 compress::store_2_4(const ConstView& matrix, const Words24& words) {
  require_host(words.function, "the matrix", matrix);
  if (matrix.rank() != 2) refuse(words.function, fmt::format("shape {} is not a matrix", to_string(matrix.shape())));
  Sparse24 out{matrix.size(0), matrix.size(1), {}, {}};
  with_bits(words.function, matrix.dtype(), [&](auto magnitude) {
    out.values = Tensor::empty({out.rows, 2 * out.groups()}, matrix.dtype());
    out.metadata = Tensor::zeros({out.rows, (out.groups() + 1) / 2}, DType::u8);
    store_rows(matrix, magnitude, words, out);
  });
  return out;
}

Sparse24 to_2_4(ConstView matrix) { return compress::store_2_4(matrix, {"to_2_4"}); }

void check_2_4(const Sparse24& sparse) {
  if (sparse.rows < 0 || sparse.cols < 0)
    refuse("check_2_4", fmt::format("a matrix of {} rows and {} columns", sparse.rows, sparse.cols));
  compress::require_host("check_2_4", "the tensor of values", sparse.values);
  compress::require_host("check_2_4", "the metadata", sparse.metadata);
  require_dtype("check_2_4", "the metadata", sparse.metadata, DType::u8);
  const std::int64_t groups = sparse.groups();
  const Shape values{sparse.rows, 2 * groups}, metadata{sparse.rows, (groups + 1) / 2};
  if (!(sparse.values.shape() == values) || !(sparse.metadata.shape() == metadata) ||
      !sparse.values.view().is_contiguous() || !sparse.metadata.view().is_contiguous())
    refuse("check_2_4", fmt::format("values are {} and metadata {}, a {}x{} matrix needs {} and {}, row-major",
                                    to_string(sparse.values.shape()), to_string(sparse.metadata.shape()), sparse.rows,
                                    sparse.cols, to_string(values), to_string(metadata)));
  with_bits("check_2_4", sparse.values.dtype(), [&](auto magnitude) { check_rows(sparse, magnitude); });
}

Tensor to_dense(const Sparse24& sparse) {
  check_2_4(sparse);
  Tensor dense = Tensor::zeros({sparse.rows, sparse.cols}, sparse.values.dtype());
  const std::int64_t groups = sparse.groups();
  with_bits("to_dense", sparse.values.dtype(), [&]<class Bits>(Bits) {
    auto* out = static_cast<Bits*>(dense.view().data());
    const auto* values = static_cast<const Bits*>(sparse.values.view().data());
    for (std::int64_t row = 0; row < sparse.rows; ++row)
      for (std::int64_t group = 0; group < groups; ++group, values += 2) {
        const Places places = stored_places(sparse, row, group);
        const std::int64_t first = group * 4 + places.first, second = group * 4 + places.second;
        if (first < sparse.cols) out[row * sparse.cols + first] = values[0];
        if (second < sparse.cols) out[row * sparse.cols + second] = values[1];
      }
  });
  return dense;
}

}  // namespace tandem
