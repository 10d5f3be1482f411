#include "tests/support/data.h"

#include <limits>

namespace tandem::test {
namespace {

template <class T>
void fill_whole(std::span<T> out, std::uint64_t seed, std::int64_t low, std::int64_t high) {
  Random random(seed);
  for (T& value : out) value = static_cast<T>(random.integer(low, high));
}

}  // namespace

void fill_uniform(std::span<float> out, std::uint64_t seed, float low, float high) {
  Random random(seed);
  for (float& value : out) {
    // 24 bits: the float is below 1, so the result is below `high` unless low + x * (high - low) rounds up to it.
    const float unit = static_cast<float>(random.bits() >> 40) * 0x1p-24f;
    value = low + unit * (high - low);
    if (value >= high) value = low;
  }
}

void fill_integers(std::span<float> out, std::uint64_t seed, std::int64_t low, std::int64_t high) {
  fill_whole(out, seed, low, high);
}
void fill_integers(std::span<std::int8_t> out, std::uint64_t seed, std::int64_t low, std::int64_t high) {
  fill_whole(out, seed, low, high);
}
void fill_integers(std::span<std::uint8_t> out, std::uint64_t seed, std::int64_t low, std::int64_t high) {
  fill_whole(out, seed, low, high);
}
void fill_integers(std::span<std::int32_t> out, std::uint64_t seed, std::int64_t low, std::int64_t high) {
  fill_whole(out, seed, low, high);
}

std::int64_t exact_magnitude(std::int64_t k) {
  constexpr std::int64_t kExact = std::int64_t{1} << 24;
  std::int64_t v = 16;
  while (v > 0 && (k > kExact || k * v * v > kExact)) --v;
  return v;
}

std::span<const float> special_values() {
  using Limits = std::numeric_limits<float>;
  static constexpr float kValues[] = {Limits::quiet_NaN(),
                                      -Limits::quiet_NaN(),
                                      Limits::infinity(),
                                      -Limits::infinity(),
                                      0.0f,
                                      -0.0f,
                                      Limits::denorm_min(),
                                      -Limits::denorm_min(),
                                      Limits::min() - Limits::denorm_min(),  // the largest denormal
                                      -(Limits::min() - Limits::denorm_min()),
                                      Limits::min(),
                                      -Limits::min(),
                                      Limits::max(),
                                      Limits::lowest()};
  return kValues;
}

void sprinkle_special(std::span<float> out, std::uint64_t seed, int every) {
  Random random(seed);
  const auto specials = special_values();
  for (float& value : out) {
    if (random.integer(1, every) == 1) {
      value = specials[static_cast<std::size_t>(random.integer(0, static_cast<std::int64_t>(specials.size()) - 1))];
    }
  }
}

}  // namespace tandem::test
