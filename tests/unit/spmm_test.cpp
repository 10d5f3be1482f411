// Sparse products through the public interface: results, bias, refusals, choice of kernel and break-even density.
#include <cmath>
#include <limits>
#include <vector>

#include "common/ops/all.h"
#include "tests/support/calls.h"
#include "tests/support/machines.h"

namespace tandem::test::spmm_test {
namespace {

Context cpu_context(int threads = 1) {
  ContextOptions options;
  options.use_gpu = false;
  options.threads = threads;
  return Context(options);
}

std::vector<float> list(const Tensor& t) { return {t.data<float>(), t.data<float>() + t.elements()}; }

constexpr const char* kKernels[] = {"cpu.spmm.csr.simd", "cpu.spmm.csr.dense", "cpu.spmm.csr.reference"};

// The layer of a network by SparseLinear of the library that this one comes from: masked dense and sparse agree.
TEST(Spmm, MultipliesAMatrixByEveryKernel) {
  Context ctx = cpu_context();
  const float matrix[] = {0,  2, 0, 1,  //
                          0,  0, 0, 0,  //
                          -1, 0, 3, 0};
  const float b[] = {1, 2, 3, 4, 5, 6, 7, 8}, bias[] = {10, 20}, rows[] = {100, 200, 300};
  const Csr a = to_csr(ConstView(matrix, {3, 4}));
  const ConstView bv(b, {4, 2});
  for (const char* kernel : kKernels) {
    SCOPED_TRACE(kernel);
    SpmmOptions options;
    options.call.kernel = kernel;
    EXPECT_EQ(list(spmm(ctx, a, bv, options)), (std::vector<float>{13, 16, 0, 0, 14, 16}));
    EXPECT_EQ(ctx.last().kernel, kernel);
    options.bias = ConstView(bias, {2});
    EXPECT_EQ(list(spmm(ctx, a, bv, options)), (std::vector<float>{23, 36, 10, 20, 24, 36}));
    options.bias = ConstView(rows, {3, 1});
    EXPECT_EQ(list(spmm(ctx, a, bv, options)), (std::vector<float>{113, 116, 200, 200, 314, 316}));
    options.bias = {};
    options.activation = Activation::relu;
    const float minus[] = {-1, -2, -3, -4, -5, -6, -7, -8};
    EXPECT_EQ(list(spmm(ctx, a, ConstView(minus, {4, 2}), options)), (std::vector<float>(6, 0.0f)));
  }
}

// What is not stored is not multiplied: infinities there do not matter.
TEST(Spmm, LeavesOutWhatIsNotStored) {
  Context ctx = cpu_context();
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float matrix[] = {0, 2, 0}, b[] = {inf, 5, nan};
  for (const char* kernel : kKernels) {
    SpmmOptions options;
    options.call.kernel = kernel;
    EXPECT_EQ(list(spmm(ctx, to_csr(ConstView(matrix, {1, 3})), ConstView(b, {3, 1}), options))[0], 10.0f) << kernel;
  }
}

TEST(Spmm, ColumnMajorOperandsGiveTheSame) {
  Context ctx = cpu_context(2);
  Tensor dense = filled({40, 70}, Fill::integers, 1), b = filled({70, 33}, Fill::integers, 2);
  for (std::int64_t i = 0; i < dense.elements(); ++i)
    if (i % 5 != 0) dense.data<float>()[i] = 0;
  const Csr a = to_csr(dense);
  const Tensor plain = spmm(ctx, a, b);
  const Tensor turned = transpose(ctx, b);
  for (const char* kernel : kKernels) {
    SpmmOptions options;
    options.call.kernel = kernel;
    Tensor c = Tensor::zeros({33, 40});
    spmm_into(ctx, a, turned.view().transposed(), c.view().transposed(), options);
    EXPECT_EQ(list(transpose(ctx, c)), list(plain)) << kernel;
  }
}

TEST(Spmm, RefusesBadCalls) {
  Context ctx = cpu_context();
  const float matrix[] = {0, 2, 1, 0}, b[] = {1, 2, 3, 4};
  const Csr a = to_csr(ConstView(matrix, {2, 2}));
  const ConstView bv(b, {2, 2});
  const auto message = [&](const auto& call) {
    const Error error = error_of(call);
    EXPECT_EQ(error.code(), Code::invalid_argument);
    return std::string(error.what());
  };
  EXPECT_EQ(message([&] { spmm(ctx, a, ConstView(b, {1, 2})); }), "spmm: inner dimensions differ (a is 2x2, b is 1x2)");
  EXPECT_EQ(message([&] { spmm(ctx, a, ConstView(b, {2})); }), "spmm: b needs two dimensions (b is 2)");
  Tensor c = Tensor::zeros({2, 3});
  EXPECT_EQ(message([&] { spmm_into(ctx, a, bv, c.view()); }), "spmm: c is 2x3, but a @ b is 2x2 (a is 2x2, b is 2x2)");
  SpmmOptions options;
  options.bias = ConstView(b, {3});
  EXPECT_EQ(message([&] { spmm(ctx, a, bv, options); }),
            "spmm: bias is 3, but 2 (one a column) or 2x1 (one a row) is needed");
  Tensor square = Tensor::zeros({2, 2});
  EXPECT_NE(message([&] { spmm_into(ctx, a, square, square.view()); }).find("overlaps"), std::string::npos);
  EXPECT_NE(message([&] {
              spmm_into(ctx, a, bv, View(const_cast<float*>(a.values.data<float>()), {1, 2}));
            }).find("c is"),
            std::string::npos);
  // Hostile structures, before any kernel sees them.
  for (const std::int32_t column : {-1, 2, 2147483647}) {
    Csr bad = to_csr(ConstView(matrix, {2, 2}));
    bad.columns.data<std::int32_t>()[1] = column;
    EXPECT_EQ(message([&] { spmm(ctx, bad, bv); }), "check_csr: row 1 has column " + std::to_string(column) + " of 2");
  }
  Csr bad = to_csr(ConstView(matrix, {2, 2}));
  bad.row_offsets.data<std::int32_t>()[2] = 1000;
  EXPECT_EQ(message([&] { spmm(ctx, bad, bv); }), "check_csr: row_offsets ends with 1000, but 2 elements are stored");
}

TEST(Spmm, EmptyMatrices) {
  Context ctx = cpu_context();
  const float bias[] = {1, 2, 3};
  for (const char* kernel : kKernels) {
    SpmmOptions options;
    options.call.kernel = kernel;
    EXPECT_EQ(spmm(ctx, to_csr(Tensor::zeros({0, 4})), Tensor::zeros({4, 3}), options).shape(), (Shape{0, 3}));
    EXPECT_EQ(spmm(ctx, to_csr(Tensor::zeros({4, 2})), Tensor::zeros({2, 0}), options).shape(), (Shape{4, 0}));
    options.bias = ConstView(bias, {3});
    EXPECT_EQ(list(spmm(ctx, to_csr(Tensor::zeros({1, 0})), Tensor::zeros({0, 3}), options)),
              (std::vector<float>{1, 2, 3}));
  }
}

SpmmProblem cube(std::int64_t size, double density) {
  SpmmProblem p;
  p.m = p.n = p.k = size;
  p.stored = static_cast<std::int64_t>(density * static_cast<double>(size) * static_cast<double>(size));
  return p;
}

// On a machine that is made up: the break-even density is where the two predictions cross, and dispatch changes there
// from the sparse kernel to the one that expands a (which costs a little more than a dense product of its own).
TEST(Spmm, IsChosenWhereItIsPredictedFaster) {
  ContextOptions options;
  options.machine = plain_machine();
  Context ctx(options);
  const double even = Spmm::break_even_density(cube(1024, 0.5), ctx.machine());
  EXPECT_GT(even, 0.05);
  EXPECT_LT(even, 0.95);
  const auto chosen = [&](double density) {
    return explain(ctx, "spmm csr:1024x1024x1024@" + std::to_string(density));
  };
  const Decision below = chosen(even * 0.98), above = chosen(std::min(1.0, even * 1.4));
  EXPECT_EQ(below.kernel, "cpu.spmm.csr.simd");
  EXPECT_EQ(above.kernel, "cpu.spmm.csr.dense");
  const double dense = explain(ctx, "matmul f32:1024x1024x1024").predicted_seconds;
  EXPECT_LT(below.predicted_seconds, dense);
  EXPECT_GT(chosen(even * 1.02).predicted_seconds, dense);
  EXPECT_NE(below.why.find("break-even with a dense f32 product on the CPU at"), std::string::npos) << below.why;
}

}  // namespace
}  // namespace tandem::test::spmm_test
