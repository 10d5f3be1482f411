// The test tools themselves: a guard that catches nothing would make every kernel look right.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/data.h"
#include "tests/support/env_guard.h"
#include "tests/support/failing_allocations.h"
#include "tests/support/guarded_buffer.h"
#include "tests/support/shapes.h"
#include "tests/support/ulp.h"

namespace tandem::test::support_test {
namespace {

// Keeps the compiler from removing an access, and the sanitizers from reporting it instead of the guard page.
__attribute__((noinline, no_sanitize("address"))) void poke(std::byte* at) {
  *const_cast<volatile std::byte*>(at) = std::byte{1};
}
__attribute__((noinline, no_sanitize("address"))) std::byte peek(const std::byte* at) {
  return *const_cast<const volatile std::byte*>(at);
}

TEST(GuardedBufferDeathTest, FaultsBeyondTheFlushSide) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  for (const std::size_t bytes :
       {std::size_t{0}, std::size_t{1}, std::size_t{12}, std::size_t{4096}, std::size_t{9999}}) {
    const GuardedBuffer end(bytes), start(bytes, Flush::to_start);
    EXPECT_DEATH(poke(end.data() + bytes), "") << bytes;
    EXPECT_DEATH(peek(end.data() + bytes), "") << bytes;
    EXPECT_DEATH(poke(start.data() - 1), "") << bytes;
    EXPECT_DEATH(peek(start.data() - 1), "") << bytes;
  }
  GuardedBuffer input(8);
  input.make_read_only();
  EXPECT_EQ(peek(input.data()), std::byte{0xff});
  EXPECT_DEATH(poke(input.data()), "");
}

TEST(GuardedBuffer, FindsWritesIntoTheSlack) {
  GuardedBuffer end(100), start(100, Flush::to_start), inside(100, Flush::to_end, 16);
  EXPECT_EQ(end.damage() + start.damage() + inside.damage(), "");
  for (GuardedBuffer* buffer : {&end, &start, &inside}) {
    for (std::size_t i = 0; i < buffer->bytes(); ++i) poke(buffer->data() + i);
    EXPECT_EQ(buffer->damage(), "");
  }
  poke(end.data() - 3);
  EXPECT_EQ(end.damage(), "byte 3 before the data was written");
  poke(start.data() + 100);
  EXPECT_EQ(start.damage(), "byte 0 after the data was written");
  poke(inside.data() + 100 + 15);
  EXPECT_EQ(inside.damage(), "byte 15 after the data was written");
}

TEST(GuardedBuffer, PlacesAndPoisonsTheData) {
  const auto misalignment = [](const GuardedBuffer& b) { return reinterpret_cast<std::uintptr_t>(b.data()) % 64; };
  EXPECT_EQ(misalignment(GuardedBuffer(64)), 0u);
  EXPECT_EQ(misalignment(GuardedBuffer(20)), 44u);
  EXPECT_EQ(misalignment(GuardedBuffer(64, Flush::to_end, 4)), 60u);
  EXPECT_EQ(misalignment(GuardedBuffer(20, Flush::to_start, 12)), 12u);
  GuardedBuffer buffer(12);
  EXPECT_EQ(buffer.as<float>().size(), 3u);
  for (const float value : buffer.as<float>()) EXPECT_TRUE(std::isnan(value));
  buffer.as<float>()[1] = 2;
  GuardedBuffer moved = std::move(buffer);
  EXPECT_EQ(moved.as<float>()[1], 2);
  moved.poison();
  EXPECT_TRUE(std::isnan(moved.as<float>()[1]));
}

TEST(GuardedTensor, FindsWritesIntoTheGaps) {
  GuardedTensor tensor(DType::f32, {3, 4}, padded_strides({3, 4}, 2));
  EXPECT_EQ(tensor.view().strides(), (Strides{6, 1}));
  EXPECT_EQ(tensor.memory<float>().size(), 16u) << "the extent: 2 * 6 + 4";
  const auto memory = tensor.memory<float>();
  for (int row = 0; row < 3; ++row) std::fill_n(memory.begin() + row * 6, 4, 1.0f);
  EXPECT_EQ(tensor.damage(), "");
  std::iota(memory.begin(), memory.end(), 0.0f);
  EXPECT_EQ(tensor.damage(), "the gap at element 4 of the memory was written");
  tensor.remember_gaps();
  EXPECT_EQ(tensor.damage(), "");
  memory[11] = -1;
  EXPECT_EQ(tensor.damage(), "the gap at element 11 of the memory was written");
  EXPECT_EQ(GuardedTensor(DType::u8, {0, 5}).memory<std::uint8_t>().size(), 0u);
  EXPECT_EQ(padded_strides({2, 3, 4}, 1), (Strides{15, 5, 1}));
}

TEST(Data, IsSeededAndInRange) {
  std::vector<float> a(10000), b(10000);
  fill_uniform(a, 1);
  fill_uniform(b, 1);
  EXPECT_EQ(a, b);
  fill_uniform(b, 2);
  EXPECT_NE(a, b);
  const auto [low, high] = std::minmax_element(a.begin(), a.end());
  EXPECT_GE(*low, -1.0f);
  EXPECT_LT(*low, -0.99f);
  EXPECT_LT(*high, 1.0f);
  EXPECT_GT(*high, 0.99f);
  EXPECT_EQ(Random(1).bits(), 2469588189546311528u) << "the generator of the standard, on every machine";

  std::vector<std::int8_t> bytes(10000);
  fill_integers(bytes, 3);
  EXPECT_EQ(std::set<std::int8_t>(bytes.begin(), bytes.end()).size(), 256u);
  fill_integers(a, 4, -2, 2);
  EXPECT_EQ(std::set<float>(a.begin(), a.end()), (std::set<float>{-2, -1, 0, 1, 2}));
}

TEST(Data, ExactMagnitudeKeepsSumsExact) {
  for (const std::int64_t k : {1, 7, 1024, 65536, 65537, 1 << 20, 1 << 24}) {
    const std::int64_t v = exact_magnitude(k);
    ASSERT_GE(v, 1);
    EXPECT_LE(k * v * v, 1 << 24);
    EXPECT_TRUE(v == 16 || k * (v + 1) * (v + 1) > 1 << 24);
  }
  EXPECT_EQ(exact_magnitude((1 << 24) + 1), 0);
}

TEST(Data, SpecialValuesAllAppear) {
  std::vector<float> values(5000, 1.0f);
  sprinkle_special(values, 5);
  std::size_t changed = 0, nans = 0;
  std::set<float> seen;
  for (const float value : values) {
    if (std::isnan(value)) {
      ++nans;
    } else {
      seen.insert(value);
    }
    changed += value != 1.0f ? 1u : 0u;
  }
  EXPECT_GT(nans, 0u);
  EXPECT_EQ(seen.size(), special_values().size() - 3 + 1) << "two NaNs, equal zeros; and the ones";
  EXPECT_GT(changed, values.size() / 26);
  EXPECT_LT(changed, values.size() / 6);
}

TEST(FailAllocation, FailsTheNthAndNoOther) {
  int begun = 0, finished = 0;
  const long failures = fail_every_allocation(
      [&] {
        ++begun;
        const std::vector<float> first(10);
        const auto second = std::make_unique<std::array<double, 4>>();
        std::unique_ptr<void, void (*)(void*)> third(std::aligned_alloc(64, 64), std::free);
        if (!third) throw Error(Code::out_of_memory, "third");
        ++finished;
      },
      [&] { EXPECT_EQ(finished, 0); });
  EXPECT_EQ(failures, 3);
  EXPECT_EQ(begun, 4);
  EXPECT_EQ(finished, 1);
  EXPECT_THROW(fail_every_allocation([] { throw Error(Code::out_of_memory, "not ours"); }, [] {}), Error);
}

TEST(EnvGuard, PutsTheOldStateBack) {
  const char* const name = "TANDEM_TEST_ENV_GUARD";
  ::unsetenv(name);
  {
    const EnvGuard outer(name, "outer");
    EXPECT_STREQ(std::getenv(name), "outer");
    {
      const EnvGuard inner(name, std::nullopt);
      EXPECT_EQ(std::getenv(name), nullptr);
    }
    EXPECT_STREQ(std::getenv(name), "outer");
  }
  EXPECT_EQ(std::getenv(name), nullptr);
}

TEST(Shapes, CoverTheEdges) {
  const std::int64_t tiles[] = {16, 6};
  EXPECT_EQ(edge_sizes(tiles, 17), (std::vector<std::int64_t>{0, 1, 2, 3, 5, 6, 7, 13, 15, 16, 17}));
  EXPECT_EQ(all_sizes(3, 5), (std::vector<std::int64_t>{3, 4, 5}));
  const auto pairs = combinations<2>({all_sizes(0, 1), all_sizes(5, 7)});
  ASSERT_EQ(pairs.size(), 6u);
  EXPECT_EQ(pairs[1], (std::array<std::int64_t, 2>{0, 6}));
  EXPECT_EQ(pairs[5], (std::array<std::int64_t, 2>{1, 7}));
}

TEST(Ulp, CountsFloatsBetweenTwo) {
  using Limits = std::numeric_limits<float>;
  const float inf = Limits::infinity(), nan = Limits::quiet_NaN();
  EXPECT_EQ(ulp_distance(1.0f, 1.0f), 0);
  EXPECT_EQ(ulp_distance(1.0f, std::nextafter(1.0f, 2.0f)), 1);
  EXPECT_EQ(ulp_distance(1.0f, std::nextafter(1.0f, 0.0f)), 1);
  EXPECT_EQ(ulp_distance(0.0f, -0.0f), 0);
  EXPECT_EQ(ulp_distance(Limits::denorm_min(), -Limits::denorm_min()), 2);
  EXPECT_EQ(ulp_distance(Limits::max(), inf), 1);
  EXPECT_EQ(ulp_distance(nan, -nan), 0);
  EXPECT_EQ(ulp_distance(nan, 1.0f), kNoUlp);
  EXPECT_GT(ulp_distance(inf, -inf), 0x7fffffff);

  EXPECT_EQ(ulp_error(1.0f, 1.0), 0.0);
  EXPECT_EQ(ulp_error(1.0f, 1.0 + 0x1p-24), 0.5);
  EXPECT_EQ(ulp_error(std::nextafter(1.0f, 2.0f), 1.0), 1.0);
  EXPECT_EQ(ulp_error(0.0f, 0x1p-150), 0.5);
  EXPECT_EQ(ulp_error(-Limits::denorm_min(), 0.0), 1.0);
  EXPECT_EQ(ulp_error(inf, 1e300), 0.0);
  EXPECT_EQ(ulp_error(Limits::max(), 1e300), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ulp_error(nan, 1.0), std::numeric_limits<double>::infinity());
  EXPECT_EQ(ulp_error(nan, std::nan("")), 0.0);
}

}  // namespace
}  // namespace tandem::test::support_test
