// Problems whose memory accesses tests/cuda/emulator_counters.sh counts under the emulator: full tiles, aligned and
// contiguous operands in every layout. Run by themselves they check the results.
#include <gtest/gtest.h>

#include "cuda/kernels.h"
#include "tests/support/kernel_run.h"
#include "tests/support/left_out.h"

namespace tandem::test::counters_test {
namespace {

OperandSpec f32(const char* name, const Shape& shape, bool transposed = false) {
  return {name, DType::f32, shape, transposed ? column_major(shape) : row_major(shape)};
}

template <class Op>
void run(const Kernel<Op>& kernel, Case<Op> c, const Machine& machine = gpu_machine()) {
  c.flush = Flush::to_start;
  Prepared<Op> prepared(c, 1);
  EXPECT_EQ(run_on_gpu(kernel, prepared, machine).failure, "") << prepared.description();
}

void run_products(const Kernel<Matmul>& kernel, const Machine& machine) {
  for (const bool ta : {false, true})
    for (const bool tb : {false, true}) {
      Case<Matmul> c;
      c.operands = {f32("a", {256, 256}, ta), f32("b", {256, 256}, tb), f32("c", {256, 256})};
      c.fill = Fill::integers;
      c.exact = true;
      c.terms = 256;
      run(kernel, c, machine);
    }
}

TEST(Counters, Tiled) {
  TANDEM_NEED_GPU();
  run_products(cuda::matmul_f32_tiled::kKernel, gpu_machine());
}

TEST(Counters, RegtiledSmall) {
  TANDEM_NEED_GPU();
  run_products(cuda::matmul_f32_regtiled::kKernel, gpu_machine());
}

// With one multiprocessor the large tiles are chosen.
TEST(Counters, RegtiledLarge) {
  TANDEM_NEED_GPU();
  Machine one = gpu_machine();
  one.gpus[0].multiprocessors = 1;
  run_products(cuda::matmul_f32_regtiled::kKernel, one);
}

// The store by way of shared memory.
TEST(Counters, RegtiledFused) {
  TANDEM_NEED_GPU();
  Machine one = gpu_machine();
  one.gpus[0].multiprocessors = 1;
  Case<Matmul> fused;
  fused.operands = {f32("a", {256, 64}), f32("b", {64, 256}), f32("c", {256, 256})};
  fused.attributes.activation = Activation::silu;
  run(cuda::matmul_f32_regtiled::kKernel, fused, one);
}

Case<QuantizedMatmul> quantized_product(bool ta, bool tb, bool tc, DType result, bool zero_points = false) {
  const Shape shape{256, 256};
  const auto matrix = [&](const char* name, DType dtype, bool transposed) {
    return OperandSpec{name, dtype, shape, transposed ? column_major(shape) : row_major(shape)};
  };
  Case<QuantizedMatmul> c;
  c.operands = {matrix("a", DType::s8, ta), matrix("b", DType::s8, tb)};
  const auto vector = [&](const char* name, DType dtype, ValueRange range) {
    c.operands.push_back({name, dtype, {256}, {1}, range});
  };
  if (result != DType::s32) {
    vector("sa", DType::f32, kScaleRange);
    vector("sb", DType::f32, kScaleRange);
  }
  if (zero_points) {
    vector("za", DType::s32, zero_point_range(DType::s8));
    vector("zb", DType::s32, zero_point_range(DType::s8));
    c.attributes.a_zero_points = c.attributes.b_zero_points = true;
  }
  c.operands.push_back(matrix("c", result, tc));
  c.fill = Fill::bits;
  return c;
}

TEST(Counters, QuantizedTiled) {
  TANDEM_NEED_GPU();
  for (const bool tc : {false, true})
    for (const DType result : {DType::f32, DType::s8})
      run(cuda::quantized_matmul_s8_tiled::kKernel, quantized_product(false, true, tc, result));
}

// Both shapes of tiles, every way to read, every width of result, by rows and by columns.
void count_quantized(const Kernel<QuantizedMatmul>& kernel) {
  if (gpu_machine().gpus[0].compute_capability < kernel.needs.compute_capability)
    GTEST_SKIP() << "this GPU lacks what the kernel needs";
  Machine one = gpu_machine();
  one.gpus[0].multiprocessors = 1;
  for (const Machine& machine : {one, gpu_machine()})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const bool tc : {false, true})
          for (const DType result : {DType::s32, DType::f32, DType::s8})
            run(kernel, quantized_product(ta, tb, tc, result, result == DType::s8), machine);
}

TEST(Counters, QuantizedMma) {
  TANDEM_NEED_GPU();
  count_quantized(cuda::quantized_matmul_s8_mma::kKernel);
}

TEST(Counters, QuantizedWgmma) {
  TANDEM_NEED_GPU();
  count_quantized(cuda::quantized_matmul_s8_wgmma::kKernel);
}

Case<Matmul> bf16_product(bool ta, bool tb, DType result) {
  const Shape shape{256, 256};
  Case<Matmul> c;
  c.operands = {f32("a", shape, ta), f32("b", shape, tb), f32("c", shape)};
  c.operands[0].dtype = c.operands[1].dtype = DType::bf16;
  c.operands[2].dtype = result;
  c.fill = Fill::integers;
  c.exact = true;
  c.terms = 256;
  return c;
}

void count_bf16(const Kernel<Matmul>& kernel) {
  if (gpu_machine().gpus[0].compute_capability < kernel.needs.compute_capability)
    GTEST_SKIP() << "this GPU lacks what the kernel needs";
  Machine one = gpu_machine();
  one.gpus[0].multiprocessors = 1;
  for (const Machine& machine : {one, gpu_machine()})
    for (const bool ta : {false, true})
      for (const bool tb : {false, true})
        for (const DType result : {DType::f32, DType::bf16}) run(kernel, bf16_product(ta, tb, result), machine);
}

TEST(Counters, Bf16Mma) {
  TANDEM_NEED_GPU();
  count_bf16(cuda::matmul_bf16_mma::kKernel);
}

TEST(Counters, Bf16Wgmma) {
  TANDEM_NEED_GPU();
  count_bf16(cuda::matmul_bf16_wgmma::kKernel);
}

/// b in 2:4 storage instead of the second operand.
template <class Op>
Case<Op> with_sparse_b(Case<Op> c) {
  std::vector<OperandSpec> b;
  add_sparse24(b, c.operands[1].dtype, 256, 256);
  c.attributes.b_format = MatrixFormat::sparse24;
  c.operands[1] = b[0];
  c.operands.insert(c.operands.begin() + 2, b[1]);
  return c;
}

TEST(Counters, SparseTensorCores) {
  TANDEM_NEED_GPU();
  const int capability = gpu_machine().gpus[0].compute_capability;
  if (capability < 80 || capability >= 90) GTEST_SKIP() << "this GPU has no sparse tensor cores of this kind";
  Machine one = gpu_machine();
  one.gpus[0].multiprocessors = 1;
  for (const Machine& machine : {one, gpu_machine()})
    for (const bool ta : {false, true})
      for (const bool small : {false, true}) {
        const DType result = small ? DType::s8 : DType::f32;
        for (const bool tc : {false, true})
          run(cuda::quantized_matmul_s8_mmasp::kKernel, with_sparse_b(quantized_product(ta, false, tc, result, small)),
              machine);
        run(cuda::matmul_bf16_mmasp::kKernel, with_sparse_b(bf16_product(ta, false, small ? DType::bf16 : DType::f32)),
            machine);
      }
}

TEST(Counters, Elementwise) {
  TANDEM_NEED_GPU();
  Case<Unary> relu;
  relu.operands = {f32("x", {1 << 16}), f32("y", {1 << 16})};
  run(cuda::unary_f32_vector::kKernel, relu);
  Case<Binary> add;
  add.operands = {f32("a", {1 << 16}), f32("b", {1 << 16}), f32("out", {1 << 16})};
  run(cuda::binary_f32_vector::kKernel, add);
  add.operands = {f32("a", {64, 1024}), f32("b", {1, 1024}), f32("out", {64, 1024})};
  run(cuda::binary_f32_vector::kKernel, add);
}

TEST(Counters, Softmax) {
  TANDEM_NEED_GPU();
  for (const std::int64_t length : {8, 64, 1024, 4096, 16384}) {
    Case<Softmax> c;
    c.operands = {f32("x", {16, length}), f32("y", {16, length})};
    run(cuda::softmax_f32_vector::kKernel, c);
  }
  Case<Softmax> columns;
  columns.attributes.axis = 0;
  columns.operands = {f32("x", {64, 64}), f32("y", {64, 64})};
  run(cuda::softmax_f32_vector::kKernel, columns);
}

TEST(Counters, Transpose) {
  TANDEM_NEED_GPU();
  Case<Transpose> c;
  c.operands = {f32("x", {128, 256}), f32("y", {256, 128})};
  c.fill = Fill::bits;
  c.exact = true;
  run(cuda::transpose_f32_tiled::kKernel, c);
}

// One scale for all, a row, a column: runs that are aligned, in 16 bytes of the wider operand.
template <class Op>
void run_integers(const Kernel<Op>& kernel, DType in, DType out, bool scales, bool zero_points) {
  for (int axis = -1; axis < 2; ++axis) {
    if (std::is_same_v<Op, Requantize> && axis == 0) continue;
    const Shape shape{128, 1024}, count{axis < 0 ? 1 : shape[axis]};
    Case<Op> c;
    if constexpr (requires { c.attributes.axis; }) c.attributes.axis = axis;
    if constexpr (requires { c.attributes.zero_points; }) c.attributes.zero_points = zero_points;
    c.operands.push_back({"in", in, shape, row_major(shape)});
    if (scales) c.operands.push_back({"scales", DType::f32, count, Strides{1}, kScaleRange});
    if (zero_points) c.operands.push_back({"zero_points", DType::s32, count, Strides{1}, ValueRange{0, 100}});
    c.operands.push_back({"out", out, shape, row_major(shape)});
    run(kernel, c);
  }
}

TEST(Counters, Integers) {
  TANDEM_NEED_GPU();
  run_integers(cuda::quantize_f32_vector::kKernel, DType::f32, DType::s8, true, true);
  run_integers(cuda::dequantize_s8_vector::kKernel, DType::s8, DType::f32, true, true);
  run_integers(cuda::requantize_s32_vector::kKernel, DType::s32, DType::u8, true, false);
  run_integers(cuda::quantized_relu_s8_vector::kKernel, DType::u8, DType::u8, false, true);
}

// One run, and rows with gaps between them.
TEST(Counters, Conversions) {
  TANDEM_NEED_GPU();
  for (const std::int64_t gap : {0, 16})
    for (const auto& [from, to] : {std::pair(DType::f32, DType::bf16), std::pair(DType::bf16, DType::f32),
                                   std::pair(DType::f32, DType::f16), std::pair(DType::f16, DType::f32)}) {
      const Shape shape{128, 1024};
      const Strides strides{1024 + gap, 1};
      Case<Convert> c;
      c.operands = {{"x", from, shape, strides}, {"y", to, shape, strides}};
      const bool bf16 = from == DType::bf16 || to == DType::bf16;
      run(bf16 ? cuda::convert_bf16_vector::kKernel : cuda::convert_f16_vector::kKernel, c);
    }
}

// Tokens of each form that stays in registers; columns; one scale for a tensor that does not.
TEST(Counters, DynamicQuantisation) {
  TANDEM_NEED_GPU();
  const auto run_dynamic = [](int axis, const Shape& shape) {
    const Shape count{axis < 0 ? 1 : shape[axis]};
    Case<DynamicQuantize> c;
    c.attributes = {Scheme::asymmetric, axis};
    c.operands = {f32("x", shape),
                  f32("scales", count),
                  {"zero_points", DType::s32, count, Strides{1}},
                  {"q", DType::s8, shape, row_major(shape)}};
    run(cuda::dynamic_quantize_f32_vector::kKernel, c);
  };
  for (const std::int64_t length : {32, 128, 256, 1024, 4096, 16384}) run_dynamic(0, {32, length});
  run_dynamic(1, {512, 1024});
  run_dynamic(-1, {512, 1024});
}

// Full rows, so that every row of a begins at the start of a line.
TEST(Counters, SparseProducts) {
  TANDEM_NEED_GPU();
  for (const std::int64_t n : {32, 64, 128, 512})
    for (const bool bias : {false, true}) {
      Case<Spmm> c;
      c.attributes.bias = bias;
      c.operands = {{"row_offsets", DType::s32, Shape{65}, Strides{1}},
                    {"columns", DType::s32, Shape{64 * 64}, Strides{1}},
                    f32("values", {64 * 64}),
                    f32("b", {64, n})};
      if (bias) c.operands.push_back(f32("bias", {n}));
      c.operands.push_back(f32("c", {64, n}));
      c.terms = 130;
      run(cuda::spmm_csr_rowsplit::kKernel, c);
    }
}

}  // namespace
}  // namespace tandem::test::counters_test
