// Products with 2:4 storage through the public functions: the same as with the matrix written out, and refusals.
#include <algorithm>
#include <cmath>
#include <memory>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <tandem/tandem.h>

#include "common/core/host_api.h"
#include "common/core/memory.h"
#include "tests/support/calls.h"

namespace tandem::sparse24_product_test {
namespace {

using test::error_of;
using test::filled;
using test::has;

/// A random [n, k] matrix, 2:4 along its rows.
Tensor pruned(std::int64_t n, std::int64_t k, std::uint64_t seed) {
  return prune_2_4(filled({n, k}, test::Fill::integers, seed)).values;
}

/// Values -3 .. 3 as s8; zeros stay zeros.
Tensor as_s8(const Tensor& x) {
  Tensor out = Tensor::empty(x.shape(), DType::s8);
  for (std::int64_t i = 0; i < x.elements(); ++i)
    out.data<std::int8_t>()[i] = static_cast<std::int8_t>(std::fmod(x.data<float>()[i], 4.0f));
  return out;
}

Quantization scale_of(float scale) { return {DType::s8, -1, Tensor::full({1}, scale), {}, false}; }

TEST(Sparse24Product, IsTheDenseProductOnEveryKernel) {
  Context ctx;
  int ran = 0;
  for (const std::int64_t m : {1, 5, 8, 9, 40})
    for (const std::int64_t k : {1, 2, 4, 7, 32, 100, 129}) {
      const Tensor x = filled({m, k}, test::Fill::integers, 1), w = pruned(19, k, 2),
                   bias = filled({19}, test::Fill::integers, 3);
      MatmulOptions options;
      options.bias = bias;
      options.activation = Activation::relu;
      const Tensor dense = matmul(ctx, x, w.view().transposed(), options);
      const std::string problem = "matmul f32:" + std::to_string(m) + "x19x" + std::to_string(k) + ",bias,act=relu,2:4";
      for (const Candidate& candidate : explain(ctx, problem).candidates) {
        if (!candidate.accepted) continue;
        options.call.kernel = candidate.kernel;
        const Tensor c = matmul_2_4(ctx, x, to_2_4(w), options);
        ++ran;
        for (std::int64_t i = 0; i < c.elements(); ++i)
          ASSERT_EQ(c.data<float>()[i], dense.data<float>()[i]) << candidate.kernel << ' ' << problem << ' ' << i;
      }
    }
  EXPECT_GE(ran, 70);  // two kernels and more
}

TEST(Sparse24Product, OfIntegersIsTheDenseOne) {
  Context ctx;
  for (const std::int64_t k : {3, 64, 101}) {
    const Tensor w = as_s8(pruned(12, k, 5)), x = as_s8(filled({9, k}, test::Fill::integers, 6));
    QuantizedMatmulOptions options;
    for (const DType result : {DType::s32, DType::f32, DType::s8}) {
      options.result = result;
      const Tensor dense = quantized_matmul(ctx, x, scale_of(0.5f), w.view().transposed(), scale_of(0.25f), options);
      const Tensor sparse = quantized_matmul_2_4(ctx, x, scale_of(0.5f), to_2_4(w), scale_of(0.25f), options);
      EXPECT_EQ(std::memcmp(dense.view().data(), sparse.view().data(),
                            static_cast<std::size_t>(dense.elements()) * size_of(result)),
                0)
          << k << ' ' << name(result);
    }
  }
}

/// b of 2:4 storage packed for the products of `ctx`. Where none of them reads panels, nothing of the size of nothing:
/// handed on like any other, and to be left alone by all.
struct Panels {
  Panels(Context& ctx, const ConstView& b, const Sparse24& stored)
      : layout(cpu::packed_layout(ctx.machine().cpu, b.dtype(), b.size(0), b.size(1))),
        memory(allocate_host(layout.bytes + 64, 64, "test")),
        packed{stored.values, memory.get(), layout.panel, layout.bytes} {
    cpu::pack_b(ctx.machine().cpu, b.dtype(), b.size(0), b.size(1), b.data(), b.strides()[0], b.strides()[1],
                memory.get());
  }
  cpu::PackedLayout layout;
  std::shared_ptr<void> memory;
  PackedMatrix packed;
};

/// Calls multiply(b, kernel, panels) with each kernel that takes the problem, on `b` with panels. Another matrix before
/// it stays in the scratch memory and betrays a kernel that reads what was not expanded.
template <class Multiply>
void on_every_kernel(Context& ctx, const std::string& problem, const Sparse24& other, const Tensor& w,
                     const Tensor& expected, Multiply multiply) {
  const Sparse24 b = to_2_4(w);
  const Panels panels(ctx, w.view().transposed(), b);
  int ran = 0;
  for (const Candidate& candidate : explain(ctx, problem).candidates) {
    if (!candidate.accepted) continue;
    multiply(other, candidate.kernel, nullptr);
    const Tensor c = multiply(b, candidate.kernel, &panels.packed);
    EXPECT_TRUE(test::same_bits(c, expected)) << candidate.kernel << ' ' << problem;
    ++ran;
  }
  EXPECT_GE(ran, 1) << problem;
}

TEST(Sparse24Product, PanelsChangeTheResultOfNoKernel) {
  ContextOptions host;
  host.use_gpu = false;
  Context ctx(host);
  // The last: of f32, few rows of a b that the caches do not hold read it beside its panels.
  const std::int64_t many = std::max<std::int64_t>(ctx.machine().cpu.l2_bytes, 1 << 19) / 8 + 100;
  struct Size {
    std::int64_t m, n, k;
  };
  for (const Size& s : {Size{1, 45, 64}, Size{9, 19, 37}, Size{40, 70, 130}, Size{1, many, 1}}) {
    const std::string size = fmt::format("{}x{}x{}", s.m, s.n, s.k);
    const Tensor x = filled({s.m, s.k}, test::Fill::integers, 1), w = pruned(s.n, s.k, 2), v = pruned(s.n, s.k, 3);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto in = [&](const Tensor& t) { return dtype == DType::f32 ? t.clone(ctx) : convert(ctx, t, dtype); };
      const Tensor a = in(x), b = in(w);
      MatmulOptions options;
      options.result = DType::f32;
      const Tensor expected = matmul(ctx, a, b.view().transposed(), options);
      on_every_kernel(ctx, fmt::format("matmul {}:{},out=f32,2:4", name(dtype), size), to_2_4(in(v)), b, expected,
                      [&](const Sparse24& matrix, const std::string& kernel, const PackedMatrix* packed) {
                        options.call.kernel = kernel;
                        options.call.packed = packed;
                        return matmul_2_4(ctx, a, matrix, options);
                      });
    }
    const Tensor a = as_s8(x), b = as_s8(w);
    QuantizedMatmulOptions options;
    options.result = DType::s32;
    const Quantization one = scale_of(1);
    const Tensor expected = quantized_matmul(ctx, a, one, b.view().transposed(), one, options);
    on_every_kernel(ctx, fmt::format("quantized_matmul s8:{},out=s32,2:4", size), to_2_4(as_s8(v)), b, expected,
                    [&](const Sparse24& matrix, const std::string& kernel, const PackedMatrix* packed) {
                      options.call.kernel = kernel;
                      options.call.packed = packed;
                      return quantized_matmul_2_4(ctx, a, one, matrix, one, options);
                    });
  }
}

TEST(Sparse24Product, WritesIntoViewsAndTakesBatches) {
  Context ctx;
  const Tensor x = filled({3, 4, 10}, test::Fill::integers, 1), w = pruned(6, 10, 2);
  Tensor c = Tensor::full({3, 6, 4}, 1.0f);
  MatmulOptions options;
  options.beta = 2;
  matmul_2_4_into(ctx, x, to_2_4(w), c.view().transposed(), options);
  const Tensor dense = matmul(ctx, x, w.view().transposed());
  for (std::int64_t b = 0; b < 3; ++b)
    for (std::int64_t i = 0; i < 4; ++i)
      for (std::int64_t j = 0; j < 6; ++j)
        EXPECT_EQ(c.data<float>()[(b * 6 + j) * 4 + i], dense.data<float>()[(b * 4 + i) * 6 + j] + 2);
}

TEST(Sparse24Product, WrongMetadataReadNothingElse) {
  Context ctx;
  Sparse24 w = to_2_4(pruned(8, 33, 2));
  for (std::int64_t i = 0; i < w.metadata.elements(); ++i) w.metadata.data<std::uint8_t>()[i] = 0xff;
  for (const std::int64_t m : {1, 20})  // no fault under a sanitizer, no more is promised
    EXPECT_EQ(matmul_2_4(ctx, filled({m, 33}, test::Fill::integers, 1), w).shape(), (Shape{m, 8}));
}

TEST(Sparse24Product, RefusesWhatDoesNotFit) {
  Context ctx;
  const Tensor x = Tensor::zeros({2, 8});
  const auto message = [&](const ConstView& a, const Sparse24& b, const MatmulOptions& options = {}) {
    return std::string(error_of([&] { matmul_2_4(ctx, a, b, options); }).what());
  };
  EXPECT_TRUE(has(message(x, to_2_4(pruned(3, 12, 1))), "a has 8 columns, the 2:4 matrix is 3x12"));
  EXPECT_TRUE(has(message(Tensor::zeros({8}), to_2_4(pruned(3, 8, 1))), "two dimensions"));
  EXPECT_TRUE(has(message(x, to_2_4(Tensor::zeros({3, 8}, DType::s8))), "s8"));
  Sparse24 broken = to_2_4(pruned(3, 8, 1));
  broken.metadata = Tensor::zeros({3, 2}, DType::u8);
  EXPECT_TRUE(has(message(x, broken), "a 3x8 matrix needs 3x4 and 3x1"));
  MatmulOptions options;
  const Tensor bias = Tensor::zeros({4});
  options.bias = bias;
  EXPECT_TRUE(has(message(x, to_2_4(pruned(3, 8, 1)), options), "a 2:4 matrix of 3x8"));
  EXPECT_TRUE(has(
      error_of([&] { quantized_matmul_2_4(ctx, as_s8(x), scale_of(1), to_2_4(pruned(3, 8, 1)), scale_of(1)); }).what(),
      "f32"));
  EXPECT_TRUE(has(error_of([&] { explain(ctx, "matmul f32:4x4x4,tb,2:4"); }).what(), "no tb"));
}

}  // namespace
}  // namespace tandem::sparse24_product_test
