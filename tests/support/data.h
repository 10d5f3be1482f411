// Seeded test data: the same on every machine and standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include <tandem/tensor.h>

#include "common/verify/random.h"

namespace tandem::test {

using verify::Random;

/// Reals in [low, high).
void fill_uniform(std::span<float> out, std::uint64_t seed, float low = -1.0f, float high = 1.0f);

/// Whole numbers in [low, high].
void fill_integers(std::span<float> out, std::uint64_t seed, std::int64_t low, std::int64_t high);
void fill_integers(std::span<std::int8_t> out, std::uint64_t seed, std::int64_t low = -128, std::int64_t high = 127);
void fill_integers(std::span<std::uint8_t> out, std::uint64_t seed, std::int64_t low = 0, std::int64_t high = 255);
void fill_integers(std::span<std::int32_t> out, std::uint64_t seed, std::int64_t low, std::int64_t high);

/// The largest v <= 16 for which a sum of k products of whole numbers in [-v, v] stays within 2^24, and so is exact in
/// f32 in every order of summation. 0 when k is above 2^24.
std::int64_t exact_magnitude(std::int64_t k);

/// NaN, infinities, zeros of both signs, denormals and the ends of the normal range.
std::span<const float> special_values();

/// Overwrites about one element in `every` with a special value.
void sprinkle_special(std::span<float> out, std::uint64_t seed, int every = 13);

/// Host tensors of one shape and dtype that hold the same bits.
inline bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && a.dtype() == b.dtype() &&
         std::memcmp(a.view().data(), b.view().data(), static_cast<std::size_t>(a.elements()) * size_of(a.dtype())) ==
             0;
}

}  // namespace tandem::test
