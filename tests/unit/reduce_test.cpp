// Reductions along columns: an output depends on its own column alone.
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>
#include <tandem/tandem.h>

namespace tandem::test::reduce_test {
namespace {

std::vector<std::uint32_t> maxima(const Tensor& x, int threads, IsaLevel isa) {
  ContextOptions options;
  options.threads = threads;
  options.isa_max = isa;
  Context ctx(options);
  Tensor out = Tensor::empty({x.shape()[1]});
  CallOptions call;
  call.kernel = "cpu.reduce.f32.simd";
  reduce_into(ctx, ReduceFn::max, x.view(), {}, out.view(), 0, call);
  std::vector<std::uint32_t> bits;
  for (std::int64_t j = 0; j < x.shape()[1]; ++j) bits.push_back(std::bit_cast<std::uint32_t>(out.data<float>()[j]));
  return bits;
}

// Two zeros with different signs are equal: which one is given must not depend on what the columns beside it hold, nor
// on where the share of a thread begins.
TEST(ReduceColumns, AMaximumDoesNotDependOnItsNeighbours) {
  constexpr std::int64_t kRows = 512, kColumns = 640;
  const auto zeros = [](double special, std::int64_t column) {
    Tensor x = Tensor::empty({kRows, kColumns});
    for (std::int64_t i = 0; i < kRows; ++i)
      for (std::int64_t j = 0; j < kColumns; ++j)
        x.data<float>()[i * kColumns + j] = i == 0 ? -0.0f : i == 1 ? 0.0f : -1.0f;
    if (column >= 0) x.data<float>()[5 * kColumns + column] = static_cast<float>(special);
    return x;
  };
  for (const IsaLevel isa : {IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512}) {
    const std::vector<std::uint32_t> plain = maxima(zeros(0, -1), 1, isa);
    for (const double special : {std::nan(""), -std::numeric_limits<double>::infinity()}) {
      const Tensor x = zeros(special, 400);
      const std::vector<std::uint32_t> one = maxima(x, 1, isa);
      for (std::size_t j = 0; j < one.size(); ++j)
        if (j != 400) {
          EXPECT_EQ(one[j], plain[j]) << j;
        }
      EXPECT_EQ(std::isnan(special), std::isnan(std::bit_cast<float>(one[400])));
      for (const int threads : {2, 3}) EXPECT_EQ(maxima(x, threads, isa), one) << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace tandem::test::reduce_test
