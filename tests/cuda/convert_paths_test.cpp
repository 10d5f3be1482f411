// The ways through the CUDA kernels of conversions: runs on lines of four elements and off them, rows, data larger than
// L2.
#include <utility>

#include "cuda/kernels.h"
#include "tests/cuda/paths.h"

namespace tandem::test::convert_paths_test {
namespace {

void expect_both_right(const Shape& shape, const Strides& strides, std::size_t in_offset, std::size_t out_offset,
                       const Machine& machine) {
  for (const auto& [from, to] : {std::pair(DType::f32, DType::bf16), std::pair(DType::bf16, DType::f32),
                                 std::pair(DType::f32, DType::f16), std::pair(DType::f16, DType::f32)}) {
    Case<Convert> c;
    c.operands = {{"x", from, shape, strides}, {"y", to, shape, strides}};
    c.offsets = {in_offset * size_of(from), out_offset * size_of(to)};
    c.flush = Flush::to_start;
    c.fill = Fill::wide;
    const bool bf16 = from == DType::bf16 || to == DType::bf16;
    expect_right(bf16 ? cuda::convert_bf16_vector::kKernel : cuda::convert_f16_vector::kKernel, c, machine);
  }
}

TEST(Conversions, OneRun) {
  TANDEM_NEED_GPU();
  for (const std::int64_t l2 : {std::int64_t{1} << 20, std::int64_t{0}})
    for (const std::int64_t count : {1, 3, 4, 17, 4096, 4099, 70001})
      for (const std::size_t offset : {0, 1, 3, 4}) {
        expect_both_right({count}, {1}, offset, offset, smaller(4, l2));
        if (count < 5000) expect_both_right({count}, {1}, offset, 0, smaller(4, l2));
      }
}

TEST(Conversions, Rows) {
  TANDEM_NEED_GPU();
  for (const std::int64_t rows : {2, 9, 70})
    for (const std::int64_t length : {3, 15, 16, 20, 65, 1028, 4800})
      for (const std::int64_t gap : {1, 4})
        for (const std::size_t offset : {0, 2}) {
          if (rows * length > 50000) continue;
          expect_both_right({rows, length}, {length + gap, 1}, offset, offset, gpu_machine());
        }
  expect_both_right({6, 64}, {68, 1}, 4, 2, gpu_machine());
}

}  // namespace
}  // namespace tandem::test::convert_paths_test
