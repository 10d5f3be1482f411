// The ways through the CUDA kernels on 8-bit integers: each width of access, each place of the scales, rows with gaps,
// data larger than L2, and channels of each length.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include <tandem/quantize.h>

#include "cuda/kernels.h"
#include "tests/cuda/paths.h"
#include "tests/support/data.h"

namespace tandem::test::integer_paths_test {
namespace {

constexpr ValueRange kScales{0x1p-8, 0x1p-6};

struct Form {
  Shape shape;
  int axis = -1;
  std::int64_t gap = 0;                                         // elements between rows of both
  std::int64_t scale_gap = 1;                                   // from scale to scale
  std::size_t in_offset = 0, out_offset = 0, scale_offset = 0;  // elements
};

Strides strides_of(const Form& form) {
  Shape padded = form.shape;
  padded[padded.rank() - 1] += padded.rank() > 1 ? form.gap : 0;
  return row_major(padded);
}

/// Operands in, scales, zero points (one of them may be left out), out.
template <class Op>
Case<Op> integer_case(const Form& form, DType in, DType out, bool scales, bool zero_points,
                      ValueRange scale = kScales) {
  const Shape count{form.axis < 0 ? 1 : form.shape[form.axis]};
  const Strides step{form.scale_gap};
  Case<Op> c;
  c.operands.push_back({"in", in, form.shape, strides_of(form)});
  c.offsets.push_back(form.in_offset * size_of(in));
  if (scales) {
    c.operands.push_back({"scales", DType::f32, count, step, scale});
    c.offsets.push_back(4 * form.scale_offset);
  }
  if (zero_points) {
    c.operands.push_back({"zero_points", DType::s32, count, step, zero_point_range(in == DType::f32 ? out : in)});
    c.offsets.push_back(4 * form.scale_offset);
  }
  c.operands.push_back({"out", out, form.shape, strides_of(form)});
  c.offsets.push_back(form.out_offset * size_of(out));
  c.flush = Flush::to_start;
  return c;
}

void expect_all_right(const Form& form, const Machine& machine) {
  for (const DType dtype : {DType::s8, DType::u8}) {
    Case<Quantize> quantize = integer_case<Quantize>(form, DType::f32, dtype, true, true);
    quantize.attributes = {form.axis, true, dtype == DType::s8};
    for (OperandSpec& operand : quantize.operands)
      if (operand.name == "zero_points") operand.range = ValueRange{0, 127};
    expect_right(cuda::quantize_f32_vector::kKernel, quantize, machine);
    Case<Dequantize> dequantize = integer_case<Dequantize>(form, dtype, DType::f32, true, true);
    dequantize.attributes = {form.axis, true, false};
    expect_right(cuda::dequantize_s8_vector::kKernel, dequantize, machine);
    Case<QuantizedRelu> relu = integer_case<QuantizedRelu>(form, dtype, dtype, false, true);
    relu.attributes = {form.axis, true};
    expect_right(cuda::quantized_relu_s8_vector::kKernel, relu, machine);
    if (form.axis >= 0 && form.axis + 1 != form.shape.rank()) continue;  // multipliers are along the last axis
    Case<Requantize> requantize = integer_case<Requantize>(form, DType::s32, dtype, true, false, {0x1p-24, 0x1p-22});
    requantize.operands[0].range = ValueRange{-0x1p31, 0x7fffffff};
    requantize.attributes = {dtype == DType::s8 ? -3 : 100};
    expect_right(cuda::requantize_s32_vector::kKernel, requantize, machine);
  }
}

TEST(Integers, OneScale) {
  TANDEM_NEED_GPU();
  for (const std::int64_t l2 : {std::int64_t{1} << 20, std::int64_t{0}})
    for (const std::int64_t count : {1, 3, 16, 17, 4096, 16384, 16387, 70001})
      for (const std::size_t offset : {0, 1, 3, 4, 13, 16}) {
        const Machine machine = smaller(4, l2);
        expect_all_right({.shape = {count}, .in_offset = offset, .out_offset = offset}, machine);
        if (count < 5000) expect_all_right({.shape = {count}, .in_offset = offset}, machine);
      }
}

// Scales a row and a column; rows on lines of 16 and of 4 elements and off them; rows longer than a block.
TEST(Integers, Rows) {
  TANDEM_NEED_GPU();
  for (const std::int64_t rows : {1, 2, 9, 70})
    for (const std::int64_t length : {3, 15, 16, 20, 48, 65, 256, 1024})
      for (const int axis : {-1, 0, 1})
        for (const std::int64_t gap : {0, 1, 4, 16}) {
          if (axis < 0 && gap == 0) continue;
          expect_all_right({.shape = {rows, length}, .axis = axis, .gap = gap}, gpu_machine());
        }
  for (const int axis : {0, 1}) {
    expect_all_right({.shape = {5, 4800}, .axis = axis}, gpu_machine());
    expect_all_right({.shape = {2, 4801}, .axis = axis}, gpu_machine());
    expect_all_right({.shape = {6, 64}, .axis = axis, .scale_gap = 2}, gpu_machine());
    expect_all_right({.shape = {6, 64}, .axis = axis, .scale_offset = 1}, gpu_machine());
    expect_all_right({.shape = {6, 64}, .axis = axis, .in_offset = 4}, gpu_machine());
    expect_all_right({.shape = {6, 64}, .axis = axis, .in_offset = 4, .out_offset = 2}, gpu_machine());
  }
}

TEST(Integers, RowsOfMoreDimensions) {
  TANDEM_NEED_GPU();
  for (int axis = -1; axis < 3; ++axis)
    for (const std::int64_t gap : {0, 4, 5})
      expect_all_right({.shape = {3, 5, 32}, .axis = axis, .gap = gap}, gpu_machine());
  expect_all_right({.shape = {3, 64}, .axis = 1}, gpu_machine());
  expect_all_right({.shape = {200}, .axis = 0}, gpu_machine());
  expect_all_right({.shape = {201}, .axis = 0}, gpu_machine());
}

Case<DynamicQuantize> dynamic_case(DType dtype, Scheme scheme, int axis, const Shape& shape, const Strides& x,
                                   const Strides& q) {
  const Shape count{axis < 0 ? 1 : shape[axis]};
  Case<DynamicQuantize> c;
  c.attributes = {scheme, axis};
  c.operands = {{"x", DType::f32, shape, x},
                {"scales", DType::f32, count, Strides{1}},
                {"zero_points", DType::s32, count, Strides{1}},
                {"q", dtype, shape, q}};
  return c;
}

void expect_dynamic_right(int axis, const Shape& shape, const Strides& x, const Strides& q, const Machine& machine,
                          std::size_t offset = 0) {
  static int turn = 0;
  constexpr Fill kFills[] = {Fill::reals, Fill::wide, Fill::specials, Fill::bits, Fill::extremes};
  for (const Scheme scheme : {Scheme::symmetric, Scheme::asymmetric}) {
    Case<DynamicQuantize> c = dynamic_case(++turn % 2 == 0 ? DType::s8 : DType::u8, scheme, axis, shape, x, q);
    c.fill = kFills[turn / 2 % 5];
    c.flush = Flush::to_start;
    c.offsets = {4 * offset, 0, 0, offset};
    expect_right(cuda::dynamic_quantize_f32_vector::kKernel, c, machine);
  }
}

// A group of lanes, a warp, a block a channel, and channels that do not fit in registers.
TEST(DynamicQuantisation, EveryLength) {
  TANDEM_NEED_GPU();
  for (const std::int64_t length : {1,    7,    8,    31,   32,   33,   100,   127,   128,   129,   252,   256,  257,
                                    1000, 1024, 1025, 4096, 4100, 4101, 16384, 16385, 16388, 28672, 60001, 60004})
    for (const std::int64_t channels : {1, 3, 17}) {
      if (length * channels > 100000) continue;
      const Shape shape{channels, length};
      expect_dynamic_right(0, shape, row_major(shape), row_major(shape), gpu_machine());
      expect_dynamic_right(0, shape, Strides{length + 3, 1}, Strides{length + 4, 1}, gpu_machine());
      expect_dynamic_right(0, shape, row_major(shape), row_major(shape), gpu_machine(), 1);
      expect_dynamic_right(-1, shape, row_major(shape), row_major(shape), smaller(2, 1 << 20));
    }
}

// Channels side by side, in one part and in several.
TEST(DynamicQuantisation, Columns) {
  TANDEM_NEED_GPU();
  for (const std::int64_t rows : {1, 2, 31, 100, 1000})
    for (const std::int64_t columns : {2, 31, 32, 33, 128, 132, 260}) {
      const Shape shape{rows, columns};
      for (const Machine& machine : {gpu_machine(), smaller(1, 1 << 20)}) {
        expect_dynamic_right(1, shape, row_major(shape), row_major(shape), machine);
        expect_dynamic_right(1, shape, row_major(shape), row_major(shape), machine, 2);
        expect_dynamic_right(1, shape, Strides{columns + 4, 1}, Strides{columns + 1, 1}, machine);
      }
    }
}

// Neither: gaps between the elements, and channels in the middle.
TEST(DynamicQuantisation, OtherPlaces) {
  TANDEM_NEED_GPU();
  for (const Shape& shape : {Shape{3, 5, 7}, Shape{40, 3, 130}, Shape{2, 70, 64}})
    for (int axis = -1; axis < 3; ++axis) {
      const Strides gaps{2 * shape[1] * shape[2], 2 * shape[2], 2};
      expect_dynamic_right(axis, shape, row_major(shape), row_major(shape), gpu_machine());
      expect_dynamic_right(axis, shape, gaps, row_major(shape), gpu_machine());
      expect_dynamic_right(axis, shape, row_major(shape), gaps, smaller(1, 0));
    }
}

// The floats around every place where a quotient is rounded up or down, for scales of all magnitudes and some
// significands, all ones among them: the fused kernel's quotients against divisions of the host.
TEST(DynamicQuantisation, QuotientsNextToTies) {
  TANDEM_NEED_GPU();
  constexpr std::int64_t kTokens = 120, kAround = 5, kLength = 253 * kAround + 3;
  Random random(7);
  Tensor x = Tensor::empty({kTokens, kLength});
  for (std::int64_t token = 0; token < kTokens; ++token) {
    const std::int64_t significand = token % 8 == 0 ? 0x7fffff : random.integer(0, 0x7fffff);
    const auto bits = static_cast<std::uint32_t>((1 + token * 2) << 23 | significand);
    const double scale = static_cast<double>(std::bit_cast<float>(bits));
    float* row = x.data<float>() + token * kLength;
    *row++ = static_cast<float>(127 * scale);
    *row++ = std::numeric_limits<float>::quiet_NaN();
    *row++ = -0.0f;
    for (std::int64_t tie = -126; tie <= 126; ++tie)
      for (std::int64_t step = 0; step < kAround; ++step) {
        const auto at = static_cast<float>((static_cast<double>(tie) + (tie < 0 ? 0.5 : -0.5)) * scale);
        const auto there = std::bit_cast<std::uint32_t>(at) + static_cast<std::uint32_t>(step - kAround / 2);
        *row++ = std::bit_cast<float>(there);
      }
  }
  Context ctx;
  QuantizeOptions options;
  options.axis = 0;
  options.call.kernel = "cuda.dynamic_quantize.f32.vector";
  const QuantizedTensor q = dynamic_quantize(ctx, x, options);
  for (std::int64_t i = 0; i < kTokens * kLength; ++i) {
    const float quotient = x.data<float>()[i] / q.quantization.scales.data<float>()[i / kLength];
    const float expected = std::isnan(quotient) ? 0.0f : std::clamp(std::nearbyint(quotient), -127.0f, 127.0f);
    ASSERT_EQ(q.values.data<std::int8_t>()[i], static_cast<std::int8_t>(expected))
        << x.data<float>()[i] << " in token " << i / kLength;
  }
}

}  // namespace
}  // namespace tandem::test::integer_paths_test
