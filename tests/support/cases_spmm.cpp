// Cases of Spmm.
#include <algorithm>
#include <array>

#include "tests/support/cases.h"
#include "tests/support/data.h"

namespace tandem::test {
namespace {

using Size = std::array<std::int64_t, 3>;  // m, n, k

struct Product {
  Size size = {1, 1, 1};
  double density = 0.2;
  Place b = Place::row, c = Place::row;
  bool bias_rows = false;  // one value a row, instead of one a column
  std::int64_t bias_stride = 1;
  SpmmAttributes attributes = {};
};

Case<Spmm> product(const Product& p, Fill fill) {
  const auto [m, n, k] = p.size;
  const auto stored = static_cast<std::int64_t>(p.density * static_cast<double>(m * k));
  Case<Spmm> c;
  c.attributes = p.attributes;
  c.fill = fill;
  c.exact = fill == Fill::integers;
  c.terms = 2 * (k + 1);
  c.operands.push_back({"row_offsets", DType::s32, Shape{m + 1}, Strides{1}});
  c.operands.push_back({"columns", DType::s32, Shape{stored}, Strides{1}});
  c.operands.push_back({"values", DType::f32, Shape{stored}, Strides{1}});
  c.operands.push_back({"b", DType::f32, Shape{k, n}, placed(p.b, Shape{k, n})});
  if (p.attributes.bias && p.bias_rows)
    c.operands.push_back({"bias", DType::f32, Shape{m, 1}, Strides{p.bias_stride, 1}});
  else if (p.attributes.bias)
    c.operands.push_back({"bias", DType::f32, Shape{n}, Strides{p.bias_stride}});
  c.operands.push_back({"c", DType::f32, Shape{m, n}, placed(p.c, Shape{m, n})});
  return c;
}

SpmmAttributes exact_attributes(std::size_t i) {
  return {i % 3 == 1 ? Activation::relu : Activation::none, i % 2 == 1};
}
SpmmAttributes real_attributes(std::size_t i) {
  constexpr std::size_t kActivations = static_cast<std::size_t>(Activation::silu) + 1;
  return {static_cast<Activation>(i % kActivations), i % 3 == 1};
}

constexpr double kDensities[] = {0.2, 0.0, 1.0, 0.05, 0.6};

std::vector<Size> common_sizes(bool small) {
  std::vector<Size> sizes = {{1, 1, 1},    {2, 3, 4},    {8, 8, 8},   {17, 33, 65}, {31, 67, 13}, {64, 64, 64},
                             {1, 100, 50}, {100, 1, 50}, {19, 2, 77}, {3, 4, 90},   {5, 130, 40}, {65, 66, 33}};
  if (!small)
    for (const Size& size :
         {Size{129, 97, 65}, {37, 1, 1025}, {65, 4, 300}, {5, 257, 300}, {200, 3, 7}, {96, 96, 513}, {40, 600, 300}})
      sizes.push_back(size);
  return sizes;
}

void add_shapes(std::vector<Case<Spmm>>& out, bool small) {
  std::size_t i = 0;
  const auto add = [&](const Size& size) {
    out.push_back(product(
        {.size = size, .density = kDensities[i % 5], .bias_rows = i % 4 == 1, .attributes = exact_attributes(i)},
        Fill::integers));
    ++i;
  };
  for (std::int64_t m = 0; m <= 67; m += small ? 6 : 1)
    for (std::int64_t n = m % 2; n <= 67; n += small ? 9 : 2) add({m, n, (m * 7 + n * 3) % 68});
  for (const std::int64_t edge : {127, 128, 129, 191, 255, 256, 257, 1000})
    for (const std::int64_t other : {1, 3, 31, 64}) {
      add({edge, other, 20});
      add({other, edge, 20});
      add({other, 20, edge});
    }
}

void add_strides(std::vector<Case<Spmm>>& out, bool small) {
  std::size_t i = 0;
  for (const Size& size : {Size{33, 50, 40}, {5, 7, 9}, {1, 30, 20}, {30, 1, 20}, {70, 140, 90}})
    for (const Place b : kPlaces)
      for (int c = 0; c < kResultPlaces; ++c, ++i) {
        if (small && i % 4 != 0) continue;
        out.push_back(product({.size = size,
                               .b = b,
                               .c = kPlaces[c],
                               .bias_rows = i % 3 == 0,
                               .bias_stride = static_cast<std::int64_t>(i % 3),
                               .attributes = exact_attributes(i)},
                              Fill::integers));
      }
}

}  // namespace

// Rows of different kinds, by the seed: alike, heavy at one end, or all elements in a few rows.
template <>
void make_legal<Spmm>(const Case<Spmm>&, std::span<const View> operands, std::uint64_t seed) {
  const std::int64_t rows = operands[0].elements() - 1, cols = operands[3].shape()[0];
  const std::int64_t stored = operands[1].elements();
  auto* offsets = static_cast<std::int32_t*>(operands[0].data());
  auto* columns = static_cast<std::int32_t*>(operands[1].data());
  Random random(seed);
  std::vector<std::int64_t> length(static_cast<std::size_t>(rows), 0);
  for (std::int64_t left = stored; left > 0;) {
    const std::int64_t any = random.integer(0, rows - 1), other = random.integer(0, rows - 1);
    const std::int64_t row = seed % 3 == 0 ? any : seed % 3 == 1 ? std::min(any, other) : any / 8 * 8;
    // Where that row is full, the next one that is not takes the element.
    std::int64_t at = row;
    while (length[static_cast<std::size_t>(at)] == cols) at = (at + 1) % rows;
    ++length[static_cast<std::size_t>(at)];
    --left;
  }
  offsets[0] = 0;
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int64_t wanted = length[static_cast<std::size_t>(row)];
    std::int32_t next = offsets[row];
    for (std::int64_t column = 0; column < cols && wanted > 0; ++column)
      if (random.integer(1, cols - column) <= wanted) {
        columns[next++] = static_cast<std::int32_t>(column);
        --wanted;
      }
    offsets[row + 1] = next;
  }
}

template <>
std::vector<Case<Spmm>> cases<Spmm>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Spmm>> out;
  std::size_t i = 0;
  switch (family) {
    case Family::integers:
    case Family::reals:
      for (const Size& size : common_sizes(small))
        for (std::size_t v = 0; v < (small ? 2u : 8u); ++v, ++i)
          out.push_back(product({.size = size,
                                 .density = kDensities[i % 5],
                                 .b = i % 3 == 2 ? Place::column : Place::row,
                                 .bias_rows = i % 4 == 1,
                                 .attributes = family == Family::integers ? exact_attributes(i) : real_attributes(i)},
                                family == Family::integers ? Fill::integers : Fill::reals));
      break;
    case Family::specials:
      for (const Size& size : {Size{1, 1, 1}, {3, 5, 7}, {19, 21, 23}, {33, 40, 65}, {70, 96, 100}})
        for (const Fill fill : {Fill::specials, Fill::infinities, Fill::extremes})
          for (std::size_t v = 0; v < 8; ++v, ++i)
            out.push_back(product({.size = size,
                                   .density = kDensities[i % 5],
                                   .b = i % 3 == 2 ? Place::column : Place::row,
                                   .attributes = real_attributes(v)},
                                  fill));
      break;
    case Family::shapes:
      add_shapes(out, small);
      break;
    case Family::strides:
      add_strides(out, small);
      break;
    case Family::batches:
      break;  // matrices only
    case Family::alignment:
      for (int o = 0; o < 16; ++o)
        for (const Size& size : {Size{17, 35, 20}, {4, 16, 64}, {40, 70, 40}, {80, 1, 70}}) {
          Case<Spmm> c = product({.size = size, .attributes = exact_attributes(i++)}, Fill::integers);
          c.flush = Flush::to_start;
          c.offsets = spread_offsets(o, c.operands.size(), sizeof(float));
          out.push_back(std::move(c));
        }
      break;
    case Family::threads:
      for (const Size& size :
           {Size{300, 200, 100}, {1000, 7, 333}, {7, 1000, 333}, {256, 256, 300}, {2000, 64, 50}, {3000, 1, 400}})
        for (const Place b : {Place::row, Place::column}) {
          if (small && size[0] * size[1] > 10000) continue;
          out.push_back(product({.size = size, .b = b, .attributes = real_attributes(i++)}, Fill::reals));
        }
      break;
  }
  for (std::size_t at = 0; at < out.size(); ++at)
    if (out[at].offsets.empty() && at % 2 == 1) out[at].flush = Flush::to_start;
  return out;
}

}  // namespace tandem::test
