// Which overlaps of a result with an input are allowed, and that all others are refused before anything is written.
#include <cstring>

#include "tests/support/calls.h"

namespace tandem::test::aliasing_test {
namespace {

constexpr std::int64_t kN = 240;

class Aliasing : public ::testing::Test {
 protected:
  void SetUp() override {
    fill(View(memory_, {4 * kN}), Fill::reals, 0, 1, 11);
    std::memcpy(before_, memory_, sizeof memory_);
  }
  View at(std::int64_t offset, const Shape& shape) { return View(memory_ + offset, shape); }
  View at(std::int64_t offset, const Shape& shape, const Strides& strides) {
    return View(memory_ + offset, DType::f32, shape, strides);
  }
  ConstView old(const ConstView& v) const {
    return ConstView(before_ + (static_cast<const float*>(v.data()) - memory_), v.dtype(), v.shape(), v.strides());
  }
  template <class Call>
  void expect_refused(const char* op, const Call& call) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::invalid_argument) << op;
    EXPECT_TRUE(has(error.what(), std::string(op) + ": the result")) << error.what();
    EXPECT_EQ(std::memcmp(memory_, before_, sizeof memory_), 0) << op << " wrote before it refused";
  }
  template <class Op>
  void expect_right(const typename Op::Attributes& attributes, std::vector<ConstView> operands, const View& result) {
    std::vector<View> before;
    for (const ConstView& v : operands) before.push_back(as_operand(old(v)));
    before.push_back(as_operand(result));
    EXPECT_EQ(judged<Op>(attributes, before, result), "");
    std::memcpy(memory_, before_, sizeof memory_);
  }

  Context ctx_;
  float memory_[4 * kN];
  float before_[4 * kN];
};

TEST_F(Aliasing, ElementwiseWorksInPlace) {
  for (const View& v : {at(0, {kN}), at(3, {kN}), at(0, {12, 20}).transposed(), at(0, {12, 20}, {23, 1}),
                        at(0, {3, 4, 5}, {2, 60, 8})}) {
    unary_into(ctx_, UnaryFn::silu, v, v);
    expect_right<Unary>({UnaryFn::silu}, {v}, v);
    softmax_into(ctx_, SoftmaxFn::softmax, v, v, -1);
    expect_right<Softmax>({SoftmaxFn::softmax, -1}, {v}, v);
    if (v.rank() > 1) {
      softmax_into(ctx_, SoftmaxFn::log_softmax, v, v, 0);
      expect_right<Softmax>({SoftmaxFn::log_softmax, 0}, {v}, v);
    }
  }
  const View a = at(0, {kN}), b = at(2 * kN, {kN});
  binary_into(ctx_, BinaryFn::sub, a, b, a);
  expect_right<Binary>({BinaryFn::sub}, {a, b}, a);
  binary_into(ctx_, BinaryFn::sub, a, b, b);
  expect_right<Binary>({BinaryFn::sub}, {a, b}, b);
  binary_into(ctx_, BinaryFn::mul, a, a, a);
  expect_right<Binary>({BinaryFn::mul}, {a, a}, a);
  const View m = at(0, {12, 20}), row = at(kN, {20});
  binary_into(ctx_, BinaryFn::add, m, row, m);
  expect_right<Binary>({BinaryFn::add}, {m, row}, m);
}

TEST_F(Aliasing, NeighboursAreNotOverlaps) {
  const View a = at(0, {kN}), b = at(kN, {kN});
  unary_into(ctx_, UnaryFn::relu, a, b);
  expect_right<Unary>({UnaryFn::relu}, {a}, b);
  unary_into(ctx_, UnaryFn::relu, b, a);
  expect_right<Unary>({UnaryFn::relu}, {b}, a);
  matmul_into(ctx_, at(0, {5, 6}), at(30, {6, 7}), at(72, {5, 7}));
  expect_right<Matmul>({}, {at(0, {5, 6}), at(30, {6, 7})}, at(72, {5, 7}));
}

TEST_F(Aliasing, PartialOverlapsAreRefused) {
  const View x = at(0, {kN});
  for (const std::int64_t shift : {std::int64_t{1}, std::int64_t{7}, kN - 1}) {
    expect_refused("relu", [&] { unary_into(ctx_, UnaryFn::relu, x, at(shift, {kN})); });
    expect_refused("relu", [&] { unary_into(ctx_, UnaryFn::relu, at(shift, {kN}), x); });
    expect_refused("softmax", [&] { softmax_into(ctx_, SoftmaxFn::softmax, x, at(shift, {kN})); });
    expect_refused("add", [&] { binary_into(ctx_, BinaryFn::add, x, at(2 * kN, {kN}), at(shift, {kN})); });
    expect_refused("add", [&] { binary_into(ctx_, BinaryFn::add, at(2 * kN, {kN}), x, at(shift, {kN})); });
  }
  // The same memory in another order is not in place.
  const View square = at(0, {15, 15});
  expect_refused("exp", [&] { unary_into(ctx_, UnaryFn::exp, square, square.transposed()); });
  // An operand that is broadcast cannot be the result.
  expect_refused("add", [&] { binary_into(ctx_, BinaryFn::add, at(0, {20}), at(kN, {12, 20}), at(0, {12, 20})); });
  expect_refused("relu", [&] { unary_into(ctx_, UnaryFn::relu, at(5, {12, 20}, {0, 1}), at(0, {12, 20})); });
}

TEST_F(Aliasing, ProductsReductionsAndTransposesNeverOverlap) {
  const View a = at(0, {10, 10}), b = at(100, {10, 10}), c = at(200, {10, 10});
  expect_refused("matmul", [&] { matmul_into(ctx_, a, b, a); });
  expect_refused("matmul", [&] { matmul_into(ctx_, a, b, b); });
  expect_refused("matmul", [&] { matmul_into(ctx_, a, b, at(199, {10, 10})); });
  MatmulOptions options;
  options.bias = at(295, {10});
  expect_refused("matmul", [&] { matmul_into(ctx_, a, b, c, options); });
  expect_refused("transpose", [&] { transpose_into(ctx_, a, a); });
  expect_refused("transpose", [&] { transpose_into(ctx_, a, at(99, {10, 10})); });
  expect_refused("sum", [&] { reduce_into(ctx_, ReduceFn::sum, a, {}, at(5, {})); });
  expect_refused("dot", [&] { reduce_into(ctx_, ReduceFn::dot, a, b, at(110, {10}), 1); });
}

TEST_F(Aliasing, ResultsReachEachElementOnce) {
  expect_refused("relu", [&] { unary_into(ctx_, UnaryFn::relu, at(0, {3, 4}), at(kN, {3, 4}, {0, 1})); });
  expect_refused("relu", [&] { unary_into(ctx_, UnaryFn::relu, at(0, {3, 4}), at(kN, {3, 4}, {3, 1})); });
  expect_refused("matmul", [&] { matmul_into(ctx_, at(0, {3, 4}), at(20, {4, 5}), at(kN, {3, 5}, {4, 1})); });
  expect_refused("add", [&] {
    binary_into(ctx_, BinaryFn::add, at(0, {3, 4}), at(20, {3, 4}), at(kN, {3, 4}, {1, 1}));
  });
  unary_into(ctx_, UnaryFn::relu, at(0, {3, 1, 4}), at(kN, {3, 1, 4}, {4, 0, 1}));  // a stride that nobody takes
  expect_right<Unary>({UnaryFn::relu}, {at(0, {3, 1, 4})}, at(kN, {3, 1, 4}, {4, 0, 1}));
}

TEST_F(Aliasing, EmptyOperandsOverlapNothing) {
  matmul_into(ctx_, at(0, {0, 4}), at(0, {4, 5}), at(0, {0, 5}));
  unary_into(ctx_, UnaryFn::relu, at(0, {0}), at(1, {0}));
  EXPECT_EQ(std::memcmp(memory_, before_, sizeof memory_), 0);
}

}  // namespace
}  // namespace tandem::test::aliasing_test
