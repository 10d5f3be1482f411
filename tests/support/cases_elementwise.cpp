// Cases of Unary and Binary.
#include <array>

#include "tests/support/cases.h"

namespace tandem::test {
namespace {

constexpr UnaryFn kUnary[] = {UnaryFn::relu,    UnaryFn::gelu_erf, UnaryFn::gelu_tanh, UnaryFn::gelu_sigmoid,
                              UnaryFn::sigmoid, UnaryFn::tanh,     UnaryFn::silu,      UnaryFn::exp};
constexpr BinaryFn kBinary[] = {BinaryFn::add, BinaryFn::sub, BinaryFn::mul, BinaryFn::div,
                                BinaryFn::squared_difference};

Case<Unary> unary_case(UnaryFn fn, const Shape& shape, Fill fill, const Strides& x, const Strides& y,
                       bool in_place = false) {
  Case<Unary> c;
  c.attributes.fn = fn;
  c.operands = {{"x", DType::f32, shape, x}, {"y", DType::f32, shape, in_place ? x : y}};
  c.fill = fill;
  c.exact = fill == Fill::integers || fill == Fill::tiny_integers;
  c.in_place = in_place ? 0 : -1;
  return c;
}
Case<Unary> unary_case(UnaryFn fn, const Shape& shape, Fill fill, bool in_place = false) {
  return unary_case(fn, shape, fill, row_major(shape), row_major(shape), in_place);
}

Case<Binary> binary_case(BinaryFn fn, const OperandSpec& a, const OperandSpec& b, const Shape& shape,
                         const Strides& out, Fill fill) {
  Case<Binary> c;
  c.attributes.fn = fn;
  c.operands = {a, b, {"out", DType::f32, shape, out}};
  c.fill = fill;
  c.exact = fill == Fill::integers || fill == Fill::tiny_integers;
  c.terms = 4;
  return c;
}
Case<Binary> binary_case(BinaryFn fn, const Shape& a, const Shape& b, const Shape& shape, Fill fill) {
  return binary_case(fn, {"a", DType::f32, a, row_major(a)}, {"b", DType::f32, b, row_major(b)}, shape,
                     row_major(shape), fill);
}
Case<Binary> binary_case(BinaryFn fn, const Shape& shape, Fill fill, int in_place = -1) {
  Case<Binary> c = binary_case(fn, shape, shape, shape, fill);
  c.in_place = in_place;
  return c;
}

// Layouts of a 3-D operand: all orders of the dimensions, with and without gaps, and steps along every dimension.
std::vector<Strides> layouts(const Shape& s) {
  std::vector<Strides> all;
  constexpr int kOrders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
  for (const std::int64_t gap : {0, 3})
    for (const auto& order : kOrders) {
      Strides strides = s;
      std::int64_t step = 1;
      for (int i = 2; i >= 0; --i) {
        strides[order[i]] = step;
        step = step * s[order[i]] + gap;
      }
      all.push_back(strides);
    }
  all.push_back(Strides{3 * s[1] * s[2], 3 * s[2], 3});
  all.push_back(Strides{4 * s[1] * s[2], 2 * s[2], 2});
  return all;
}

std::vector<Strides> repeating(const Shape& s) {
  return {Strides{0, s[2], 1}, Strides{s[2], 0, 1}, Strides{s[1], 1, 0},
          Strides{0, 0, 1},    Strides{1, 0, 0},    Strides{0, 0, 0}};
}

template <class T>
void place_at_offsets(std::vector<Case<T>>& out, std::size_t from) {
  for (std::size_t i = from; i < out.size(); ++i) {
    out[i].flush = Flush::to_start;
    out[i].offsets = spread_offsets(static_cast<int>(i - from) % 16, out[i].operands.size(), sizeof(float));
    if (out[i].in_place >= 0) out[i].offsets.back() = out[i].offsets[static_cast<std::size_t>(out[i].in_place)];
  }
}

template <class T>
void alternate_flush(std::vector<Case<T>>& out) {
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].offsets.empty() && i % 2 == 1) out[i].flush = Flush::to_start;
}

}  // namespace

template <>
std::vector<Case<Unary>> cases<Unary>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Unary>> out;
  switch (family) {
    case Family::integers:
      for (const std::int64_t n : line_sizes())
        for (const Fill fill : {Fill::integers, Fill::tiny_integers})
          out.push_back(unary_case(UnaryFn::relu, Shape{n}, fill, n % 2 == 1));
      break;
    case Family::reals:
    case Family::specials:
      for (const UnaryFn fn : kUnary)
        for (const std::int64_t n : {5, 64, 1000})
          for (const bool in_place : {false, true})
            if (family == Family::reals) {
              out.push_back(unary_case(fn, Shape{n}, Fill::reals, in_place));
              out.push_back(unary_case(fn, Shape{n}, Fill::wide, in_place));
            } else {
              out.push_back(unary_case(fn, Shape{n}, Fill::specials, in_place));
              out.push_back(unary_case(fn, Shape{n}, Fill::extremes, in_place));
            }
      break;
    case Family::shapes: {
      std::size_t i = 0;
      for (const std::int64_t n : line_sizes())
        for (int v = 0; v < (small ? 2 : 8); ++v, ++i)
          out.push_back(unary_case(kUnary[(i * 3 + i / 8) % 8], Shape{n}, Fill::reals, v % 2 == 1));
      for (const Shape& shape :
           {Shape{}, Shape{1, 1, 1}, Shape{3, 0, 2}, Shape{2, 1, 3, 1, 2, 1, 2, 5}, Shape{4097, 3}})
        out.push_back(unary_case(kUnary[i++ % 8], shape, Fill::reals));
      break;
    }
    case Family::strides: {
      std::size_t i = 0;
      for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 16, 33}, Shape{1, 1, 40}, Shape{4, 1, 9}})
        for (const Strides& x : layouts(shape))
          for (const Strides& y : layouts(shape)) {
            if (small && i++ % 9 != 0) continue;
            out.push_back(unary_case(kUnary[i++ % 8], shape, Fill::reals, x, y));
          }
      for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 16, 33}}) {
        for (const Strides& x : repeating(shape)) {
          out.push_back(unary_case(kUnary[i++ % 8], shape, Fill::reals, x, row_major(shape)));
          out.push_back(unary_case(kUnary[i++ % 8], shape, Fill::reals, x, layouts(shape)[5]));
        }
        for (const Strides& x : layouts(shape))
          out.push_back(unary_case(kUnary[i++ % 8], shape, Fill::reals, x, x, true));
      }
      break;
    }
    case Family::alignment:
      for (const UnaryFn fn : {UnaryFn::relu, UnaryFn::exp})
        for (const std::int64_t n : {1, 19, 100, 259}) {
          const std::size_t from = out.size();
          for (int o = 0; o < 16; ++o) out.push_back(unary_case(fn, Shape{n}, Fill::reals, o % 4 == 3));
          place_at_offsets(out, from);
        }
      break;
    case Family::threads:
      for (const UnaryFn fn : kUnary)
        for (const std::int64_t n : {100003, small ? 4096 : 600001})
          out.push_back(unary_case(fn, Shape{n}, Fill::reals, n % 2 == 0));
      out.push_back(unary_case(UnaryFn::tanh, Shape{300, 401}, Fill::reals, Strides{403, 1}, Strides{1, 300}));
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

template <>
std::vector<Case<Binary>> cases<Binary>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Binary>> out;
  switch (family) {
    case Family::integers:
      for (const std::int64_t n : line_sizes()) {
        const BinaryFn fn = kBinary[static_cast<std::size_t>(n) % 5];
        if (fn != BinaryFn::div) out.push_back(binary_case(fn, Shape{n}, Fill::integers, static_cast<int>(n % 3) - 1));
        out.push_back(binary_case(BinaryFn::mul, Shape{n}, Fill::tiny_integers));
      }
      break;
    case Family::reals:
    case Family::specials:
      for (const BinaryFn fn : kBinary)
        for (const std::int64_t n : {5, 64, 1000})
          for (const Fill fill : {Fill::reals, Fill::wide, Fill::specials, Fill::extremes}) {
            const bool special = fill == Fill::specials || fill == Fill::extremes;
            if (special != (family == Family::specials)) continue;
            for (int in_place = -1; in_place < 2; ++in_place) out.push_back(binary_case(fn, Shape{n}, fill, in_place));
          }
      break;
    case Family::shapes: {
      std::size_t i = 0;
      for (const std::int64_t n : line_sizes())
        for (int v = 0; v < (small ? 1 : 5); ++v, ++i)
          out.push_back(binary_case(kBinary[(i + i / 5) % 5], Shape{n}, Fill::reals, static_cast<int>(i % 3) - 1));
      const std::array<Shape, 3> broadcasts[] = {{Shape{3, 4}, Shape{4}, Shape{3, 4}},
                                                 {Shape{4}, Shape{3, 4}, Shape{3, 4}},
                                                 {Shape{3, 1}, Shape{1, 4}, Shape{3, 4}},
                                                 {Shape{2, 3, 4}, Shape{3, 1}, Shape{2, 3, 4}},
                                                 {Shape{}, Shape{37}, Shape{37}},
                                                 {Shape{37}, Shape{1}, Shape{37}},
                                                 {Shape{}, Shape{}, Shape{}},
                                                 {Shape{1}, Shape{}, Shape{1}},
                                                 {Shape{5, 1, 7}, Shape{6, 1}, Shape{5, 6, 7}},
                                                 {Shape{0, 3}, Shape{3}, Shape{0, 3}},
                                                 {Shape{2, 1, 2, 1}, Shape{1, 3, 1, 9}, Shape{2, 3, 2, 9}},
                                                 {Shape{70, 129}, Shape{129}, Shape{70, 129}},
                                                 {Shape{70, 129}, Shape{70, 1}, Shape{70, 129}},
                                                 {Shape{1, 1}, Shape{33, 65}, Shape{33, 65}}};
      for (const auto& [a, b, shape] : broadcasts)
        for (const BinaryFn fn : kBinary) out.push_back(binary_case(fn, a, b, shape, Fill::reals));
      // One row for all rows, or one number for each, on either side, and written over the other operand.
      for (const std::int64_t n : {1, 2, 3, 10, 15, 16, 17, 100, 255, 256, 257})
        for (const std::int64_t rows : {2, 9, 61, 300}) {
          if ((small && rows != 9) || (n > 17 && rows > 61)) continue;
          for (const Shape& few : {Shape{n}, Shape{rows, 1}})
            for (const int side : {0, 1}) {
              const Shape all{rows, n};
              out.push_back(
                  binary_case(kBinary[++i % 5], side == 0 ? few : all, side == 0 ? all : few, all, Fill::reals));
              if (i % 3 == 0) out.back().in_place = 1 - side;
            }
        }
      break;
    }
    case Family::strides: {
      std::size_t i = 0;
      for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 16, 33}, Shape{4, 1, 9}})
        for (const Strides& a : layouts(shape))
          for (const Strides& b : layouts(shape))
            for (const Strides& y : layouts(shape)) {
              if (i++ % (small ? 61 : 7) != 0) continue;
              out.push_back(binary_case(kBinary[i % 5], {"a", DType::f32, shape, a}, {"b", DType::f32, shape, b}, shape,
                                        y, Fill::reals));
            }
      for (const Strides& a : repeating(Shape{3, 5, 7}))
        for (const Strides& b : repeating(Shape{3, 5, 7})) {
          ++i;
          out.push_back(binary_case(kBinary[i % 5], {"a", DType::f32, Shape{3, 5, 7}, a},
                                    {"b", DType::f32, Shape{3, 5, 7}, b}, Shape{3, 5, 7},
                                    layouts(Shape{3, 5, 7})[i % 12], Fill::reals));
        }
      break;
    }
    case Family::alignment:
      for (const std::int64_t n : {1, 19, 100, 259}) {
        const std::size_t from = out.size();
        for (int o = 0; o < 16; ++o)
          out.push_back(binary_case(kBinary[static_cast<std::size_t>(o + n) % 5], Shape{n}, Fill::reals));
        place_at_offsets(out, from);
      }
      break;
    case Family::threads:
      for (const BinaryFn fn : kBinary)
        out.push_back(binary_case(fn, Shape{small ? 5000 : 300007}, Fill::reals, fn == BinaryFn::sub ? 0 : -1));
      out.push_back(binary_case(BinaryFn::add, Shape{300, 401}, Shape{401}, Shape{300, 401}, Fill::reals));
      out.push_back(binary_case(BinaryFn::sub, Shape{17}, Shape{6000, 17}, Shape{6000, 17}, Fill::reals));
      out.push_back(binary_case(BinaryFn::div, Shape{9000, 11}, Shape{9000, 1}, Shape{9000, 11}, Fill::reals));
      out.push_back(binary_case(BinaryFn::mul, Shape{300, 1}, Shape{300, 401}, Shape{300, 401}, Fill::reals));
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

}  // namespace tandem::test
