// Cases of QuantizedMatmul.
#include <array>
#include <cmath>

#include "common/ops/quantized_matmul.h"
#include "tests/support/cases.h"

namespace tandem::test {
namespace {

using Size = std::array<std::int64_t, 3>;  // m, n, k

struct IntProduct {
  Size size = {1, 1, 1};
  DType a_type = DType::s8;
  DType result = DType::f32;
  Place a = Place::row, b = Place::row, c = Place::row;
  bool per_row = false, per_column = false;
  bool za = false, zb = false;
  QuantizedBias bias = QuantizedBias::none;
  Activation activation = Activation::none;
  std::int32_t result_zero_point = 0;
  std::int64_t gap = 1;
  ValueRange a_values, b_values;  // [0, 0]: anything
};

Case<QuantizedMatmul> product(const IntProduct& p) {
  const auto [m, n, k] = p.size;
  Case<QuantizedMatmul> c;
  QuantizedMatmulAttributes& attributes = c.attributes;
  attributes.a_zero_points = p.za;
  attributes.b_zero_points = p.zb;
  attributes.bias = p.bias;
  attributes.activation = p.activation;
  const bool small = p.result == DType::s8 || p.result == DType::u8;
  if (small) {
    attributes.result_scale = 0.03f * std::sqrt(static_cast<float>(k + 1));
    attributes.result_zero_point = p.result_zero_point;
  }
  const auto matrix = [&](const char* name, DType dtype, std::int64_t rows, std::int64_t cols, Place place) {
    const Shape shape{rows, cols};
    c.operands.push_back({name, dtype, shape, placed(place, shape)});
  };
  const auto vector = [&](const char* name, DType dtype, std::int64_t count, ValueRange range) {
    c.operands.push_back({name, dtype, Shape{count}, Strides{p.gap}, range});
  };
  matrix("a", p.a_type, m, k, p.a);
  if (p.a_values.low != p.a_values.high || p.a_values.low != 0) c.operands.back().range = p.a_values;
  matrix("b", DType::s8, k, n, p.b);
  if (p.b_values.low != p.b_values.high || p.b_values.low != 0) c.operands.back().range = p.b_values;
  const std::int64_t rows = p.per_row ? m : 1, columns = p.per_column ? n : 1;
  if (p.result != DType::s32) {
    vector("sa", DType::f32, rows, kScaleRange);
    vector("sb", DType::f32, columns, kScaleRange);
  }
  if (p.za) vector("za", DType::s32, rows, zero_point_range(p.a_type));
  if (p.zb) vector("zb", DType::s32, columns, zero_point_range(DType::s8));
  if (p.bias == QuantizedBias::s32) vector("bias", DType::s32, n, {-5000, 5000});
  if (p.bias == QuantizedBias::f32) vector("bias", DType::f32, n, {-2, 2});
  matrix("c", p.result, m, n, p.c);
  c.fill = Fill::bits;
  return c;
}

constexpr DType kInputs[] = {DType::s8, DType::u8};
constexpr DType kResults[] = {DType::s32, DType::f32, DType::s8, DType::u8};
constexpr std::int32_t kResultZeroPoints[] = {0, 1, 37, 127, 5};  // in both ranges

/// Turns everything that is no size through its choices.
IntProduct varied(const Size& size, std::size_t i) {
  IntProduct p;
  p.size = size;
  p.a_type = kInputs[i % 2];
  p.result = kResults[i / 2 % 4];
  p.per_row = i / 3 % 2 == 1;
  p.per_column = i / 5 % 2 == 1;
  p.za = i / 7 % 3 == 1;
  p.zb = i / 7 % 3 == 2 || i % 11 == 3;
  p.bias = i % 3 == 1                             ? QuantizedBias::s32
           : i % 3 == 2 && p.result == DType::f32 ? QuantizedBias::f32
                                                  : QuantizedBias::none;
  p.activation = i / 11 % 2 == 1 ? Activation::relu : Activation::none;
  p.result_zero_point = kResultZeroPoints[i % 5];
  p.gap = 1 + static_cast<std::int64_t>(i / 13 % 2);
  return p;
}

}  // namespace

template <>
std::vector<Case<QuantizedMatmul>> cases<QuantizedMatmul>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<QuantizedMatmul>> out;
  std::size_t i = 0;
  const auto add = [&](const Size& size) { out.push_back(product(varied(size, i++))); };
  switch (family) {
    case Family::integers: {  // the ends of the types, where a saturating or a 16-bit step would show
      constexpr ValueRange kLow{-128, -128}, kHigh{127, 127}, kTop{255, 255}, kEnds{-128, -127};
      for (const std::int64_t k : {1, 2, 3, 63, 64, 65, 1000, small ? 1024 : 4096})
        for (const DType result : {DType::s32, DType::f32})
          for (int v = 0; v < 6; ++v) {
            IntProduct p = varied({5, 18, k}, static_cast<std::size_t>(v) * 14);  // without zero points
            p.za = p.zb = false;
            p.b = v % 2 == 1 ? Place::column : Place::row;
            p.a_type = v < 4 ? DType::s8 : DType::u8;
            p.result = result;
            p.bias = QuantizedBias::none;
            p.a_values = v < 2 ? kLow : v == 2 ? kHigh : v == 3 ? kEnds : kTop;
            p.b_values = v == 0 || v == 4 ? kLow : v == 3 ? kEnds : kHigh;
            out.push_back(product(p));
          }
      break;
    }
    case Family::reals:
      for (const Size& size : {Size{1, 1, 1}, Size{17, 33, 100}, Size{4, 64, 65}})
        for (int v = 0; v < (small ? 24 : 80); ++v) add(size);
      for (const Activation activation : {Activation::gelu_erf, Activation::gelu_tanh, Activation::gelu_sigmoid,
                                          Activation::sigmoid, Activation::tanh, Activation::silu})
        for (int v = 0; v < 4; ++v) {
          IntProduct p = varied({7, 20, 30}, i++);
          p.result = DType::f32;
          p.activation = activation;
          out.push_back(product(p));
        }
      break;
    case Family::shapes: {
      const std::int64_t step = small ? 9 : 3;
      for (std::int64_t m = 0; m <= 67; m += step)
        for (std::int64_t n = m % 2; n <= 67; n += step)
          for (std::int64_t k = (m + n) % 3; k <= 67; k += small ? 13 : 9) add({m, n, k});
      for (const std::int64_t edge : {127, 128, 129, 255, 256, 257})
        for (const Size& size :
             {Size{edge, 3, 5}, Size{3, edge, 5}, Size{3, 5, edge}, Size{1, edge, 64}, Size{edge, 1, 64}})
          add(size);
      for (const Size& size : {Size{1, 1, 4096}, Size{0, 5, 5}, Size{5, 0, 5}, Size{5, 5, 0}, Size{0, 0, 0}})
        for (int v = 0; v < 8; ++v) add(size);
      // Few rows against the columns of a transposed b, and rows of a against few columns: dot products along k, where
      // it is as long as a vector.
      for (std::int64_t few = 1; few <= (small ? 2 : 9); ++few)
        for (const std::int64_t k : {15, 16, 31, 33, 63, 64, 65, 130, 1000})
          for (const Size& size : {Size{few, 67, k}, Size{67, few, k}}) {
            IntProduct p = varied(size, i++);
            if (few == size[0]) p.b = Place::column;
            out.push_back(product(p));
          }
      break;
    }
    case Family::strides:
      for (const Size& size : {Size{13, 21, 18}, Size{1, 40, 9}, Size{9, 1, 40}})
        for (const Place a : kPlaces)
          for (const Place b : kPlaces)
            for (int c = 0; c < kResultPlaces; ++c) {
              if (small && i++ % 7 != 0) continue;
              IntProduct p = varied(size, i++);
              p.a = a;
              p.b = b;
              p.c = kPlaces[c];
              out.push_back(product(p));
            }
      break;
    case Family::alignment:
      for (std::size_t o = 0; o < 64; ++o) {
        add({5, 19, 33});
        Case<QuantizedMatmul>& c = out.back();
        c.flush = Flush::to_start;
        for (std::size_t j = 0; j < c.operands.size(); ++j) {
          const std::size_t size = size_of(c.operands[j].dtype);
          c.offsets.push_back((o * (2 * j + 1) + 3 * j) % 64 / size * size);
        }
      }
      break;
    case Family::threads:
      for (const Size& size : {Size{200, 150, 120}, Size{1, 2000, 300}, Size{700, 9, 200}, Size{64, 64, 2000},
                               Size{1, 4099, 70}, Size{3, 2080, 70}}) {
        if (small && size[0] * size[1] * size[2] > 1500000) continue;
        for (int v = 0; v < (small ? 3 : 8); ++v) add(size);
      }
      break;
    case Family::specials:  // of floats only
    case Family::batches:
      break;
  }
  for (std::size_t c = 0, dense = out.size(); c < dense; c += 4) out.push_back(with_sparse24(out[c]));
  for (std::size_t c = 1; c < out.size(); c += 2)
    if (out[c].offsets.empty()) out[c].flush = Flush::to_start;
  return out;
}

template <>
void make_legal<QuantizedMatmul>(const Case<QuantizedMatmul>&, std::span<const View> operands, std::uint64_t seed) {
  QuantizedMatmul::fill_structure(operands, seed);
}

}  // namespace tandem::test
