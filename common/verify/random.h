// Seeded random numbers: the same on every machine and standard library.
#pragma once

#include <cstdint>
#include <random>

namespace tandem::verify {

/// mt19937_64 with conversions that, unlike the standard distributions, are the same everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t bits() { return engine_(); }
  /// In [0, 1), 53 bits.
  double unit() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// In [low, high], both included. The range must be far below 2^63 (the bias of the remainder is ignored).
  std::int64_t integer(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace tandem::verify
