// The ways through the CUDA kernels of sparse products: each number of lanes a row, wide accesses and single columns,
// each way of storing.
#include "cuda/kernels.h"
#include "tests/cuda/paths.h"

namespace tandem::test::spmm_paths_test {
namespace {

struct Product {
  std::int64_t m = 1, n = 1, k = 1;
  double density = 0.3;
  std::int64_t b_gap = 0, c_gap = 0;  // elements between rows
  std::size_t b_offset = 0, c_offset = 0;
  SpmmAttributes attributes = {};
};

Case<Spmm> product(const Product& p) {
  const auto stored = static_cast<std::int64_t>(p.density * static_cast<double>(p.m * p.k));
  Case<Spmm> c;
  c.attributes = p.attributes;
  c.fill = Fill::integers;
  c.exact = true;
  c.terms = 2 * (p.k + 1);
  c.operands = {{"row_offsets", DType::s32, Shape{p.m + 1}, Strides{1}},
                {"columns", DType::s32, Shape{stored}, Strides{1}},
                {"values", DType::f32, Shape{stored}, Strides{1}},
                f32("b", {p.k, p.n}, {p.n + p.b_gap, 1})};
  c.offsets = {0, 0, 0, 4 * p.b_offset};
  if (p.attributes.bias) {
    c.operands.push_back(f32("bias", {p.n}));
    c.offsets.push_back(0);
  }
  c.operands.push_back(f32("c", {p.m, p.n}, {p.n + p.c_gap, 1}));
  c.offsets.push_back(4 * p.c_offset);
  c.flush = Flush::to_start;
  return c;
}

void expect_both_right(const Product& p) {
  expect_right(cuda::spmm_csr_rowsplit::kKernel, product(p));
  expect_right(cuda::spmm_csr_naive::kKernel, product(p));
}

TEST(SparseProducts, EveryNumberOfColumns) {
  TANDEM_NEED_GPU();
  for (const std::int64_t n : {1, 3, 4, 5, 8, 9, 28, 31, 32, 33, 60, 64, 65, 68, 128, 129, 132, 252, 256, 260, 516})
    for (const double density : {0.0, 0.03, 0.4, 1.0})
      expect_both_right({.m = 19, .n = n, .k = 70, .density = density});
}

TEST(SparseProducts, GapsAndOffsets) {
  TANDEM_NEED_GPU();
  for (const std::int64_t n : {8, 32, 64, 128, 260})
    for (const std::int64_t gap : {1, 4})
      for (const std::size_t offset : {0, 1, 4}) {
        expect_both_right({.m = 9, .n = n, .k = 40, .b_gap = gap, .b_offset = offset});
        expect_both_right({.m = 9, .n = n, .k = 40, .c_gap = gap, .c_offset = offset});
      }
}

TEST(SparseProducts, WhatFollowsTheSum) {
  TANDEM_NEED_GPU();
  for (const std::int64_t n : {3, 8, 30, 32, 64, 100, 101, 128, 200, 300})
    for (const bool bias : {false, true})
      for (const Activation activation : {Activation::none, Activation::relu})
        expect_both_right({.m = 17, .n = n, .k = 33, .attributes = {activation, bias}});
}

// One long row among empty ones, and more rows than a block has groups.
TEST(SparseProducts, RowsOfEveryLength) {
  TANDEM_NEED_GPU();
  for (const std::int64_t k : {1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 36, 100, 1000})
    for (const std::int64_t m : {1, 8, 65})
      for (const double density : {0.01, 0.12, 1.0}) expect_both_right({.m = m, .n = 32, .k = k, .density = density});
}

}  // namespace
}  // namespace tandem::test::spmm_paths_test
