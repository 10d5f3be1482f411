#include "tests/support/fill.h"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <vector>

#include "common/core/f16.h"
#include "tests/support/data.h"
#include "tests/support/verify.h"

namespace tandem::test {
namespace {

using Limits = std::numeric_limits<float>;

void scatter(const View& view, const void* values) {
  const std::size_t size = size_of(view.dtype());
  walk<1>(0, view.elements(), view.shape(), {view.strides()}, [&](std::int64_t i, const std::int64_t(&at)[1]) {
    std::memcpy(static_cast<char*>(view.data()) + static_cast<std::size_t>(at[0]) * size,
                static_cast<const char*>(values) + static_cast<std::size_t>(i) * size, size);
  });
}

void fill_wide(std::span<float> out, std::uint64_t seed) {
  Random random(seed);
  for (float& value : out) {
    const float sign = random.integer(0, 1) == 0 ? 1.0f : -1.0f;
    value = sign * std::ldexp(static_cast<float>(1 + random.unit()), static_cast<int>(random.integer(-28, 28)));
  }
}

// One element in `every` becomes one of `values`; the others stay.
void sprinkle(std::span<float> out, std::uint64_t seed, std::int64_t every, std::span<const float> values) {
  Random random(seed);
  for (float& value : out)
    if (random.integer(1, every) == 1)
      value = values[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(values.size()) - 1))];
}

void fill_floats(std::span<float> out, Fill what, int operand, std::int64_t terms, std::uint64_t seed) {
  // Infinities and the largest numbers are kept apart: a sum that overflows on the way to an infinity has two answers.
  constexpr float kInf = Limits::infinity(), kNan = Limits::quiet_NaN(), kTiny = Limits::denorm_min();
  static constexpr float kSpecial[] = {kInf,
                                       -kInf,
                                       0.0f,
                                       -0.0f,
                                       kTiny,
                                       -kTiny,
                                       Limits::min(),
                                       -Limits::min(),
                                       Limits::min() - kTiny,
                                       kTiny - Limits::min(),
                                       kNan,
                                       -kNan};
  static constexpr float kEnds[] = {Limits::max(),
                                    -Limits::max(),
                                    Limits::max() / 2,
                                    0x1p100f,
                                    -0x1p64f,
                                    0x1p-100f,
                                    0.0f,
                                    -0.0f,
                                    kTiny,
                                    -kTiny,
                                    1000 * kTiny,
                                    Limits::min(),
                                    -Limits::min(),
                                    Limits::min() - kTiny};
  const std::span<const float> special(kSpecial);
  switch (what) {
    case Fill::integers:
    case Fill::tiny_integers: {
      const std::int64_t magnitude = exact_magnitude(terms);
      fill_integers(out, seed, -magnitude, magnitude);
      if (what == Fill::tiny_integers && operand == 0)
        for (float& value : out) value *= kTiny;
      break;
    }
    case Fill::reals:
      fill_uniform(out, seed);
      break;
    case Fill::wide:
      fill_wide(out, seed);
      break;
    case Fill::specials:
      fill_uniform(out, seed);
      sprinkle(out, seed + 1, 6, special);
      break;
    case Fill::infinities:
      fill_uniform(out, seed);
      sprinkle(out, seed + 1, 6, special.first(special.size() - 2));
      break;
    case Fill::extremes:
      fill_uniform(out, seed);
      sprinkle(out, seed + 1, 2, kEnds);
      break;
    case Fill::minus_infinities: {
      Random random(seed);
      fill_uniform(out, seed);
      for (float& value : out)
        if (random.integer(0, 9) != 0) value = -kInf;
      break;
    }
    case Fill::bits: {
      Random random(seed);
      for (float& value : out) {
        const auto bits = static_cast<std::uint32_t>(random.bits());
        std::memcpy(&value, &bits, sizeof value);
      }
      break;
    }
  }
}

}  // namespace

void fill(const View& view, Fill what, int operand, std::int64_t terms, std::uint64_t seed) {
  const auto count = static_cast<std::size_t>(view.elements());
  seed = seed * 1000003 + static_cast<std::uint64_t>(operand);
  if (view.dtype() == DType::f32) {
    std::vector<float> values(count);
    fill_floats(values, what, operand, terms, seed);
    scatter(view, values.data());
    return;
  }
  if (view.dtype() == DType::bf16 && what != Fill::bits) {
    std::vector<float> values(count);
    fill_floats(values, what, operand, terms, seed);
    std::vector<std::uint16_t> halves(count);  // cut off: the ends of the range stay finite, denormals denormal
    for (std::size_t i = 0; i < count; ++i)
      halves[i] = static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(values[i]) >> 16);
    scatter(view, halves.data());
    return;
  }
  if (view.dtype() == DType::f16 && what != Fill::bits) {
    std::vector<float> values(count);
    fill_floats(values, what, operand, terms, seed);
    std::vector<std::uint16_t> halves(count);
    for (std::size_t i = 0; i < count; ++i) halves[i] = to_f16(values[i]).bits;
    scatter(view, halves.data());
    return;
  }
  std::vector<std::uint8_t> bytes(count * size_of(view.dtype()));  // any bits: only transpose takes other types
  fill_integers(std::span<std::uint8_t>(bytes), seed);
  scatter(view, bytes.data());
}

void fill_range(const View& view, const ValueRange& range, std::uint64_t seed) {
  Random random(seed);
  walk<1>(0, view.elements(), view.shape(), {view.strides()}, [&](std::int64_t, const std::int64_t(&at)[1]) {
    if (view.dtype() == DType::f32) {
      static_cast<float*>(view.data())[at[0]] =
          static_cast<float>(range.low + random.unit() * (range.high - range.low));
      return;
    }
    const std::int64_t value =
        random.integer(static_cast<std::int64_t>(range.low), static_cast<std::int64_t>(range.high));
    if (view.dtype() == DType::s32)
      static_cast<std::int32_t*>(view.data())[at[0]] = static_cast<std::int32_t>(value);
    else
      static_cast<std::uint8_t*>(view.data())[at[0]] = static_cast<std::uint8_t>(value);
  });
}

}  // namespace tandem::test
