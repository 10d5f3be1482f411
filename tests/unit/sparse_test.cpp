// CSR and 2:4 storage: there and back, layout, and what is refused.
#include <tandem/sparse.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/error.h>
#include <tandem/prune.h>

#include "tests/support/data.h"

namespace tandem::sparse_test {
namespace {

using test::Random;

template <class T>
std::vector<T> list(const Tensor& tensor) {
  const T* data = tensor.data<T>();
  return {data, data + tensor.elements()};
}

template <class T>
Tensor line(const std::vector<T>& values) {
  return Tensor::from(Shape{static_cast<std::int64_t>(values.size())}, std::span<const T>(values));
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return error.what();
  }
  return "no error";
}

TEST(Csr, HoldsTheElementsThatAreNotZero) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float matrix[] = {0, 2, 0,      //
                          0, 0, -0.0f,  //
                          1, 0, nan};
  const Csr csr = to_csr(ConstView(matrix, {3, 3}));
  EXPECT_EQ(list<std::int32_t>(csr.row_offsets), (std::vector<std::int32_t>{0, 1, 1, 3}));
  EXPECT_EQ(list<std::int32_t>(csr.columns), (std::vector<std::int32_t>{1, 0, 2}));
  EXPECT_EQ(list<float>(csr.values)[0], 2.0f);
  EXPECT_TRUE(std::isnan(list<float>(csr.values)[2]));
  EXPECT_DOUBLE_EQ(csr.density(), 1.0 / 3);
  EXPECT_TRUE(std::isnan(list<float>(to_dense(csr))[8]));
}

TEST(Csr, GoesThereAndBack) {
  Random random(1);
  for (const Shape& shape : {Shape{0, 0}, Shape{0, 4}, Shape{4, 0}, Shape{1, 1}, Shape{7, 5}, Shape{30, 70}})
    for (const std::int64_t one_in : {1, 3, 1000}) {
      std::vector<float> dense(static_cast<std::size_t>(element_count(shape)));
      for (float& v : dense)
        if (random.integer(1, one_in) == 1) v = static_cast<float>(random.integer(-5, 5));
      const ConstView view(dense.data(), shape);
      const Csr csr = to_csr(view);
      check_csr(csr);
      EXPECT_EQ(list<float>(to_dense(csr)), dense);
      if (shape[1] == 0) continue;
      const Csr turned = to_csr(view.transposed());
      EXPECT_EQ(turned.rows, shape[1]);
      EXPECT_EQ(turned.stored(), csr.stored());
    }
}

Csr good_csr() {
  return {3, 4, line<std::int32_t>({0, 2, 2, 3}), line<std::int32_t>({1, 3, 0}), line<float>({1, 2, 3})};
}

TEST(Csr, RefusesWhatBreaksItsRules) {
  const struct {
    std::function<void(Csr&)> spoil;
    std::string sentence;
  } cases[] = {
      {[](Csr&) {}, "no error"},
      {[](Csr& c) { c.rows = 2; }, "check_csr: row_offsets has shape 4, not 3"},
      {[](Csr& c) { c.rows = -1; }, "check_csr: a matrix of -1 rows and 4 columns"},
      {[](Csr& c) { c.rows = std::numeric_limits<std::int64_t>::max(); },
       "check_csr: a matrix of 9223372036854775807 rows and 4 columns"},
      {[](Csr& c) { c.cols = std::int64_t{1} << 31; }, "check_csr: a matrix of 3 rows and 2147483648 columns"},
      {[](Csr& c) {
         c.row_offsets = line<std::int32_t>({1, 2, 2, 3});
       },
       "check_csr: row_offsets starts with 1, not 0"},
      {[](Csr& c) {
         c.row_offsets = line<std::int32_t>({0, 2, 1, 3});
       },
       "check_csr: row_offsets falls from 2 to 1 at row 1"},
      {[](Csr& c) {
         c.row_offsets = line<std::int32_t>({0, -5, 2, 3});
       },
       "check_csr: row_offsets falls from 0 to -5 at row 0"},
      {[](Csr& c) {
         c.row_offsets = line<std::int32_t>({0, 2, 2, 2147483647});
       },
       "check_csr: row_offsets ends with 2147483647, but 3 elements are stored"},
      {[](Csr& c) {
         c.row_offsets = line<std::int32_t>({0, 2147483647, 2147483647, 3});
       },
       "check_csr: row_offsets falls from 2147483647 to 3 at row 2"},
      {[](Csr& c) {
         c.row_offsets = line<float>({0, 2, 2, 3});
       },
       "check_csr: row_offsets is f32, only s32 is supported"},
      {[](Csr& c) {
         c.columns = line<std::int32_t>({1, 4, 0});
       },
       "check_csr: row 0 has column 4 of 4"},
      {[](Csr& c) {
         c.columns = line<std::int32_t>({1, 3, -1});
       },
       "check_csr: row 2 has column -1 of 4"},
      {[](Csr& c) {
         c.columns = line<std::int32_t>({3, 1, 0});
       },
       "check_csr: row 0 has column 1 after column 3"},
      {[](Csr& c) {
         c.columns = line<std::int32_t>({3, 3, 0});
       },
       "check_csr: row 0 has column 3 after column 3"},
      {[](Csr& c) {
         c.columns = line<std::int32_t>({1, 3});
       },
       "check_csr: values has shape 3, not 2"},
      {[](Csr& c) {
         c.values = line<std::int32_t>({1, 2, 3});
       },
       "check_csr: values is s32, only f32 is supported"},
      {[](Csr& c) { c = Csr{}; }, "check_csr: row_offsets is an empty view, without shape or memory"},
  };
  for (const auto& c : cases) {
    Csr csr = good_csr();
    c.spoil(csr);
    EXPECT_EQ(message_of([&] { check_csr(csr); }), c.sentence);
    EXPECT_EQ(message_of([&] { to_dense(csr); }), c.sentence);
  }
  const float value = 1;
  EXPECT_EQ(message_of([&] { to_csr(ConstView(&value, {1})); }), "to_csr: shape 1 is not a matrix");
  EXPECT_EQ(message_of([&] {
              to_csr(ConstView(&value, DType::f32, {1, std::int64_t{1} << 31}, {0, 0}));
            }),
            "to_csr: 2147483648 columns are above the limit of 2147483647");
}

TEST(Sparse24, LayoutIsAsDocumented) {
  //                    group 0        group 1        group 2
  const float row[] = {0, 7, 0, -2, /**/ 0, 0, 5, 0, /**/ 3, 0};
  const Sparse24 sparse = to_2_4(ConstView(row, {1, 10}));
  EXPECT_EQ(sparse.groups(), 3);
  EXPECT_EQ(sparse.values.shape(), (Shape{1, 6}));
  EXPECT_EQ(list<float>(sparse.values), (std::vector<float>{7, -2, 0, 5, 3, 0}));
  // Places 1 and 3; 0 and 2; 0 and 1: the first in the low two bits, even groups in the low half.
  EXPECT_EQ(list<std::uint8_t>(sparse.metadata), (std::vector<std::uint8_t>{(0b1000 << 4) | 0b1101, 0b0100}));
}

// Every pattern of a group, in every dtype, and a row of odd length.
TEST(Sparse24, GoesThereAndBack) {
  for (const DType dtype : {DType::f32, DType::bf16, DType::f16, DType::s8, DType::u8}) {
    const std::size_t width = size_of(dtype);
    for (unsigned pattern = 0; pattern < 16; ++pattern) {
      if (std::popcount(pattern) > 2) continue;
      for (std::int64_t cols = 1; cols <= 9; ++cols) {
        Tensor matrix = Tensor::zeros({3, cols}, dtype);
        auto* bytes = static_cast<unsigned char*>(matrix.view().data());
        for (std::int64_t i = 0; i < 3 * cols; ++i)
          if (pattern >> (i % cols % 4) & 1u)
            for (std::size_t b = 0; b < width; ++b)
              bytes[static_cast<std::size_t>(i) * width + b] = static_cast<unsigned char>(i * 7 + 1);
        const Sparse24 sparse = to_2_4(matrix);
        check_2_4(sparse);
        const Tensor again = to_dense(sparse);
        ASSERT_EQ(again.shape(), matrix.shape());
        ASSERT_EQ(again.dtype(), dtype);
        ASSERT_EQ(std::memcmp(again.view().data(), bytes, static_cast<std::size_t>(3 * cols) * width), 0)
            << name(dtype) << " pattern " << pattern << " of " << cols;
      }
    }
  }
}

TEST(Sparse24, TakesWhatPruningMakes) {
  std::vector<float> weights(13 * 22);
  test::fill_uniform(weights, 2);
  const Pruned pruned = prune_2_4(ConstView(weights.data(), {13, 22}));
  EXPECT_EQ(list<float>(to_dense(to_2_4(pruned.values))), list<float>(pruned.values));
  const Pruned down = prune_2_4(ConstView(weights.data(), {13, 22}), 0);
  const Tensor again = to_dense(to_2_4(down.values.view().transposed()));
  for (std::int64_t i = 0; i < 13; ++i)
    for (std::int64_t j = 0; j < 22; ++j)
      ASSERT_EQ(again.data<float>()[j * 13 + i], down.values.data<float>()[i * 22 + j]);
}

TEST(Sparse24, ZerosOfEitherSignAreZeros) {
  const float row[] = {1, -0.0f, 2, -0.0f};
  const std::vector<float> dense = list<float>(to_dense(to_2_4(ConstView(row, {1, 4}))));
  EXPECT_EQ(dense, (std::vector<float>{1, 0, 2, 0}));
  EXPECT_FALSE(std::signbit(dense[1]));
}

TEST(Sparse24, RefusesWhatBreaksItsRules) {
  const float row[] = {0, 0, 0, 0, 1, 2, 3, 0, 1, 2, 3};
  EXPECT_EQ(message_of([&] {
              to_2_4(ConstView(row, {1, 11}));
            }),
            "to_2_4: row 0, columns 4 to 7 hold 3 nonzero elements, 2:4 allows 2");
  EXPECT_EQ(message_of([&] {
              to_2_4(ConstView(row + 8, {1, 3}));
            }),
            "to_2_4: row 0, columns 0 to 2 hold 3 nonzero elements, 2:4 allows 2");
  EXPECT_EQ(message_of([&] { to_2_4(ConstView(row, {11})); }), "to_2_4: shape 11 is not a matrix");
  EXPECT_EQ(message_of([&] {
              to_2_4(Tensor::zeros({1, 4}, DType::s32));
            }),
            "to_2_4: s32 is not supported, only f32, bf16, f16, s8 and u8");
  const auto sparse = [](std::int64_t cols, const std::vector<float>& values, std::vector<std::uint8_t> metadata) {
    Sparse24 s;
    s.rows = 1;
    s.cols = cols;
    s.values = Tensor::from(Shape{1, static_cast<std::int64_t>(values.size())}, std::span<const float>(values));
    s.metadata =
        Tensor::from(Shape{1, static_cast<std::int64_t>(metadata.size())}, std::span<const std::uint8_t>(metadata));
    return message_of([&] { check_2_4(s); });
  };
  EXPECT_EQ(sparse(4, {1, 2}, {0b0100}), "no error");
  EXPECT_EQ(sparse(4, {1, 2}, {0b0101}), "check_2_4: row 0, group 0 stores the places 1 and 1, which do not ascend");
  EXPECT_EQ(sparse(4, {1, 2}, {0b0001}), "check_2_4: row 0, group 0 stores the places 1 and 0, which do not ascend");
  EXPECT_EQ(sparse(4, {1, 2}, {0b10100}), "check_2_4: row 0 has metadata for a group beyond its end");
  EXPECT_EQ(sparse(3, {1, 2}, {0b1100}), "check_2_4: row 0 stores a nonzero element in column 3 of 3");
  EXPECT_EQ(sparse(3, {1, 0}, {0b1100}), "no error");
  EXPECT_EQ(sparse(4, {1, 2, 3}, {0b0100}),
            "check_2_4: values are 1x3 and metadata 1x1, a 1x4 matrix needs 1x2 and 1x1, row-major");
  EXPECT_EQ(
      sparse(std::numeric_limits<std::int64_t>::max(), {1, 2}, {0b0100}),
      "check_2_4: values are 1x2 and metadata 1x1, a 1x9223372036854775807 matrix needs 1x4611686018427387904 and "
      "1x1152921504606846976, row-major");
  EXPECT_EQ(sparse(-1, {1, 2}, {0b0100}), "check_2_4: a matrix of 1 rows and -1 columns");
}

}  // namespace
}  // namespace tandem::sparse_test
