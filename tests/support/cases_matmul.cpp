// Cases of Matmul.
#include <algorithm>
#include <array>
#include <limits>

#include "tests/support/cases.h"

namespace tandem::test {
namespace {

using Size = std::array<std::int64_t, 3>;  // m, n, k

struct Product {
  Size size = {1, 1, 1};
  Shape a_batch = {}, b_batch = {};
  Place a = Place::row, b = Place::row, c = Place::row;
  std::int64_t gap = 0, bias_stride = 1;
  MatmulAttributes attributes = {};
};

Shape matrix(const Shape& batch, std::int64_t rows, std::int64_t cols) {
  Shape shape = batch;
  shape.push_back(rows);
  shape.push_back(cols);
  return shape;
}

Shape joined(const Shape& a, const Shape& b) {
  Shape out;
  const int rank = std::max(a.rank(), b.rank());
  for (int d = 0; d < rank; ++d) {
    const int da = d - (rank - a.rank()), db = d - (rank - b.rank());
    const std::int64_t sa = da < 0 ? 1 : a[da], sb = db < 0 ? 1 : b[db];
    out.push_back(sa == 1 ? sb : sa);
  }
  return out;
}

Case<Matmul> product(const Product& p, Fill fill) {
  const auto [m, n, k] = p.size;
  Case<Matmul> c;
  c.attributes = p.attributes;
  c.fill = fill;
  c.exact = fill == Fill::integers || fill == Fill::tiny_integers;
  c.terms = 8 * (k + 4);  // alpha, beta and bias add to the sum
  const auto add = [&](const char* name, const Shape& shape, Place place) {
    c.operands.push_back({name, DType::f32, shape, placed(place, shape, p.gap)});
  };
  add("a", matrix(p.a_batch, m, k), p.a);
  add("b", matrix(p.b_batch, k, n), p.b);
  if (p.attributes.bias) c.operands.push_back({"bias", DType::f32, Shape{n}, Strides{p.bias_stride}});
  add("c", matrix(joined(p.a_batch, p.b_batch), m, n), p.c);
  return c;
}

// alpha and beta are powers of two, so that integers stay exact.
MatmulAttributes exact_attributes(std::size_t i) {
  constexpr float kScales[][2] = {{1, 0}, {1, 1}, {0.5f, 0}, {2, -2}, {-1, 0.5f}, {1, 0}, {0, 1}};
  const auto& [alpha, beta] = kScales[i % std::size(kScales)];
  return {alpha, beta, i % 3 == 1 ? Activation::relu : Activation::none, i % 2 == 1};
}

MatmulAttributes real_attributes(std::size_t i) {
  constexpr float kScales[][2] = {{1, 0}, {1, 1}, {1.7f, 0}, {0.3f, -0.7f}, {-1, 0.1f}};
  const auto& [alpha, beta] = kScales[i % std::size(kScales)];
  constexpr std::size_t kActivations = static_cast<std::size_t>(Activation::silu) + 1;
  return {alpha, beta, static_cast<Activation>(i % kActivations), i % 3 == 1};
}

std::vector<Size> common_sizes(bool small) {
  std::vector<Size> sizes = {{1, 1, 1},    {2, 3, 4},    {8, 8, 8},    {17, 33, 65}, {31, 67, 13},
                             {64, 64, 64}, {1, 100, 50}, {100, 1, 50}, {5, 130, 40}, {65, 66, 33}};
  if (!small)
    for (const Size& size : {Size{40, 2, 100},
                             {23, 5, 33},
                             {16, 6, 130},
                             {16, 16, 16},
                             {129, 97, 65},
                             {128, 96, 64},
                             {5, 257, 300},
                             {1, 1, 2048},
                             {200, 3, 7},
                             {3, 200, 7},
                             {96, 96, 513},
                             {256, 256, 256},
                             {67, 600, 300},
                             {8, 512, 64},
                             {1, 512, 512}})
      sizes.push_back(size);
  return sizes;
}

void add_values(std::vector<Case<Matmul>>& out, bool exact, bool small) {
  const std::size_t variants = small ? 2 : exact ? 7 : 8;
  std::size_t i = 0;
  for (const Size& size : common_sizes(small)) {
    for (std::size_t v = 0; v < variants; ++v, ++i)
      out.push_back(product({.size = size, .attributes = exact ? exact_attributes(i) : real_attributes(i)},
                            exact ? Fill::integers : Fill::reals));
    if (exact) out.push_back(product({.size = size, .attributes = {}}, Fill::tiny_integers));
  }
  if (exact)  // an empty sum, which no alpha makes anything but 0
    for (const float alpha : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                              std::numeric_limits<float>::quiet_NaN()})
      for (const float beta : {0.0f, 2.0f})
        out.push_back(
            product({.size = {5, 7, 0}, .attributes = {alpha, beta, Activation::none, true}}, Fill::integers));
  if (!exact) out.push_back(product({.size = {4, 5, small ? 700 : 5000}, .attributes = {}}, Fill::reals));
}

void add_specials(std::vector<Case<Matmul>>& out, bool small) {
  std::vector<Size> sizes = {{1, 1, 1}, {3, 5, 7}, {19, 21, 23}, {33, 40, 65}};
  if (!small)
    for (const Size& size : {Size{8, 64, 16}, {1, 80, 30}, {70, 96, 100}, {5, 4, 300}, {40, 3, 50}})
      sizes.push_back(size);
  for (const Size& size : sizes)
    for (const Fill fill : {Fill::specials, Fill::infinities, Fill::extremes})
      for (std::size_t v = 0; v < (small ? 3u : 8u); ++v) {
        MatmulAttributes attributes = real_attributes(v);
        if (v == 2) attributes.activation = Activation::relu;
        out.push_back(product({.size = size, .attributes = attributes}, fill));
        if (v < 2) out.push_back(product({.size = size, .b = Place::column, .attributes = attributes}, fill));
      }
}

// Every pair of two sizes meets, and each meets every value of the third: a Latin square instead of the cube.
void add_square(std::vector<Case<Matmul>>& out, const std::vector<std::int64_t>& sizes) {
  std::size_t i = 0;
  for (std::size_t m = 0; m < sizes.size(); ++m)
    for (std::size_t n = 0; n < sizes.size(); ++n, ++i) {
      const std::size_t k = (m + n) % sizes.size();
      out.push_back(
          product({.size = {sizes[m], sizes[n], sizes[k]}, .attributes = exact_attributes(i)}, Fill::integers));
    }
}

void add_shapes(std::vector<Case<Matmul>>& out, bool small) {
  if (small) {
    add_square(out, {0, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 47, 64, 65, 67});
    for (const Size& size : {Size{300, 3, 5}, {3, 300, 5}, {129, 127, 9}, {2, 3, 700}, {128, 128, 16}})
      out.push_back(product({.size = size, .attributes = {}}, Fill::integers));
    return;
  }
  std::vector<std::int64_t> all;
  for (std::int64_t size = 0; size <= 67; ++size) all.push_back(size);
  add_square(out, all);
  add_square(out, {7,  8,  9,  11, 12, 13, 14, 15, 16, 17, 23, 24, 25,  27,  28, 29,
                   31, 32, 33, 47, 48, 49, 63, 64, 65, 95, 96, 97, 127, 128, 129});
  const std::int64_t far[] = {191, 192, 193, 255, 256, 257, 383, 384, 511, 512, 513, 997, 1023, 1024, 1025};
  std::size_t i = 0;
  for (const std::int64_t size : far)
    for (const std::int64_t other : {3, 17, 40})
      for (const Size& s : {Size{size, other, 20}, {other, size, 20}, {other, 20, size}, {8, other, size}})
        out.push_back(product({.size = s, .attributes = exact_attributes(i++)}, Fill::integers));
  for (const Size& size : {Size{5000, 3, 7}, {3, 5000, 7}, {2, 3, 5000}, {1, 4099, 257}, {4099, 1, 257}, {1, 1, 10007}})
    out.push_back(product({.size = size, .attributes = exact_attributes(i++)}, Fill::integers));
}

void add_strides(std::vector<Case<Matmul>>& out, bool small) {
  std::vector<Size> sizes = {{33, 50, 40}};
  if (!small)
    for (const Size& size :
         {Size{5, 7, 9}, {16, 32, 8}, {8, 40, 100}, {1, 30, 20}, {30, 1, 20}, {70, 3, 50}, {100, 7, 60}, {90, 70, 300}})
      sizes.push_back(size);
  std::size_t i = 0;
  for (const Size& size : sizes)
    for (const Place a : kPlaces)
      for (const Place b : kPlaces)
        for (int c = 0; c < kResultPlaces; ++c, ++i) {
          if (small && i % 7 != 0) continue;
          if (size[0] * size[1] * size[2] > 1000000 && i % 5 != 0) continue;
          out.push_back(product({.size = size,
                                 .a = a,
                                 .b = b,
                                 .c = kPlaces[c],
                                 .bias_stride = static_cast<std::int64_t>(i % 3),
                                 .attributes = exact_attributes(i)},
                                Fill::integers));
        }
}

void add_batches(std::vector<Case<Matmul>>& out, bool small) {
  const std::array<Shape, 2> batches[] = {
      {Shape{2}, Shape{2}},       {Shape{3}, Shape{}},     {Shape{}, Shape{3}},           {Shape{2, 3}, Shape{2, 3}},
      {Shape{2, 1}, Shape{1, 3}}, {Shape{2, 3}, Shape{3}}, {Shape{1}, Shape{4}},          {Shape{4}, Shape{1}},
      {Shape{0}, Shape{}},        {Shape{1}, Shape{0}},    {Shape{2, 1, 2}, Shape{3, 1}}, {Shape{2, 3}, Shape{2, 1}}};
  std::vector<Size> sizes = {{5, 6, 7}, {17, 33, 20}};
  if (!small)
    for (const Size& size : {Size{1, 9, 4}, {16, 16, 16}, {70, 40, 30}, {9, 1, 4}, {2, 70, 33}, {3, 4, 0}, {20, 3, 40}})
      sizes.push_back(size);
  std::size_t i = 0;
  for (const auto& [a, b] : batches)
    for (const Size& size : sizes)
      for (const Place place : {Place::row, Place::padded, Place::column, Place::strided})
        for (const std::int64_t gap : {0, 7}) {
          ++i;
          if (small && i % 3 != 0) continue;
          out.push_back(product({.size = size,
                                 .a_batch = a,
                                 .b_batch = b,
                                 .a = place,
                                 .b = kPlaces[i % 5],
                                 .c = kPlaces[(i / 2) % kResultPlaces],
                                 .gap = gap,
                                 .attributes = exact_attributes(i)},
                                Fill::integers));
        }
  // Batch items between the elements: the outermost dimension has the smallest stride.
  Case<Matmul> interleaved = product({.size = {6, 7, 5}, .a_batch = {3}, .b_batch = {3}}, Fill::integers);
  for (OperandSpec& o : interleaved.operands) o.strides = Strides{1, 3 * o.shape[2], 3};
  out.push_back(interleaved);
}

void add_alignments(std::vector<Case<Matmul>>& out, bool small) {
  std::size_t i = 0;
  for (int o = 0; o < 16; ++o)
    for (const Size& size : {Size{17, 35, 20}, {4, 16, 64}, {1, 64, 33}, {40, 70, 40}}) {
      const Place place = kPlaces[i % 4];
      if (small && ++i % 2 != 0) continue;
      Case<Matmul> c =
          product({.size = size, .a = place, .b = place, .c = kPlaces[i % 2], .attributes = exact_attributes(i)},
                  Fill::integers);
      ++i;
      c.flush = Flush::to_start;
      c.offsets = spread_offsets(o, c.operands.size(), sizeof(float));
      out.push_back(std::move(c));
    }
}

void add_threads(std::vector<Case<Matmul>>& out, bool small) {
  if (small) {  // many blocks
    out.push_back(product({.size = {300, 200, 20}, .attributes = real_attributes(1)}, Fill::reals));
    out.push_back(product({.size = {70, 70, 30}, .a_batch = {3}, .attributes = real_attributes(3)}, Fill::reals));
    return;
  }
  std::size_t i = 0;
  for (const Size& size : {Size{64, 64, 64},
                           {300, 200, 100},
                           {1, 2048, 256},
                           {2048, 1, 256},
                           {7, 1000, 333},
                           {1000, 7, 100},
                           {3000, 5, 300},
                           {256, 256, 300},
                           {90, 700, 600},
                           {8, 1500, 100},
                           {1, 300, 3000}})
    for (int v = 0; v < 2; ++v, ++i)
      out.push_back(
          product({.size = size, .b = v ? Place::column : Place::row, .attributes = real_attributes(i)}, Fill::reals));
  for (const Shape& b : {Shape{}, Shape{40}})
    out.push_back(
        product({.size = {4, 50, 60}, .a_batch = {40}, .b_batch = b, .attributes = real_attributes(1)}, Fill::reals));
  out.push_back(product({.size = {129, 257, 65}, .a_batch = {3}, .b_batch = {3}, .attributes = {}}, Fill::reals));
}

// Some of the cases of one b again with it in 2:4 storage.
void add_sparse24_cases(std::vector<Case<Matmul>>& out, std::size_t every) {
  const std::size_t count = out.size();
  for (std::size_t i = 0; i < count; i += every)
    if (out[i].operands[1].shape.rank() == 2) out.push_back(with_sparse24(out[i]));
}

// Few rows against the columns of a transposed b, and rows of a against few columns, of bf16.
void add_few_bf16(std::vector<Case<Matmul>>& out, Fill fill) {
  std::size_t i = 0;
  for (std::int64_t few = 1; few <= 9; few += fill == Fill::integers ? 1 : 3)
    for (const std::int64_t k : {31, 32, 33, 63, 64, 65, 130, 1000})
      for (const Size& size : {Size{few, 67, k}, Size{67, few, k}}) {
        const bool exact = fill == Fill::integers;
        Case<Matmul> c = product({.size = size,
                                  .b = few == size[0] ? Place::column : Place::row,
                                  .attributes = exact ? exact_attributes(i) : real_attributes(i)},
                                 fill);
        c.operands[0].dtype = c.operands[1].dtype = DType::bf16;
        if (i++ % 2 == 0) c.operands.back().dtype = DType::bf16;
        out.push_back(std::move(c));
      }
}

// Some of the cases again with bf16 operands, and in turn f32 and bf16 results. Denormals are not what this type keeps.
void add_bf16(std::vector<Case<Matmul>>& out, std::size_t every) {
  const std::size_t count = out.size();
  for (std::size_t i = 0; i < count; i += every) {
    if (out[i].fill == Fill::tiny_integers) continue;
    Case<Matmul> c = out[i];
    c.operands[0].dtype = c.operands[1].dtype = DType::bf16;
    if (i / every % 2 == 0) c.operands.back().dtype = DType::bf16;
    for (std::size_t o = 0; o < c.offsets.size(); ++o)
      if (c.operands[o].dtype == DType::bf16) c.offsets[o] /= 2;
    out.push_back(std::move(c));
  }
}

}  // namespace

template <>
std::vector<Case<Matmul>> cases<Matmul>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Matmul>> out;
  switch (family) {
    case Family::integers:
      add_values(out, true, small);
      break;
    case Family::reals:
      add_values(out, false, small);
      break;
    case Family::specials:
      add_specials(out, small);
      break;
    case Family::shapes:
      add_shapes(out, small);
      break;
    case Family::strides:
      add_strides(out, small);
      break;
    case Family::batches:
      add_batches(out, small);
      break;
    case Family::alignment:
      add_alignments(out, small);
      break;
    case Family::threads:
      add_threads(out, small);
      break;
  }
  add_bf16(out, family == Family::shapes || family == Family::strides || family == Family::batches ? 5 : 3);
  if (family == Family::shapes && !small) add_few_bf16(out, Fill::integers);
  if (family == Family::reals && !small) add_few_bf16(out, Fill::reals);
  if (family == Family::specials && !small) add_few_bf16(out, Fill::specials);
  add_sparse24_cases(out, family == Family::shapes || family == Family::strides || family == Family::batches ? 5 : 2);
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].offsets.empty() && i % 2 == 1) out[i].flush = Flush::to_start;
  return out;
}

template <>
void make_legal<Matmul>(const Case<Matmul>&, std::span<const View> operands, std::uint64_t seed) {
  Matmul::fill_structure(operands, seed);
}

}  // namespace tandem::test
