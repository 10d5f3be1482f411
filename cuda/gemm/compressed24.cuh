// Slabs of an operand in 2:4 storage as the sparse tensor cores take it: 64 bytes of values and their places for what
// are 128 bytes of k.
#pragma once

#include "cuda/gemm/slab.cuh"

namespace tandem::cuda {

inline constexpr int kValueBytes = kSlabBytes / 2;  // of a row

/// Where byte `byte` of the values of row i is: eight consecutive rows of a chunk of 16 bytes lie in all banks.
__host__ __device__ constexpr int values_at(int i, int byte) {
  return i * kValueBytes + (((byte >> 4) ^ (i >> 1 & 3)) << 4 | (byte & 15));
}
/// Words of places of a row of a slab, each those of eight groups, and where word w of row i is: rows i and i + 8 of a
/// word, and the next word, lie in different banks.
template <int kSize>
inline constexpr int kPlaceWords = 4 / kSize;
template <int kSize>
__host__ __device__ constexpr int places_at(int i, int w) {
  return i * kPlaceWords<kSize> + (kSize == 1 ? w ^ (i >> 3 & 1) * 2 : w);
}

/// Brings values and places to `slab`: kRows * kValueBytes, then kRows * kPlaceWords words.
///
/// Memory is read by sectors of 32 bytes, but the places of a row of a slab are 16 (s8) or 8 (bf16). So those of two or
/// four slabs are read at once, by the four threads of a row, which keep them until the slab comes that they are of.
template <class Element, int kRows, int kThreads>
class CompressedLoader {
  static constexpr int kSize = sizeof(Element);
  static constexpr int kAcross = kThreads / 4;  // rows of values a step
  static constexpr int kSteps = kRows / kAcross;
  static constexpr int kWords = kPlaceWords<kSize>;
  static constexpr int kSlabs = 8 / kWords;  // that a sector of places is for
  static constexpr int kGroups = 64;         // of a sector, of which a thread has a quarter: two words
  static_assert(kRows % kAcross == 0);

 public:
  static constexpr int kBytes = kRows * (kValueBytes + kWords * 4);

  __device__ CompressedLoader(const TileSource& source, int thread)
      : row_(thread / 4),
        chunk_(thread % 4),
        rows_(source.rows),
        stride_(source.stride_i),
        places_stride_(source.places_stride) {
    const int groups = (source.depth + 3) / 4;
    at_ = static_cast<const Element*>(source.data) + row_ * stride_ + chunk_ * (16 / kSize);
    left_ = 2 * groups - chunk_ * (16 / kSize);
    places_ = source.places + row_ * places_stride_ + chunk_ * 8;
    groups_left_ = groups - chunk_ * (kGroups / 4);
    aligned_ = reinterpret_cast<std::uintptr_t>(source.data) % 16 == 0 && stride_ * kSize % 16 == 0;
    const auto place_lines =
        reinterpret_cast<std::uintptr_t>(source.places) | static_cast<std::uintptr_t>(places_stride_);
    pairs_ = place_lines % 8 == 0;
    words_ = place_lines % 4 == 0;
  }

  __device__ __forceinline__ void fetch(char* slab) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      const int count = row_ + s * kAcross < rows_ ? ::min(::max(left_, 0), 16 / kSize) : 0;
      const Element* from = count > 0 ? at_ + s * kAcross * stride_ : at_;
      if (aligned_)
        async_copy16(slab + values_at(row_ + s * kAcross, chunk_ * 16), from, count * kSize);
      else
        held_[s] = read(from, count);
    }
    at_ += kValueBytes / kSize;
    left_ -= kValueBytes / kSize;
    if (slab_ == 0) {
#pragma unroll
      for (int s = 0; s < kSteps; ++s) held_places_[s] = read_places(s);
      places_ += kGroups / 2;
      groups_left_ -= kGroups;
    }
  }

  __device__ __forceinline__ void store(char* slab) {
    if (!aligned_) {
#pragma unroll
      for (int s = 0; s < kSteps; ++s)
        *reinterpret_cast<uint4*>(slab + values_at(row_ + s * kAcross, chunk_ * 16)) = held_[s];
    }
    if (chunk_ * 2 / kWords == slab_) {
      auto* const words = reinterpret_cast<unsigned*>(slab + kRows * kValueBytes);
#pragma unroll
      for (int s = 0; s < kSteps; ++s)
        *reinterpret_cast<uint2*>(words + places_at<kSize>(row_ + s * kAcross, chunk_ * 2 % kWords)) = held_places_[s];
    }
    slab_ = (slab_ + 1) % kSlabs;
  }

 private:
  static __device__ __forceinline__ uint4 read(const Element* from, int count) {
    unsigned words[4] = {};
#pragma unroll
    for (int e = 0; e < 16 / kSize; ++e)
      if (e < count) words[e * kSize / 4] |= static_cast<unsigned>(__ldg(from + e)) << e * kSize % 4 * 8;
    return make_uint4(words[0], words[1], words[2], words[3]);
  }

  /// The places of 16 groups.
  __device__ __forceinline__ uint2 read_places(int s) const {
    const std::uint8_t* from = places_ + s * kAcross * places_stride_;
    const int left = row_ + s * kAcross < rows_ ? groups_left_ : 0;
    if (pairs_ && left >= 16) return __ldg(reinterpret_cast<const uint2*>(from));
    return make_uint2(read_word(from, left), read_word(from + 4, left - 8));
  }
  /// Those of eight, of which `left` exist. The others get two different ones, which the instruction needs.
  __device__ __forceinline__ unsigned read_word(const std::uint8_t* from, int left) const {
    constexpr unsigned kFirstTwo = 0x44444444u;
    if (left <= 0) return kFirstTwo;
    if (words_ && left >= 8) return __ldg(reinterpret_cast<const unsigned*>(from));
    unsigned word = 0;
#pragma unroll
    for (int b = 0; b < 4; ++b)
      if (2 * b < left) word |= static_cast<unsigned>(__ldg(from + b)) << 8 * b;
    const unsigned exist = left >= 8 ? 0xffffffffu : (1u << 4 * left) - 1;
    return (word & exist) | (kFirstTwo & ~exist);
  }

  const int row_, chunk_, rows_;
  const std::int64_t stride_, places_stride_;
  const Element* at_;
  const std::uint8_t* places_;
  int left_, groups_left_;
  int slab_ = 0;  // of the sector of places
  bool aligned_, pairs_, words_;
  uint4 held_[kSteps];
  uint2 held_places_[kSteps];
};

}  // namespace tandem::cuda
