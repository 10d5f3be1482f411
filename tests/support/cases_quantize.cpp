// Cases of the elementwise operations between types, and on integer tensors.
#include <array>

#include "tests/support/cases.h"

namespace tandem::test {
namespace {

constexpr DType kTypes[] = {DType::s8, DType::u8};

/// What varies between the cases of Quantize and Dequantize.
struct Scaled {
  DType dtype = DType::s8;
  Shape shape;
  Strides in, out;
  int axis = -1;
  bool zero_points = false;
  bool narrow = false;
  ValueRange scale = {0x1p-8, 0x1p-6};
  std::int64_t gap = 1;  // between scales, and between zero points
  Fill fill = Fill::reals;

  Scaled(DType type, const Shape& size, int scale_axis, bool with_zero_points)
      : dtype(type),
        shape(size),
        in(row_major(size)),
        out(row_major(size)),
        axis(scale_axis),
        zero_points(with_zero_points) {}
};

template <class Op>
Case<Op> scaled_case(const Scaled& s) {
  Case<Op> c;
  c.attributes = {s.axis, s.zero_points, s.narrow && std::is_same_v<Op, Quantize>};
  const Shape count{s.axis < 0 ? 1 : s.shape[s.axis]};
  const bool quantizes = std::is_same_v<Op, Quantize>;
  ValueRange zero = zero_point_range(s.dtype);
  if (s.narrow) zero.low += 1;
  c.operands.push_back({quantizes ? "x" : "q", quantizes ? DType::f32 : s.dtype, s.shape, s.in});
  c.operands.push_back({"scales", DType::f32, count, Strides{s.gap}, s.scale});
  if (s.zero_points) c.operands.push_back({"zero_points", DType::s32, count, Strides{s.gap}, zero});
  c.operands.push_back({quantizes ? "q" : "x", quantizes ? s.dtype : DType::f32, s.shape, s.out});
  c.fill = s.fill;
  return c;
}

/// Every element offset within 64 bytes, for operands of different sizes.
template <class Op>
void place_at_offsets(std::vector<Case<Op>>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    Case<Op>& c = out[i];
    c.flush = Flush::to_start;
    for (std::size_t o = 0; o < c.operands.size(); ++o)
      c.offsets.push_back((i * (2 * o + 1) + 3 * o) % 64 / size_of(c.operands[o].dtype) * size_of(c.operands[o].dtype));
    if (c.in_place >= 0) c.offsets.back() = c.offsets[static_cast<std::size_t>(c.in_place)];
  }
}

template <class Op>
void alternate_flush(std::vector<Case<Op>>& out) {
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].offsets.empty() && i % 2 == 1) out[i].flush = Flush::to_start;
}

constexpr ValueRange kWholeScales[] = {{2, 2}, {0.5, 0.5}, {0x1p-4, 0x1p-4}, {3, 3}};  // ties, and beyond the range
constexpr ValueRange kHardScales[] = {{0x1p-149, 0x1p-140},   {0x1p-126, 0x1p-120}, {0x1p100, 0x1p127},
                                      {0.0078125, 0.0078125}, {0x1p-101, 0x1p-99},  {0x1p99, 0x1p101}};

/// Shapes that give every arrangement of loops and scales.
/// A function, since tests are registered before the objects of other files are initialised.
std::array<Shape, 5> matrices() { return {Shape{13, 20}, Shape{3, 6, 35}, Shape{1, 40}, Shape{70, 3}, Shape{2, 130}}; }

template <class Op>
std::vector<Case<Op>> scaled_cases(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Op>> out;
  std::size_t i = 0;  // turns the choices that are not written out
  const auto add = [&](Scaled s) {
    s.narrow = i % 5 == 4;
    ++i;
    out.push_back(scaled_case<Op>(s));
  };
  switch (family) {
    case Family::integers:
      for (const std::int64_t n : line_sizes())
        for (const DType dtype : kTypes) {
          Scaled s(dtype, Shape{n}, n % 3 == 0 ? 0 : -1, i % 2 == 1);
          s.fill = Fill::integers;
          s.scale = kWholeScales[i / 2 % 4];
          add(s);
        }
      break;
    case Family::reals:
    case Family::specials:
      for (const DType dtype : kTypes)
        for (const Shape& shape : {Shape{5}, Shape{64}, Shape{1000}, Shape{7, 130}})
          for (int axis = -1; axis < shape.rank(); ++axis)
            for (const bool zero_points : {false, true}) {
              Scaled s(dtype, shape, axis, zero_points);
              if (family == Family::reals) {
                add(s);
                s.scale = {0x1p-10, 0x1p-3};
                s.fill = Fill::wide;
                add(s);
              } else {
                for (const Fill fill : {Fill::specials, Fill::extremes, Fill::bits}) {
                  s.fill = fill;
                  s.scale = kHardScales[i % 6];
                  add(s);
                }
              }
            }
      break;
    case Family::shapes:
      for (const std::int64_t n : line_sizes()) {
        add(Scaled(kTypes[i % 2], Shape{n}, -1, i % 3 == 0));
        add(Scaled(kTypes[i % 2], Shape{n}, 0, i % 3 == 0));
        if (n < 600) add(Scaled(kTypes[i % 2], Shape{n, 3}, static_cast<int>(i % 3) - 1, i % 2 == 0));
        if (!small) add(Scaled(kTypes[i % 2], Shape{n % 19, n}, static_cast<int>(i % 3) - 1, i % 2 == 0));
      }
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{1, 1, 1}, Shape{3, 0, 2}, Shape{2, 1, 3, 1, 2, 1, 2, 5}})
        for (int axis = -1; axis < shape.rank(); ++axis) add(Scaled(kTypes[i % 2], shape, axis, i % 3 == 0));
      break;
    case Family::strides:
      for (const Shape& shape : matrices())
        for (const Place in : kPlaces)
          for (int to = 0; to < kResultPlaces; ++to)
            for (int axis = -1; axis < shape.rank(); ++axis) {
              if (small && i++ % 3 != 0) continue;
              Scaled s(kTypes[i % 2], shape, axis, i % 3 != 0);
              s.in = placed(in, shape, 2);
              s.out = placed(kPlaces[to], shape, 1);
              s.gap = 1 + static_cast<std::int64_t>(i / 7 % 3);
              add(s);
            }
      break;
    case Family::alignment:
      for (const Shape& shape : {Shape{19}, Shape{300}, Shape{3, 70}})
        for (int o = 0; o < 32; ++o) add(Scaled(kTypes[o % 2], shape, o % (shape.rank() + 1) - 1, o % 4 > 1));
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const Shape& shape :
           {Shape{small ? 9001 : 600001}, Shape{small ? 90 : 900, 301}, Shape{3, small ? 3001 : 100003}})
        for (int axis = -1; axis < shape.rank(); ++axis)
          for (const DType dtype : kTypes) add(Scaled(dtype, shape, axis, i % 3 == 0));
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

Case<DynamicQuantize> dynamic_case(DType dtype, Scheme scheme, int axis, const Shape& shape, const Strides& x,
                                   const Strides& q, Fill fill, std::int64_t gap = 1) {
  Case<DynamicQuantize> c;
  c.attributes = {scheme, axis};
  const Shape count{axis < 0 ? 1 : shape[axis]};
  c.operands = {{"x", DType::f32, shape, x},
                {"scales", DType::f32, count, Strides{gap}},
                {"zero_points", DType::s32, count, Strides{gap}},
                {"q", dtype, shape, q}};
  c.fill = fill;
  return c;
}

Case<Requantize> requantize_case(DType dtype, std::int32_t zero_point, bool per_channel, const Shape& shape,
                                 const Strides& acc, const Strides& q, ValueRange values, ValueRange multipliers,
                                 std::int64_t gap = 1) {
  Case<Requantize> c;
  c.attributes = {zero_point};
  c.operands = {
      {"acc", DType::s32, shape, acc, values},
      {"multipliers", DType::f32, Shape{per_channel && shape.rank() > 0 ? shape.back() : 1}, Strides{gap}, multipliers},
      {"q", dtype, shape, q}};
  return c;
}

constexpr std::int32_t kZeroPoints[] = {0, 1, 5, 127, 77, 3};  // of either type
constexpr ValueRange kAccumulators{-0x1p20, 0x1p20}, kMultipliers{0x1p-14, 0x1p-12};

Case<QuantizedRelu> relu_case(DType dtype, int axis, bool zero_points, const Shape& shape, const Strides& q,
                              const Strides& y, bool in_place, std::int64_t gap = 1) {
  Case<QuantizedRelu> c;
  c.attributes = {zero_points ? axis : -1, zero_points};
  c.operands.push_back({"q", dtype, shape, q});
  if (zero_points)
    c.operands.push_back(
        {"zero_points", DType::s32, Shape{axis < 0 ? 1 : shape[axis]}, Strides{gap}, zero_point_range(dtype)});
  c.operands.push_back({"y", dtype, shape, in_place ? q : y});
  c.fill = Fill::bits;
  c.in_place = in_place ? 0 : -1;
  return c;
}

Case<Convert> convert_case(DType from, DType to, const Shape& shape, Fill fill, const Strides& x, const Strides& y) {
  Case<Convert> c;
  c.operands = {{"x", from, shape, x}, {"y", to, shape, y}};
  c.fill = fill;
  return c;
}

}  // namespace

template <>
std::vector<Case<Convert>> cases<Convert>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Convert>> out;
  const auto add = [&](const Shape& shape, Fill fill, const Strides& x, const Strides& y) {
    for (const DType half : {DType::bf16, DType::f16}) {
      out.push_back(convert_case(DType::f32, half, shape, fill, x, y));
      out.push_back(convert_case(half, DType::f32, shape, fill, x, y));
    }
  };
  const auto plain = [&](const Shape& shape, Fill fill) { add(shape, fill, row_major(shape), row_major(shape)); };
  switch (family) {
    case Family::integers:
      for (const std::int64_t n : line_sizes()) plain(Shape{n}, Fill::integers);
      break;
    case Family::reals:
      for (const Shape& shape : {Shape{5}, Shape{1000}, Shape{7, 130}})
        for (const Fill fill : {Fill::reals, Fill::wide}) plain(shape, fill);
      break;
    case Family::specials:
      for (const Shape& shape : {Shape{5}, Shape{1000}, Shape{7, 130}})
        for (const Fill fill : {Fill::specials, Fill::extremes, Fill::tiny_integers, Fill::bits}) plain(shape, fill);
      break;
    case Family::shapes:
      for (const std::int64_t n : line_sizes()) {
        plain(Shape{n}, Fill::wide);
        plain(Shape{n % 17, n}, Fill::bits);
      }
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{1, 1, 1}, Shape{3, 0, 2}, Shape{2, 1, 3, 1, 2, 1, 2, 5}})
        plain(shape, Fill::wide);
      break;
    case Family::strides:
      for (const Shape& shape : matrices())
        for (const Place x : kPlaces)
          for (int y = 0; y < kResultPlaces; ++y)
            add(shape, Fill::wide, placed(x, shape, 2), placed(kPlaces[y], shape, 1));
      break;
    case Family::alignment:
      for (const Shape& shape : {Shape{19}, Shape{300}, Shape{3, 70}})
        for (int o = 0; o < 32; ++o) plain(shape, Fill::wide);
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const Shape& shape : {Shape{small ? 9001 : 600001}, Shape{3, small ? 3001 : 100003}})
        for (const Fill fill : {Fill::wide, Fill::bits}) plain(shape, fill);
      add(Shape{300, 401}, Fill::wide, Strides{403, 1}, Strides{1, 300});
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

template <>
std::vector<Case<Quantize>> cases<Quantize>(Family family, Backend backend) {
  return scaled_cases<Quantize>(family, backend);
}
template <>
std::vector<Case<Dequantize>> cases<Dequantize>(Family family, Backend backend) {
  return scaled_cases<Dequantize>(family, backend);
}

template <>
std::vector<Case<DynamicQuantize>> cases<DynamicQuantize>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<DynamicQuantize>> out;
  std::size_t i = 0;
  const auto add = [&](int axis, const Shape& shape, Fill fill, const Strides& x, const Strides& q,
                       std::int64_t gap = 1) {
    out.push_back(dynamic_case(kTypes[i % 2], i / 2 % 2 == 0 ? Scheme::symmetric : Scheme::asymmetric, axis, shape, x,
                               q, fill, gap));
    ++i;
  };
  const auto plain = [&](int axis, const Shape& shape, Fill fill) {
    add(axis, shape, fill, row_major(shape), row_major(shape));
  };
  switch (family) {
    case Family::integers:
    case Family::reals:
    case Family::specials:
      for (const Shape& shape :
           {Shape{1}, Shape{300}, Shape{40, 1}, Shape{20, 33}, Shape{5, 300}, Shape{70, 3}, Shape{29, 10}})
        for (const Fill fill : {Fill::integers, Fill::tiny_integers, Fill::reals, Fill::wide, Fill::specials,
                                Fill::infinities, Fill::extremes, Fill::minus_infinities, Fill::bits}) {
          const Family of = fill <= Fill::tiny_integers ? Family::integers
                            : fill <= Fill::wide        ? Family::reals
                                                        : Family::specials;
          if (of != family) continue;
          for (int axis = -1; axis < shape.rank(); ++axis)
            for (int v = 0; v < 4; ++v) plain(axis, shape, fill);
        }
      break;
    case Family::shapes:
      for (const std::int64_t n : line_sizes()) {
        plain(-1, Shape{n}, Fill::reals);
        plain(0, Shape{n % 23, n}, Fill::reals);
        if (n < 600 && !small) plain(0, Shape{n, n % 19}, Fill::reals);
        if (n < 600) plain(1, Shape{n % 17, n}, Fill::reals);
        if (n < 600 && !small) plain(1, Shape{n, n % 35}, Fill::reals);
        ++i;
      }
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{0, 4}, Shape{4, 0}, Shape{2, 3, 4, 5}})
        for (int axis = -1; axis < shape.rank(); ++axis)
          for (int v = 0; v < 4; ++v) plain(axis, shape, Fill::reals);
      break;
    case Family::strides:
      for (const Shape& shape : matrices())
        for (const Place x : kPlaces)
          for (int q = 0; q < kResultPlaces; ++q)
            for (int axis = -1; axis < shape.rank(); ++axis) {
              if (small && i++ % 3 != 0) continue;
              add(axis, shape, Fill::reals, placed(x, shape, 2), placed(kPlaces[q], shape, 1),
                  1 + static_cast<std::int64_t>(i % 3));
            }
      break;
    case Family::alignment:
      for (const Shape& shape : {Shape{19}, Shape{300}, Shape{3, 70}})
        for (int o = 0; o < 32; ++o) plain(o % (shape.rank() + 1) - 1, shape, Fill::reals);
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const Shape& shape : {Shape{small ? 9001 : 600001}, Shape{small ? 90 : 900, 301},
                                 Shape{3, small ? 3001 : 100003}, Shape{small ? 3001 : 100003, 3}})
        for (int axis = -1; axis < shape.rank(); ++axis)
          for (int v = 0; v < 4; ++v) plain(axis, shape, v == 3 ? Fill::specials : Fill::reals);
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

template <>
std::vector<Case<Requantize>> cases<Requantize>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Requantize>> out;
  std::size_t i = 0;
  const auto add = [&](const Shape& shape, const Strides& acc, const Strides& q, ValueRange values,
                       ValueRange multipliers, std::int64_t gap = 1) {
    out.push_back(requantize_case(kTypes[i % 2], kZeroPoints[i / 3 % 6], i / 2 % 2 == 1, shape, acc, q, values,
                                  multipliers, gap));
    ++i;
  };
  const auto plain = [&](const Shape& shape, ValueRange values, ValueRange multipliers) {
    add(shape, row_major(shape), row_major(shape), values, multipliers);
  };
  switch (family) {
    case Family::integers:  // halves and ties
      for (const std::int64_t n : line_sizes()) plain(Shape{n}, {-300, 300}, {0.5, 0.5});
      break;
    case Family::reals:
      for (const Shape& shape : {Shape{5}, Shape{1000}, Shape{7, 130}})
        for (int v = 0; v < 12; ++v) plain(shape, kAccumulators, kMultipliers);
      break;
    case Family::specials:  // conversions that round, and products beyond every integer
      for (const Shape& shape : {Shape{5}, Shape{1000}, Shape{7, 130}})
        for (const ValueRange multipliers : {ValueRange{0x1p-24, 0x1p-23}, ValueRange{1, 1},
                                             ValueRange{0x1p120, 0x1p127}, ValueRange{0x1p-149, 0x1p-140}})
          for (int v = 0; v < 4; ++v)
            plain(shape, v == 0 ? ValueRange{-0x1p31, -0x1p31} : ValueRange{-0x1p31, 0x7fffffff}, multipliers);
      break;
    case Family::shapes:
      for (const std::int64_t n : line_sizes())
        for (const std::int64_t rows : {std::int64_t{1}, n % 13}) plain(Shape{rows, n}, kAccumulators, kMultipliers);
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{1, 1, 1}, Shape{3, 0, 2}, Shape{2, 1, 3, 1, 2, 1, 2, 5}})
        for (int v = 0; v < 4; ++v) plain(shape, kAccumulators, kMultipliers);
      break;
    case Family::strides:
      for (const Shape& shape : matrices())
        for (const Place acc : kPlaces)
          for (int q = 0; q < kResultPlaces; ++q) {
            if (small && i++ % 3 != 0) continue;
            add(shape, placed(acc, shape, 2), placed(kPlaces[q], shape, 1), kAccumulators, kMultipliers,
                1 + static_cast<std::int64_t>(i / 5 % 2));
          }
      break;
    case Family::alignment:
      for (const Shape& shape : {Shape{19}, Shape{300}, Shape{3, 70}})
        for (int o = 0; o < 32; ++o) plain(shape, kAccumulators, kMultipliers);
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const Shape& shape :
           {Shape{small ? 9001 : 600001}, Shape{small ? 90 : 900, 301}, Shape{3, small ? 3001 : 100003}})
        for (int v = 0; v < 4; ++v) plain(shape, kAccumulators, kMultipliers);
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

template <>
std::vector<Case<QuantizedRelu>> cases<QuantizedRelu>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<QuantizedRelu>> out;
  std::size_t i = 0;
  const auto add = [&](int axis, const Shape& shape, const Strides& q, const Strides& y, bool in_place = false,
                       std::int64_t gap = 1) {
    out.push_back(relu_case(kTypes[i % 2], axis, axis >= 0 || i / 2 % 3 != 0, shape, q, y, in_place, gap));
    ++i;
  };
  const auto plain = [&](int axis, const Shape& shape, bool in_place) {
    add(axis, shape, row_major(shape), row_major(shape), in_place);
  };
  switch (family) {
    case Family::integers:
      for (const Shape& shape : {Shape{5}, Shape{256}, Shape{1000}, Shape{7, 130}})
        for (int v = 0; v < 12; ++v) plain(v % (shape.rank() + 1) - 1, shape, v % 4 == 3);
      break;
    case Family::shapes:
      for (const std::int64_t n : line_sizes()) {
        plain(-1, Shape{n}, n % 3 == 0);
        plain(0, Shape{n}, n % 3 == 1);
        plain(static_cast<int>(n % 3) - 1, Shape{n % 17, n}, n % 4 == 0);
      }
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{1, 1, 1}, Shape{3, 0, 2}, Shape{2, 1, 3, 1, 2, 1, 2, 5}})
        for (int axis = -1; axis < shape.rank(); ++axis) plain(axis, shape, i % 2 == 0);
      break;
    case Family::strides:
      for (const Shape& shape : matrices())
        for (const Place q : kPlaces)
          for (int y = 0; y < kResultPlaces; ++y)
            for (int axis = -1; axis < shape.rank(); ++axis) {
              if (small && i++ % 3 != 0) continue;
              add(axis, shape, placed(q, shape, 2), placed(kPlaces[y], shape, 1), false,
                  1 + static_cast<std::int64_t>(i / 5 % 2));
              if (static_cast<int>(q) == y) add(axis, shape, placed(q, shape), {}, true);
            }
      break;
    case Family::alignment:
      for (const Shape& shape : {Shape{19}, Shape{300}, Shape{3, 70}})
        for (int o = 0; o < 32; ++o) plain(o % (shape.rank() + 1) - 1, shape, o % 5 == 0);
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const Shape& shape :
           {Shape{small ? 9001 : 600001}, Shape{small ? 90 : 900, 301}, Shape{3, small ? 3001 : 100003}})
        for (int axis = -1; axis < shape.rank(); ++axis) plain(axis, shape, i % 2 == 0);
      break;
    case Family::reals:
      plain(-1, Shape{64}, false);
      break;
    case Family::specials:  // the ends of the types are among any bits
    case Family::batches:
      break;
  }
  alternate_flush(out);
  return out;
}

}  // namespace tandem::test
