// The ways through the CUDA kernels that the families of tests/kernels do not reach, because only large problems take
// them on a real device: a machine of one multiprocessor, or without L2, makes small problems take them.
#include <cstdlib>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/gemm/tile_order.h"
#include "cuda/kernels.h"
#include "tests/cuda/paths.h"

namespace tandem::test::kernel_paths_test {
namespace {

struct ProductLayout {
  bool ta = false, tb = false;
  std::int64_t padding = 0;          // elements between rows, or between columns of what is transposed
  std::vector<std::size_t> offsets;  // bytes
};

Case<Matmul> product(std::int64_t m, std::int64_t n, std::int64_t k, const ProductLayout& layout) {
  const auto strides = [&](std::int64_t rows, std::int64_t cols, bool transposed) {
    return transposed ? Strides{1, rows + layout.padding} : Strides{cols + layout.padding, 1};
  };
  Case<Matmul> c;
  c.operands = {f32("a", {m, k}, strides(m, k, layout.ta)), f32("b", {k, n}, strides(k, n, layout.tb)),
                f32("c", {m, n}, strides(m, n, false))};
  c.fill = Fill::integers;
  c.exact = true;
  c.terms = std::max<std::int64_t>(k, 1);
  c.offsets = layout.offsets.empty() ? std::vector<std::size_t>(3, 0) : layout.offsets;
  c.flush = Flush::to_start;
  return c;
}

const ProductLayout kLayouts[] = {
    {false, false, 0, {}},        {false, true, 0, {}},        {true, false, 0, {}},          {true, true, 0, {}},
    {false, false, 4, {}},        {false, true, 3, {}},        {true, false, 1, {}},          {true, true, 8, {}},
    {false, false, 0, {4, 0, 0}}, {true, false, 0, {0, 8, 0}}, {false, false, 0, {0, 0, 12}},
};

// Large tiles are chosen when they do not leave multiprocessors idle: with a single one, from 65 rows and columns on.
TEST(Regtiled, LargeTilesInEveryLayout) {
  TANDEM_NEED_GPU();
  const Machine one = smaller(1, 1 << 20);
  for (const ProductLayout& layout : kLayouts)
    for (const std::int64_t size : {65, 68, 127, 128, 193, 256})
      for (const std::int64_t k : {0, 1, 4, 15, 16, 17, 32, 44})
        expect_right(cuda::matmul_f32_regtiled::kKernel, product(size, size, k, layout), one);
}

TEST(Regtiled, LargeTilesAtTheirEdges) {
  TANDEM_NEED_GPU();
  const Machine one = smaller(1, 1 << 20);
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {  // one row or column in the last tile
      expect_right(cuda::matmul_f32_regtiled::kKernel, product(1025, 128, 20, {ta, tb, 0, {}}), one);
      expect_right(cuda::matmul_f32_regtiled::kKernel, product(128, 1028, 20, {ta, tb, 0, {}}), one);
    }
}

TEST(Regtiled, SmallTilesInEveryLayout) {
  TANDEM_NEED_GPU();
  for (const ProductLayout& layout : kLayouts)
    for (const std::int64_t size : {1, 4, 31, 63, 64, 65, 100, 129})
      for (const std::int64_t k : {0, 1, 8, 15, 16, 17, 40})
        expect_right(cuda::matmul_f32_regtiled::kKernel, product(size, size, k, layout));
}

// Whatever is fused, through both ways of storing (float4 from registers, and rows by way of shared memory).
TEST(Regtiled, EpiloguesOfBothShapes) {
  TANDEM_NEED_GPU();
  const Machine one = smaller(1, 1 << 20);
  for (const Machine& machine : {one, gpu_machine()})
    for (const std::int64_t n : {68, 70})
      for (const bool bias : {false, true})
        for (const float beta : {0.0f, 0.5f})
          for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu_tanh}) {
            Case<Matmul> c = product(66, n, 24, {});
            c.attributes = {.alpha = -1.25f, .beta = beta, .activation = activation, .bias = bias};
            if (bias) c.operands.insert(c.operands.begin() + 2, f32("bias", {n}));
            c.offsets.assign(c.operands.size(), 0);
            c.fill = Fill::reals;
            c.exact = false;
            expect_right(cuda::matmul_f32_regtiled::kKernel, c, machine);
          }
}

// gridDim.y ends at 65535: more batch items take several launches.
void expect_many_batch_items(const Kernel<Matmul>& kernel) {
  constexpr std::int64_t kItems = 65535 + 7;
  Case<Matmul> c;
  c.operands = {f32("a", {kItems, 2, 3}), f32("b", {kItems, 3, 2}), f32("c", {kItems, 2, 2})};
  c.fill = Fill::integers;
  c.exact = true;
  c.terms = 3;
  expect_right(kernel, c);
}

TEST(Regtiled, DepthInParts) {
  TANDEM_NEED_GPU();
  for (const ProductLayout& layout : kLayouts)
    for (const auto& [m, n, k] :
         {std::array<std::int64_t, 3>{1, 64, 5000}, {16, 130, 1040}, {65, 63, 3001}, {64, 256, 512}, {3, 1, 777}})
      expect_right(cuda::matmul_f32_regtiled::kKernel, product(m, n, k, layout));
  for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu_erf}) {
    Case<Matmul> c;  // one b for all items, whatever can be fused, and a result that has gaps
    c.attributes = {.alpha = -1.25f, .beta = 0.5f, .activation = activation, .bias = true};
    c.operands = {f32("a", {3, 20, 700}), f32("b", {3, 700, 70}, {0, 70, 1}), f32("bias", {70}),
                  f32("c", {3, 20, 70}, {20 * 75, 75, 1})};
    c.fill = Fill::reals;
    c.terms = 700;
    expect_right(cuda::matmul_f32_regtiled::kKernel, c);
  }
}

TEST(Products, MoreBatchItemsThanAGridHas) {
  TANDEM_NEED_GPU();
  expect_many_batch_items(cuda::matmul_f32_naive::kKernel);
}

TEST(Products, MoreBatchItemsThanAGridHasInSharedMemory) {
  TANDEM_NEED_GPU();
  const char* checks = std::getenv("CUDAEMU_CHECK");
  if (checks && *checks) GTEST_SKIP() << "takes minutes under the emulator's checks of shared memory";
  expect_many_batch_items(cuda::matmul_f32_tiled::kKernel);
  expect_many_batch_items(cuda::matmul_f32_regtiled::kKernel);
}

TEST(Transposes, MoreBatchItemsThanAGridHas) {
  TANDEM_NEED_GPU();
  constexpr std::int64_t kItems = 65535 + 7;
  Case<Transpose> c;
  c.operands = {f32("x", {kItems, 2, 3}), f32("y", {kItems, 3, 2})};
  c.fill = Fill::bits;
  c.exact = true;
  expect_right(cuda::transpose_f32_naive::kKernel, c);
  expect_right(cuda::transpose_f32_tiled::kKernel, c);
}

// Data larger than L2 is read and written with other instructions.
TEST(Elementwise, LargerThanL2) {
  TANDEM_NEED_GPU();
  const Machine no_l2 = smaller(4, 0);
  for (const std::int64_t count : {1, 5, 4096, 4099, 30001})
    for (const std::size_t offset : {0, 4, 12}) {
      Case<Unary> u;
      u.operands = {f32("x", {count}), f32("y", {count})};
      u.attributes.fn = UnaryFn::relu;
      u.flush = Flush::to_start;
      u.offsets = {offset, offset};
      expect_right(cuda::unary_f32_vector::kKernel, u, no_l2);
      Case<Binary> b;
      b.operands = {f32("a", {count}), f32("b", {count}), f32("out", {count})};
      b.attributes.fn = BinaryFn::sub;
      b.flush = Flush::to_start;
      b.offsets = {offset, offset, offset};
      expect_right(cuda::binary_f32_vector::kKernel, b, no_l2);
      b.operands[1] = f32("b", {1}, Strides{0});
      b.offsets = {offset, 0, offset};
      expect_right(cuda::binary_f32_vector::kKernel, b, no_l2);
    }
}

// Every form of the binary kernel: equal shapes, one number, a row, a column, rows with gaps, more dimensions.
TEST(Elementwise, Broadcasts) {
  TANDEM_NEED_GPU();
  for (const std::int64_t rows : {1, 3, 9})
    for (const std::int64_t cols : {1, 7, 64, 65, 256, 1028, 1029}) {
      const Shape shape{rows, cols};
      const OperandSpec whole = f32("a", shape), gaps = f32("a", shape, Strides{cols + 4, 1});
      const OperandSpec row = f32("b", {1, cols}), column = f32("b", {rows, 1}), one = f32("b", {1, 1});
      for (const OperandSpec& a : {whole, gaps})
        for (const OperandSpec& b : {whole, gaps, row, column, one})
          for (const OperandSpec& out : {whole, gaps})
            for (const bool swap : {false, true}) {
              Case<Binary> c;
              c.operands = {swap ? b : a, swap ? a : b, out};
              c.attributes.fn = BinaryFn::sub;
              expect_right(cuda::binary_f32_vector::kKernel, c);
            }
    }
  Case<Binary> c;
  c.operands = {f32("a", {3, 1, 5}), f32("b", {4, 1}), f32("out", {3, 4, 5})};
  expect_right(cuda::binary_f32_vector::kKernel, c);
}

// Each number of lanes, of elements a lane, a block's rows, long rows, and rows that are not contiguous.
TEST(Softmaxes, EveryLength) {
  TANDEM_NEED_GPU();
  for (const SoftmaxFn fn : {SoftmaxFn::softmax, SoftmaxFn::log_softmax})
    for (const std::int64_t length : {1,   8,   9,   16,   17,   32,   33,   64,   65,   128,  129,  256,
                                      257, 512, 513, 1024, 1025, 2048, 2049, 4096, 4097, 8192, 8193, 20000})
      for (const std::int64_t rows : {1, 5}) {
        Case<Softmax> c;
        c.attributes = {fn, -1};
        c.operands = {f32("x", {rows, length}), f32("y", {rows, length})};
        expect_right(cuda::softmax_f32_vector::kKernel, c);
        c.fill = Fill::minus_infinities;
        expect_right(cuda::softmax_f32_vector::kKernel, c);
        c.fill = Fill::infinities;
        c.attributes.axis = 0;
        c.operands = {f32("x", {length, rows}), f32("y", {length, rows})};
        expect_right(cuda::softmax_f32_vector::kKernel, c);
      }
}

// A warp a row, a block a row, the whole device; rows side by side and with gaps.
TEST(Reductions, EveryLength) {
  TANDEM_NEED_GPU();
  for (const ReduceFn fn :
       {ReduceFn::sum, ReduceFn::max, ReduceFn::dot, ReduceFn::euclidean_distance, ReduceFn::cosine_similarity})
    for (const std::int64_t length : {1, 31, 32, 1000, 1024, 1025, 5000, 200000})
      for (const std::int64_t rows : {1, 2, 5})
        for (const std::int64_t gap : {0, 3}) {
          if (length * rows > 300000) continue;
          Case<Reduce> c;
          c.attributes = {fn, -1};
          const Shape shape{rows, length};
          c.operands = {f32("a", shape, Strides{length + gap, 1})};
          if (takes_two(fn)) c.operands.push_back(f32("b", shape));
          c.operands.push_back(f32("out", {rows}));
          c.terms = length;
          expect_right(cuda::reduce_f32_cub::kKernel, c);
          expect_right(cuda::reduce_f32_naive::kKernel, c);
        }
}

// Every tile once: otherwise some part of a product would be missing or computed twice.
TEST(TileOrder, IsAPermutation) {
  for (const unsigned rows : {1u, 2u, 7u, 16u, 17u, 40u})
    for (const unsigned cols : {1u, 3u, 33u})
      for (const unsigned band : {1u, 8u, 16u}) {
        std::vector<int> seen(rows * cols, 0);
        for (unsigned i = 0; i < rows * cols; ++i) {
          const cuda::TileAt at = cuda::tile_at(i, rows, cols, band);
          ASSERT_LT(at.row, rows);
          ASSERT_LT(at.col, cols);
          ++seen[at.row * cols + at.col];
        }
        for (const int times : seen) EXPECT_EQ(times, 1);
      }
}

// What a wave of 264 blocks reads of a and b: a patch, not a line.
TEST(TileOrder, NeighboursShareOperands) {
  std::vector<int> rows(64, 0), cols(64, 0);
  for (unsigned i = 0; i < 256; ++i) {
    const cuda::TileAt at = cuda::tile_at(i, 64, 64, 16);
    rows[at.row] = cols[at.col] = 1;
  }
  EXPECT_EQ(std::accumulate(rows.begin(), rows.end(), 0), 16);
  EXPECT_EQ(std::accumulate(cols.begin(), cols.end(), 0), 16);
}

}  // namespace
}  // namespace tandem::test::kernel_paths_test
