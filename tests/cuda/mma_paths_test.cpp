// The ways through the products on tensor cores that the families of tests/kernels do not reach: large tiles, every way
// to read each operand, several slabs and whole rings of them, and b in 2:4 storage in all of them.
#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "cuda/kernels.h"
#include "tests/cuda/paths.h"

namespace tandem::test::mma_paths_test {
namespace {

/// How a matrix lies in memory: by rows or columns, with gaps, from an address that is not aligned.
struct Lie {
  bool transposed = false;
  std::int64_t gap = 0;    // elements between rows, or between columns of what is transposed
  std::size_t offset = 0;  // elements
};
const Lie kLies[] = {{false, 0, 0}, {true, 0, 0},  {false, 16, 0}, {true, 16, 0}, {false, 4, 0},
                     {true, 4, 0},  {false, 3, 0}, {false, 0, 1},  {true, 0, 4},  {false, 0, 4}};

OperandSpec matrix(const char* name, DType dtype, const Shape& shape, const Lie& lie) {
  const Strides strides = lie.transposed ? Strides{1, shape[0] + lie.gap} : Strides{shape[1] + lie.gap, 1};
  return {name, dtype, shape, strides};
}

struct Size {
  std::int64_t m, n, k;
};

Case<QuantizedMatmul> quantized(const Size& size, DType a, DType result, const Lie& lie_a, const Lie& lie_b,
                                const Lie& lie_c) {
  Case<QuantizedMatmul> c;
  c.attributes.a_zero_points = c.attributes.b_zero_points = true;
  c.attributes.result_scale = 3.0f;
  c.operands = {matrix("a", a, {size.m, size.k}, lie_a), matrix("b", DType::s8, {size.k, size.n}, lie_b)};
  if (result != DType::s32) {
    c.operands.push_back({"sa", DType::f32, {size.m}, {1}, kScaleRange});
    c.operands.push_back({"sb", DType::f32, {size.n}, {1}, kScaleRange});
  }
  c.operands.push_back({"za", DType::s32, {size.m}, {1}, zero_point_range(a)});
  c.operands.push_back({"zb", DType::s32, {size.n}, {1}, zero_point_range(DType::s8)});
  c.operands.push_back(matrix("c", result, {size.m, size.n}, lie_c));
  c.offsets.assign(c.operands.size(), 0);
  c.offsets[0] = lie_a.offset;
  c.offsets[1] = lie_b.offset;
  c.fill = Fill::bits;
  c.flush = Flush::to_start;
  return c;
}

template <class Op>
bool can(const Kernel<Op>& kernel) {
  return gpu_machine().gpus[0].compute_capability >= kernel.needs.compute_capability;
}

/// On what this kernel needs; else the test is left out.
#define TANDEM_NEED_GPU_FOR(kernel) \
  TANDEM_NEED_GPU();                \
  if (!can(kernel)) GTEST_SKIP() << "this GPU lacks what the kernel needs"

/// With one multiprocessor large tiles are chosen, where their shared memory exists.
Machine one_multiprocessor() { return smaller(1, gpu_machine().gpus[0].l2_bytes); }

void expect_every_way(const Kernel<QuantizedMatmul>& kernel) {
  const DType results[] = {DType::s32, DType::f32, DType::s8, DType::u8};
  const Machine machines[] = {one_multiprocessor(), gpu_machine()};
  std::size_t i = 0;
  for (const Lie& a : kLies)
    for (const Lie& b : kLies) {
      const DType type = i % 2 == 0 ? DType::s8 : DType::u8;
      const Lie c{i / 5 % 2 == 0, static_cast<std::int64_t>(i % 3), 0};
      expect_right(kernel, quantized({144, 160, 272}, type, results[i / 2 % 4], a, b, c), machines[i / 3 % 2]);
      ++i;
    }
}

TEST(QuantizedMma, EveryWayToReadInBothShapes) {
  TANDEM_NEED_GPU();
  expect_every_way(cuda::quantized_matmul_s8_mma::kKernel);
}

TEST(QuantizedWgmma, EveryWayToReadInBothShapes) {
  TANDEM_NEED_GPU_FOR(cuda::quantized_matmul_s8_wgmma::kKernel);
  expect_every_way(cuda::quantized_matmul_s8_wgmma::kKernel);
}

// One row, column or byte too many or too few for the tile, the slab, 16 bytes and the ring.
void expect_edges(const Kernel<QuantizedMatmul>& kernel) {
  for (const Machine& machine : {one_multiprocessor(), gpu_machine()})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const Size& size :
             {Size{1, 1, 1}, Size{64, 64, 128}, Size{65, 63, 127}, Size{128, 128, 129}, Size{129, 257, 256},
              Size{127, 129, 384}, Size{130, 144, 385}, Size{144, 144, 512}, Size{160, 128, 15}, Size{128, 160, 16},
              Size{192, 192, 17}, Size{144, 16, 0}, Size{16, 144, 641}})
          for (const bool tc : {false, true})
            expect_right(kernel, quantized(size, DType::u8, DType::s32, {ta, 0, 0}, {tb, 0, 0}, {tc, 0, 0}), machine);
}

TEST(QuantizedMma, EdgesOfTilesSlabsAndTheRing) {
  TANDEM_NEED_GPU();
  expect_edges(cuda::quantized_matmul_s8_mma::kKernel);
}

TEST(QuantizedWgmma, EdgesOfTilesSlabsAndTheRing) {
  TANDEM_NEED_GPU_FOR(cuda::quantized_matmul_s8_wgmma::kKernel);
  expect_edges(cuda::quantized_matmul_s8_wgmma::kKernel);
}

Case<Matmul> bf16(const Size& size, DType result, const Lie& lie_a, const Lie& lie_b) {
  Case<Matmul> c;
  c.operands = {matrix("a", DType::bf16, {size.m, size.k}, lie_a), matrix("b", DType::bf16, {size.k, size.n}, lie_b),
                matrix("c", result, {size.m, size.n}, {})};
  c.offsets = {2 * lie_a.offset, 2 * lie_b.offset, 0};
  c.fill = Fill::integers;
  c.exact = true;
  c.terms = std::max<std::int64_t>(size.k, 1);
  c.flush = Flush::to_start;
  return c;
}

void expect_every_way(const Kernel<Matmul>& kernel) {
  const Machine machines[] = {one_multiprocessor(), gpu_machine()};
  std::size_t i = 0;
  for (const Lie& a : kLies)
    for (const Lie& b : kLies) {
      const DType result = i % 2 == 0 ? DType::f32 : DType::bf16;
      expect_right(kernel, bf16({144, 160, 136}, result, a, b), machines[i++ / 3 % 2]);
    }
}

TEST(Bf16Mma, EveryWayToReadInBothShapes) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_mma::kKernel);
  expect_every_way(cuda::matmul_bf16_mma::kKernel);
}

TEST(Bf16Wgmma, EveryWayToReadInBothShapes) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_wgmma::kKernel);
  expect_every_way(cuda::matmul_bf16_wgmma::kKernel);
}

void expect_edges(const Kernel<Matmul>& kernel) {
  for (const Machine& machine : {one_multiprocessor(), gpu_machine()})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const Size& size :
             {Size{1, 1, 1}, Size{64, 64, 64}, Size{65, 63, 63}, Size{128, 128, 65}, Size{129, 257, 128},
              Size{127, 129, 192}, Size{130, 144, 193}, Size{144, 144, 256}, Size{160, 128, 7}, Size{128, 160, 8},
              Size{192, 192, 9}, Size{144, 16, 0}, Size{16, 144, 321}})
          expect_right(kernel, bf16(size, DType::f32, {ta, 0, 0}, {tb, 0, 0}), machine);
}

TEST(Bf16Mma, EdgesOfTilesSlabsAndTheRing) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_mma::kKernel);
  expect_edges(cuda::matmul_bf16_mma::kKernel);
}

TEST(Bf16Wgmma, EdgesOfTilesSlabsAndTheRing) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_wgmma::kKernel);
  expect_edges(cuda::matmul_bf16_wgmma::kKernel);
}

// Batch items that lose the alignment of 16 bytes, one b for all, and everything that is fused.
void expect_batches_and_epilogues(const Kernel<Matmul>& kernel) {
  for (const Machine& machine : {one_multiprocessor(), gpu_machine()})
    for (const std::int64_t step : {144 * 72, 144 * 72 + 3})
      for (const DType result : {DType::f32, DType::bf16})
        for (const Activation activation : {Activation::none, Activation::relu, Activation::gelu_tanh}) {
          Case<Matmul> c;
          c.attributes = {.alpha = -1.25f, .beta = 0.5f, .activation = activation, .bias = true};
          c.operands = {{"a", DType::bf16, {3, 144, 72}, {step, 72, 1}},
                        {"b", DType::bf16, {3, 72, 136}, {72 * 136, 136, 1}},
                        {"bias", DType::f32, {136}, {1}},
                        {"c", result, {3, 144, 136}, {144 * 136, 136, 1}}};
          c.fill = Fill::reals;
          c.terms = 72;
          expect_right(kernel, c, machine);
        }
}

TEST(Bf16Mma, BatchesAndEpilogues) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_mma::kKernel);
  expect_batches_and_epilogues(cuda::matmul_bf16_mma::kKernel);
}

TEST(Bf16Wgmma, BatchesAndEpilogues) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_wgmma::kKernel);
  expect_batches_and_epilogues(cuda::matmul_bf16_wgmma::kKernel);
}

// Batches that the copy engine reads as they are, one operand for all items, and items that have to be packed.
TEST(Bf16Wgmma, BatchesForTheCopyEngine) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_wgmma::kKernel);
  for (const Machine& machine : {one_multiprocessor(), gpu_machine()})
    for (const std::int64_t step_a : {0, 144 * 72})
      for (const std::int64_t step_b : {0, 136 * 72})
        for (const bool tb : {false, true}) {
          Case<Matmul> c;
          c.operands = {{"a", DType::bf16, {3, 144, 72}, {step_a, 72, 1}},
                        {"b", DType::bf16, {3, 72, 136}, {step_b, tb ? 1 : 136, tb ? 72 : 1}},
                        {"c", DType::f32, {3, 144, 136}, {144 * 136, 136, 1}}};
          c.fill = Fill::integers;
          c.exact = true;
          c.terms = 72;
          expect_right(cuda::matmul_bf16_wgmma::kKernel, c, machine);
        }
}

bool has_sparse_tensor_cores() {
  const int capability = gpu_machine().gpus[0].compute_capability;
  return capability >= 80 && capability < 90;
}

/// The operand b of a case in 2:4 storage instead; `offset` bytes from an aligned address.
template <class Op>
Case<Op> with_sparse_b(Case<Op> c, const Size& size, std::size_t offset) {
  std::vector<OperandSpec> b;
  add_sparse24(b, c.operands[1].dtype, size.n, size.k);
  c.attributes.b_format = MatrixFormat::sparse24;
  c.operands[1] = b[0];
  c.operands.insert(c.operands.begin() + 2, b[1]);
  c.offsets[1] = offset;
  c.offsets.insert(c.offsets.begin() + 2, offset);
  return c;
}

// Rows of values with and without the alignment of 16 and 8 bytes, of places with and without that of words and pairs
// of them; groups that do not fill a word, a pair, a chunk, a slab, a sector of places.
const Size kSparseSizes[] = {{144, 160, 256}, {65, 63, 64},  {129, 257, 544}, {130, 70, 72},
                             {1, 144, 100},   {144, 1, 36},  {64, 128, 16},   {128, 64, 7},
                             {160, 144, 129}, {144, 160, 0}, {70, 130, 320},  {33, 70, 1152}};

template <class Op, class Make>
void expect_right_with_sparse_b(const Kernel<Op>& kernel, Make&& make) {
  std::size_t i = 0;
  for (const Machine& machine : {one_multiprocessor(), gpu_machine()})
    for (const Size& size : kSparseSizes)
      for (const Lie& a : {Lie{}, Lie{true, 0, 0}, Lie{false, 3, 0}})
        expect_right(kernel, with_sparse_b(make(size, a), size, i++ % 2 * 2), machine);
}

Case<QuantizedMatmul> any_quantized(const Size& size, const Lie& a) {
  static std::size_t i = 0;
  const DType results[] = {DType::s32, DType::f32, DType::s8, DType::u8};
  ++i;
  return quantized(size, i % 2 == 0 ? DType::s8 : DType::u8, results[i / 2 % 4], a, {}, {i / 3 % 2 == 0, 0, 0});
}

Case<Matmul> any_bf16(const Size& size, const Lie& a) {
  static std::size_t i = 0;
  return bf16(size, i++ % 2 == 0 ? DType::f32 : DType::bf16, a, {});
}

TEST(QuantizedMma, SparseB) {
  TANDEM_NEED_GPU();
  expect_right_with_sparse_b(cuda::quantized_matmul_s8_mma::kKernel, any_quantized);
}

TEST(QuantizedMmasp, SparseB) {
  TANDEM_NEED_GPU();
  if (!has_sparse_tensor_cores()) GTEST_SKIP() << "this GPU has no sparse tensor cores of this kind";
  expect_right_with_sparse_b(cuda::quantized_matmul_s8_mmasp::kKernel, any_quantized);
}

TEST(Bf16Mma, SparseB) {
  TANDEM_NEED_GPU_FOR(cuda::matmul_bf16_mma::kKernel);
  expect_right_with_sparse_b(cuda::matmul_bf16_mma::kKernel, any_bf16);
}

TEST(Bf16Mmasp, SparseB) {
  TANDEM_NEED_GPU();
  if (!has_sparse_tensor_cores()) GTEST_SKIP() << "this GPU has no sparse tensor cores of this kind";
  expect_right_with_sparse_b(cuda::matmul_bf16_mmasp::kKernel, any_bf16);
}

}  // namespace
}  // namespace tandem::test::mma_paths_test
