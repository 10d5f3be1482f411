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

// Columns with NaN of both signs and infinities, which give NaN of their own: the bits do not depend on where shares
// begin.
TEST(ReduceColumns, NanBitsDoNotDependOnThreads) {
  const Shape shape{3, 200, 103};
  std::vector<float> values(static_cast<std::size_t>(3 * 200 * 103), 1.0f);
  constexpr float kInf = std::numeric_limits<float>::infinity();
  const float specials[] = {std::nanf(""), -std::nanf(""), kInf, -kInf};
  std::uint32_t random = 1;
  for (float& value : values)
    if ((random = random * 1664525 + 1013904223) >> 24 < 8) value = specials[random >> 8 & 3];
  for (std::size_t j = 0; j < 103; ++j) values[j] = specials[0], values[103 + j] = kInf;
  const Tensor x = Tensor::from(shape, std::span<const float>(values));
  for (const IsaLevel isa : {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512}) {
    std::vector<std::vector<std::uint32_t>> first;
    for (const int threads : {1, 2, 3, 5}) {
      ContextOptions options;
      options.threads = threads;
      options.isa_max = isa;
      Context ctx(options);
      std::vector<std::vector<std::uint32_t>> all;
      const auto keep = [&](const Tensor& y) {
        std::vector<std::uint32_t> bits;
        for (std::int64_t i = 0; i < y.elements(); ++i)
          bits.push_back(std::bit_cast<std::uint32_t>(y.data<float>()[i]));
        all.push_back(std::move(bits));
      };
      for (const int axis : {0, 1}) {
        CallOptions call;
        call.kernel = "cpu.softmax.f32.simd";
        keep(softmax(ctx, x, axis, call));
        keep(log_softmax(ctx, x, axis, call));
        call.kernel = "cpu.reduce.f32.simd";
        for (const ReduceFn fn :
             {ReduceFn::sum, ReduceFn::max, ReduceFn::dot, ReduceFn::euclidean_distance, ReduceFn::cosine_similarity}) {
          const bool two = fn != ReduceFn::sum && fn != ReduceFn::max;
          Tensor out = Tensor::empty(axis == 0 ? Shape{200, 103} : Shape{3, 103});
          reduce_into(ctx, fn, x, two ? ConstView(x) : ConstView(), out, axis, call);
          keep(out);
        }
      }
      if (threads == 1)
        first = all;
      else
        EXPECT_TRUE(all == first) << threads << " threads, " << name(isa);
    }
  }
}

}  // namespace
}  // namespace tandem::test::reduce_test
