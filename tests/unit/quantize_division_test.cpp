// cpu/loops/integers.h claims that a quotient can be rounded to an integer without a division. The claim rests on these
// tests: see has_fast_quotient().
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "common/dispatch/select.h"
#include "cpu/loops/integers.h"
#include "tests/support/kernel_run.h"

namespace tandem::test::quantize_division_test {
namespace {

/// The floats around each product of the scale with n + 1/2, where a wrong quotient would round to another integer.
std::vector<float> critical_inputs(float scale) {
  constexpr int kNeighbours = 4;
  std::vector<float> inputs;
  for (int n = 0; n <= 257; ++n) {
    const float product = scale * (static_cast<float>(n) + 0.5f);
    const auto bits = std::bit_cast<std::uint32_t>(product);
    for (int step = -kNeighbours; step <= kNeighbours; ++step)
      inputs.push_back(std::bit_cast<float>(bits + static_cast<std::uint32_t>(step)));
  }
  return inputs;
}

/// Quantisation of x to q with one scale, and one zero point unless it is null.
QuantizeArgs one_scale(const std::vector<float>& x, const float& scale, const std::int32_t* zero,
                       std::vector<std::int8_t>& q) {
  QuantizeArgs args;
  args.scales = &scale;
  args.zero_points = zero;
  args.in = x.data();
  args.out = q.data();
  args.range = {-128, 127};
  const Shape shape{static_cast<std::int64_t>(x.size())};
  const Strides unit{1}, none{0};
  args.loops = make_loops<4>(shape, {&unit, &none, &none, &unit});
  return args;
}

class Comparison {
 public:
  explicit Comparison(IsaLevel level) : machine_(machine_of({level, 1, false})) {}

  /// Inputs on which the kernel and a division differ, among those critical for the scale.
  std::size_t differences(float scale) {
    const std::vector<float> inputs = critical_inputs(scale);
    result_.resize(inputs.size());
    constexpr std::int32_t kZero = -128;  // quotients from 0 to 255 stay apart
    const Kernel<Quantize>& kernel = *find_kernel<Quantize>("cpu.quantize.f32.simd")->kernel;
    EXPECT_EQ(kernel.run(one_scale(inputs, scale, &kZero, result_), {&machine_, nullptr, nullptr}, {}), Code::ok);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      constexpr float kRound = 0x1.8p23f;  // adding it rounds to whole numbers, ties to even
      const float rounded = inputs[i] / scale + kRound - kRound;
      wrong += static_cast<float>(result_[i]) != std::min(rounded - 128.0f, 127.0f);
    }
    return wrong;
  }

 private:
  Machine machine_;
  std::vector<std::int8_t> result_;
};

/// Every `step`-th significand, in one binade.
void compare_significands(IsaLevel level, std::uint32_t step, float binade) {
  Comparison comparison(level);
  std::size_t wrong = 0;
  for (std::uint32_t bits = 0; bits < (1u << 23); bits += step)
    wrong += comparison.differences(binade * std::bit_cast<float>(0x3f800000u | bits));
  // The ends, all ones among them, where a form without a division goes wrong first.
  for (std::uint32_t bits = (1u << 23) - 8; bits < (1u << 23); ++bits)
    wrong += comparison.differences(binade * std::bit_cast<float>(0x3f800000u | bits));
  EXPECT_EQ(wrong, 0u) << name(level) << ", scales from " << binade;
}

TEST(QuantizeDivision, SameAsADivisionOnCriticalInputs) {
  for (const IsaLevel level : {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512}) {
    if (level > cpu_level()) continue;
    for (const float binade : {1.0f, 0x1p-7f, 0x1p-64f, 0x1p63f}) compare_significands(level, 15013, binade);
  }
  if (cpu_level() >= IsaLevel::avx2) compare_significands(IsaLevel::avx2, 509, 1.0f);
}

TEST(QuantizeDivision, SameAsADivisionForEverySignificand) {
  const char* asked = std::getenv("TANDEM_TEST_EXHAUSTIVE");
  if (asked == nullptr || std::string(asked) != "1") GTEST_SKIP() << "takes a minute; TANDEM_TEST_EXHAUSTIVE=1 runs it";
  compare_significands(cpu_level(), 1, 1.0f);
}

TEST(QuantizeDivision, SameAsADivisionOnEveryInputOfSomeScales) {
  Comparison comparison(cpu_level());
  // All floats, in steps, for scales at the ends of the fast path and beyond.
  for (const float scale : {0x1p-64f, 0x1.fffffep63f, 0x1p-65f, 0x1p65f, 1.0f / 127, 0x1p-126f, 0x1p-149f, 0x1p127f}) {
    std::vector<float> inputs;
    for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << 32); bits += 65521)
      inputs.push_back(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    std::vector<std::int8_t> fast(inputs.size()), slow(inputs.size());
    const Shape shape{static_cast<std::int64_t>(inputs.size())};
    const View operands[] = {View(inputs.data(), shape), View(const_cast<float*>(&scale), Shape{1}),
                             View(fast.data(), shape)};
    const View reference[] = {operands[0], operands[1], View(slow.data(), shape)};
    const Machine machine = machine_of({cpu_level(), 1, false});
    const Queue queue{&machine, nullptr, nullptr};
    find_kernel<Quantize>("cpu.quantize.f32.simd")->kernel->run(Quantize::bind({}, operands), queue, {});
    find_kernel<Quantize>("cpu.quantize.f32.reference")->kernel->run(Quantize::bind({}, reference), queue, {});
    EXPECT_EQ(fast, slow) << scale;
  }
}

// Vectors of quotients that are near take a shorter way than those with one that is not.
TEST(QuantizeDivision, OneFarInputAmongNearOnesSaturatesAlone) {
  constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> far = {kNan, -kNan};
  for (const float size : {1023.5f, 1024.0f, 32767.0f, 32767.5f, 32768.0f, 32768.5f, 32769.0f, 65536.0f, 0x1.fffffep30f,
                           0x1p31f, 0x1.000002p31f, 0x1p32f, 1e30f, kInf})
    far.insert(far.end(), {size, -size});
  constexpr std::size_t kElements = 300;
  constexpr float kNear[] = {0, 1, -2, 3.25f, -127.75f, 126.25f, 200};
  const std::int32_t zeros[] = {0, 5, -128};
  for (const IsaLevel level : {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512}) {
    if (level > cpu_level()) continue;
    const Machine machine = machine_of({level, 1, false});
    for (const float scale : {1.0f, 0.1f, 0x1p-65f})  // the last one is divided by
      for (const std::int32_t& zero : zeros)
        for (std::size_t f = 0; f < far.size(); ++f) {
          std::vector<float> x(kElements);
          for (std::size_t i = 0; i < kElements; ++i) x[i] = kNear[i % std::size(kNear)] * scale;
          const std::size_t place = 5 * f + 100;
          x[place] = far[f] * scale;
          std::vector<std::int8_t> q(kElements);
          const Kernel<Quantize>& kernel = *find_kernel<Quantize>("cpu.quantize.f32.simd")->kernel;
          ASSERT_EQ(kernel.run(one_scale(x, scale, zero == 0 ? nullptr : &zero, q), {&machine, nullptr, nullptr}, {}),
                    Code::ok);
          for (std::size_t i = 0; i < kElements; ++i) {
            const float rounded = std::isnan(x[i]) ? 0 : std::nearbyint(x[i] / scale);
            ASSERT_EQ(static_cast<float>(q[i]), std::clamp(rounded + static_cast<float>(zero), -128.0f, 127.0f))
                << name(level) << ", element " << i << ": " << x[i] << " / " << scale << " + " << zero << ", far at "
                << place;
          }
        }
  }
}

}  // namespace
}  // namespace tandem::test::quantize_division_test
