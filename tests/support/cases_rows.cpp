// Cases of Softmax, Reduce and Transpose.
#include "tests/support/cases.h"

namespace tandem::test {
namespace {

constexpr SoftmaxFn kSoftmax[] = {SoftmaxFn::softmax, SoftmaxFn::log_softmax};
constexpr ReduceFn kReduce[] = {ReduceFn::sum, ReduceFn::max, ReduceFn::dot, ReduceFn::euclidean_distance,
                                ReduceFn::cosine_similarity};
constexpr DType kDTypes[] = {DType::f32, DType::bf16, DType::f16, DType::s8, DType::u8, DType::s32};

Dims drop_dim(const Dims& dims, int axis) {
  Dims out;
  for (int d = 0; d < dims.rank(); ++d)
    if (d != axis) out.push_back(dims[d]);
  return out;
}

Case<Softmax> softmax_case(SoftmaxFn fn, const Shape& shape, int axis, Fill fill, const Strides& x, const Strides& y,
                           bool in_place = false) {
  Case<Softmax> c;
  c.attributes = {fn, axis};
  c.operands = {{"x", DType::f32, shape, x}, {"y", DType::f32, shape, in_place ? x : y}};
  c.fill = fill;
  c.in_place = in_place ? 0 : -1;
  return c;
}
Case<Softmax> softmax_case(SoftmaxFn fn, const Shape& shape, int axis, Fill fill, bool in_place = false) {
  return softmax_case(fn, shape, axis, fill, row_major(shape), row_major(shape), in_place);
}

Case<Reduce> reduce_case(ReduceFn fn, const Shape& shape, std::optional<int> axis, Fill fill, const Strides& a,
                         const Strides& b) {
  Case<Reduce> c;
  c.attributes = {fn, axis};
  c.operands.push_back({"a", DType::f32, shape, a});
  if (takes_two(fn)) c.operands.push_back({"b", DType::f32, shape, b});
  Shape result;
  c.terms = element_count(shape);
  if (axis) {
    const int at = *axis < 0 ? *axis + shape.rank() : *axis;
    result = drop_dim(shape, at);
    c.terms = shape[at];
  }
  c.operands.push_back({"out", DType::f32, result, row_major(result)});
  c.fill = fill;
  c.exact = fill == Fill::integers || fill == Fill::tiny_integers;
  return c;
}
Case<Reduce> reduce_case(ReduceFn fn, const Shape& shape, std::optional<int> axis, Fill fill) {
  return reduce_case(fn, shape, axis, fill, row_major(shape), row_major(shape));
}

bool may_be(ReduceFn fn, const Case<Reduce>& c) { return fn != ReduceFn::max || c.terms > 0; }

Case<Transpose> transpose_case(DType dtype, const Shape& shape, const Strides& x, const Strides& y) {
  Shape result = shape;
  const int r = shape.rank();
  result[r - 1] = shape[r - 2];
  result[r - 2] = shape[r - 1];
  Case<Transpose> c;
  c.operands = {{"x", dtype, shape, x}, {"y", dtype, result, y}};
  c.fill = Fill::bits;
  c.exact = true;
  return c;
}

Shape turned(const Shape& shape) {
  Shape result = shape;
  const int r = shape.rank();
  result[r - 1] = shape[r - 2];
  result[r - 2] = shape[r - 1];
  return result;
}

template <class Op>
void place_at_offsets(std::vector<Case<Op>>& out) {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i].flush = Flush::to_start;
    out[i].offsets =
        spread_offsets(static_cast<int>(i) % 16, out[i].operands.size(), size_of(out[i].operands[0].dtype));
    if (out[i].in_place >= 0) out[i].offsets.back() = out[i].offsets[static_cast<std::size_t>(out[i].in_place)];
  }
}

template <class Op>
void alternate_flush(std::vector<Case<Op>>& out) {
  for (std::size_t i = 0; i < out.size(); ++i)
    if (out[i].offsets.empty() && i % 2 == 1) out[i].flush = Flush::to_start;
}

}  // namespace

template <>
std::vector<Case<Softmax>> cases<Softmax>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Softmax>> out;
  const auto each = [&](const Shape& shape, int axis, Fill fill, bool in_place = false) {
    for (const SoftmaxFn fn : kSoftmax) out.push_back(softmax_case(fn, shape, axis, fill, in_place));
  };
  switch (family) {
    case Family::integers:
      break;  // exponentials are not whole
    case Family::reals:
      for (const Shape& shape : {Shape{1, 5}, Shape{7, 10}, Shape{33, 64}, Shape{3, 1000}})
        for (const Fill fill : {Fill::reals, Fill::integers, Fill::wide})
          for (const bool in_place : {false, true}) each(shape, -1, fill, in_place);
      break;
    case Family::specials:
      for (const Shape& shape : {Shape{40, 1}, Shape{40, 2}, Shape{40, 9}, Shape{20, 33}, Shape{5, 300}})
        for (const Fill fill : {Fill::specials, Fill::infinities, Fill::extremes, Fill::minus_infinities}) {
          each(shape, 1, fill);
          each(shape, 0, fill);
        }
      break;
    case Family::shapes:
      for (const std::int64_t n : line_sizes())
        for (const std::int64_t rows : {1, 3, static_cast<int>(n % 11), 20}) {
          if (small && rows == 3) continue;
          each(Shape{rows, n}, -1, Fill::reals, (n + rows) % 3 == 0);
          if (n < 600) each(Shape{n, rows}, 0, Fill::reals);
        }
      for (const Shape& shape : {Shape{5}, Shape{1}, Shape{0, 4}, Shape{4, 0}, Shape{2, 3, 4, 5}})
        for (int axis = -shape.rank(); axis < shape.rank(); ++axis) each(shape, axis, Fill::reals);
      break;
    case Family::strides: {
      std::size_t i = 0;
      for (const Shape& shape : {Shape{13, 20}, Shape{3, 6, 35}, Shape{1, 40}})
        for (const Place x : kPlaces)
          for (int y = 0; y < kResultPlaces; ++y)
            for (int axis = 0; axis < shape.rank(); ++axis, ++i) {
              if (small && i % 3 != 0) continue;
              out.push_back(softmax_case(kSoftmax[i / 2 % 2], shape, axis, Fill::reals, placed(x, shape, 2),
                                         placed(kPlaces[y], shape, 1)));
              if (static_cast<int>(x) == y)
                out.push_back(softmax_case(kSoftmax[i % 2], shape, axis, Fill::reals, placed(x, shape), {}, true));
            }
      break;
    }
    case Family::alignment:
      for (const Shape& shape : {Shape{3, 19}, Shape{2, 100}})
        for (int o = 0; o < 8; ++o) each(shape, -1, Fill::reals, o % 4 == 3);
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const Shape& shape : {Shape{1797, 10}, Shape{128, 1024}, Shape{1, 100003}, Shape{3, 40001}}) {
        if (small && shape[0] * shape[1] > 20000) continue;
        each(shape, 1, Fill::reals);
        each(shape, 0, Fill::reals);
      }
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

template <>
std::vector<Case<Reduce>> cases<Reduce>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Reduce>> out;
  const auto add = [&](ReduceFn fn, const Shape& shape, std::optional<int> axis, Fill fill) {
    Case<Reduce> c = reduce_case(fn, shape, axis, fill);
    if (may_be(fn, c)) out.push_back(std::move(c));
  };
  switch (family) {
    case Family::integers:
      for (const ReduceFn fn : {ReduceFn::sum, ReduceFn::max, ReduceFn::dot})
        for (const std::int64_t n : line_sizes()) {
          add(fn, Shape{n}, {}, Fill::integers);
          if (fn != ReduceFn::max || n % 4 == 0) add(fn, Shape{n}, {}, Fill::tiny_integers);
          add(fn, Shape{5, n}, 1, Fill::integers);
          add(fn, Shape{n, 9}, 0, Fill::integers);
        }
      break;
    case Family::reals:
      for (const ReduceFn fn : kReduce)
        for (const Fill fill : {Fill::reals, Fill::wide})
          for (const Shape& shape : {Shape{1}, Shape{100}, Shape{small ? 5000 : 70001}, Shape{17, 60}})
            for (int axis = -1; axis < shape.rank(); ++axis)
              add(fn, shape, axis < 0 ? std::nullopt : std::optional<int>(axis), fill);
      break;
    case Family::specials:
      for (const ReduceFn fn : kReduce)
        for (const Fill fill : {Fill::specials, Fill::infinities, Fill::extremes, Fill::minus_infinities})
          for (const Shape& shape : {Shape{60, 1}, Shape{60, 3}, Shape{40, 17}, Shape{10, 200}}) {
            add(fn, shape, 1, fill);
            add(fn, shape, 0, fill);
            add(fn, shape, {}, fill);
          }
      break;
    case Family::shapes: {
      std::size_t i = 0;
      for (const std::int64_t n : line_sizes())
        for (int v = 0; v < (small ? 2 : 5); ++v, ++i) {
          const ReduceFn fn = kReduce[(i + i / 5) % 5];
          add(fn, Shape{n}, {}, Fill::reals);
          add(fn, Shape{n % 23, n}, 1, Fill::reals);
          add(fn, Shape{n, n % 19}, 0, Fill::reals);
          if (n < 300) add(fn, Shape{3, n, 4}, 1, Fill::reals);
        }
      for (const Shape& shape : {Shape{}, Shape{0}, Shape{0, 3}, Shape{3, 0}, Shape{2, 3, 4, 5}})
        for (const ReduceFn fn : kReduce) {
          add(fn, shape, {}, Fill::reals);
          for (int axis = -shape.rank(); axis < shape.rank(); ++axis) add(fn, shape, axis, Fill::reals);
        }
      break;
    }
    case Family::strides: {
      std::size_t i = 0;
      for (const Shape& shape : {Shape{13, 20}, Shape{3, 6, 35}})
        for (const Place a : kPlaces)
          for (const Place b : kPlaces)
            for (int axis = -1; axis < shape.rank(); ++axis, ++i) {
              if (small && i % 3 != 0) continue;
              out.push_back(reduce_case(kReduce[(i + i / 4) % 5], shape,
                                        axis < 0 ? std::nullopt : std::optional<int>(axis), Fill::reals,
                                        placed(a, shape, 2), placed(b, shape)));
            }
      break;
    }
    case Family::alignment:
      for (const ReduceFn fn : kReduce)
        for (int o = 0; o < 16; ++o) add(fn, Shape{o % 2 == 0 ? 19 : 259}, {}, Fill::reals);
      place_at_offsets(out);
      break;
    case Family::threads:
      for (const ReduceFn fn : kReduce) {
        add(fn, Shape{small ? 9001 : 500009}, {}, Fill::reals);
        add(fn, Shape{small ? 90 : 1200, 301}, 1, Fill::reals);
        add(fn, Shape{small ? 90 : 1200, 301}, 0, Fill::reals);
      }
      break;
    case Family::batches:
      break;  // of a product only
  }
  alternate_flush(out);
  return out;
}

template <>
std::vector<Case<Transpose>> cases<Transpose>(Family family, Backend backend) {
  const bool small = backend == Backend::cuda;
  std::vector<Case<Transpose>> out;
  std::size_t i = 0;
  const auto add = [&](const Shape& shape, Place x, Place y, std::int64_t gap = 0) {
    const Shape result = turned(shape);
    out.push_back(transpose_case(kDTypes[i++ % 6], shape, placed(x, shape, gap), placed(y, result, gap)));
  };
  switch (family) {
    case Family::integers:
      for (const Shape& shape : {Shape{1, 1}, Shape{8, 8}, Shape{33, 65}, Shape{100, 257}, Shape{5, 3, 7}})
        for (int v = 0; v < 6; ++v) add(shape, Place::row, Place::row);
      break;
    case Family::shapes:
      for (std::int64_t rows = 0; rows <= 67; rows += small ? 3 : 1)
        for (std::int64_t cols = rows % 2; cols <= 67; cols += small ? 7 : 2)
          add(Shape{rows, cols}, Place::row, Place::row);
      for (const std::int64_t edge : {127, 128, 129, 255, 256, 257, 1000})
        for (const std::int64_t other : {1, 2, 3, 4, 7, 15, 31, 64}) {
          add(Shape{edge, other}, Place::row, Place::row);
          add(Shape{other, edge}, Place::row, Place::row);
        }
      // Past small caches: whole strips and their rests, rows of y that begin with lines and that do not.
      for (const Shape& shape : {Shape{1024, 80}, Shape{600, 70}, Shape{1101, 33}, Shape{513, 300}})
        for (int v = 0; v < (small ? 1 : 6); ++v) add(shape, Place::row, Place::row);
      break;
    case Family::strides:
      for (const Shape& shape : {Shape{13, 20}, Shape{35, 6}, Shape{64, 64}, Shape{1, 9}, Shape{9, 1}})
        for (const Place x : kPlaces)
          for (int y = 0; y < kResultPlaces; ++y) add(shape, x, kPlaces[y]);
      break;
    case Family::batches:
      for (const Shape& shape : {Shape{3, 5, 7}, Shape{2, 3, 20, 17}, Shape{0, 4, 4}, Shape{1, 33, 2}})
        for (const Place x : kPlaces)
          for (int y = 0; y < kResultPlaces; ++y) add(shape, x, kPlaces[y], y);
      break;
    case Family::alignment:
      for (const Shape& shape : {Shape{5, 9}, Shape{32, 40}, Shape{19, 64}, Shape{640, 35}})
        for (int o = 0; o < (shape[0] > 100 && small ? 2 : 32); ++o) add(shape, Place::row, Place::row);
      place_at_offsets(out);
      break;
    case Family::threads:
      if (small) {
        add(Shape{200, 150}, Place::row, Place::row);
        break;
      }
      for (int v = 0; v < 6; ++v) {
        add(Shape{700, 613}, Place::row, Place::row);
        add(Shape{40, 100, 90}, Place::padded, Place::row);
        add(Shape{3, 70001}, Place::row, Place::row);
        add(Shape{30011, 9}, Place::row, Place::row);
        add(Shape{1, 100003}, Place::row, Place::row);
      }
      break;
    case Family::reals:
    case Family::specials:
      break;  // bits are moved as they are
  }
  alternate_flush(out);
  return out;
}

}  // namespace tandem::test
