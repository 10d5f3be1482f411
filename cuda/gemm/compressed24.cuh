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
template <class Element, int kRows, int kThreads>
class CompressedLoader {
  static constexpr int kSize = sizeof(Element);
  static constexpr int kAcross = kThreads / 4;  // rows of values a step
  static constexpr int kSteps = kRows / kAcross;
  static constexpr int kWords = kPlaceWords<kSize>;
  static constexpr int kPlaceSteps = kRows * kWords / kThreads;
  static_assert(kRows % kAcross == 0 && kRows * kWords % kThreads == 0);

 public:
  static constexpr int kBytes = kRows * (kValueBytes + kWords * 4);

  __device__ CompressedLoader(const TileSource& source, int thread)
      : row_(thread / 4),
        chunk_(thread % 4),
        place_row_(thread / kWords),
        word_(thread % kWords),
        rows_(source.rows),
        stride_(source.stride_i),
        places_stride_(source.places_stride) {
    const int groups = (source.depth + 3) / 4;
    at_ = static_cast<const Element*>(source.data) + row_ * stride_ + chunk_ * (16 / kSize);
    left_ = 2 * groups - chunk_ * (16 / kSize);
    places_ = source.places + place_row_ * places_stride_ + word_ * 4;
    groups_left_ = groups - word_ * 8;
    aligned_ = reinterpret_cast<std::uintptr_t>(source.data) % 16 == 0 && stride_ * kSize % 16 == 0;
    aligned_places_ = reinterpret_cast<std::uintptr_t>(source.places) % 4 == 0 && places_stride_ % 4 == 0;
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
#pragma unroll
    for (int s = 0; s < kPlaceSteps; ++s) held_places_[s] = read_places(s);
    at_ += kValueBytes / kSize;
    left_ -= kValueBytes / kSize;
    places_ += kWords * 4;
    groups_left_ -= kWords * 8;
  }

  __device__ __forceinline__ void store(char* slab) {
    if (!aligned_) {
#pragma unroll
      for (int s = 0; s < kSteps; ++s)
        *reinterpret_cast<uint4*>(slab + values_at(row_ + s * kAcross, chunk_ * 16)) = held_[s];
    }
    auto* const words = reinterpret_cast<unsigned*>(slab + kRows * kValueBytes);
#pragma unroll
    for (int s = 0; s < kPlaceSteps; ++s)
      words[places_at<kSize>(place_row_ + s * (kThreads / kWords), word_)] = held_places_[s];
  }

 private:
  static __device__ __forceinline__ uint4 read(const Element* from, int count) {
    unsigned words[4] = {};
#pragma unroll
    for (int e = 0; e < 16 / kSize; ++e)
      if (e < count) words[e * kSize / 4] |= static_cast<unsigned>(__ldg(from + e)) << e * kSize % 4 * 8;
    return make_uint4(words[0], words[1], words[2], words[3]);
  }

  /// The places of eight groups. Those that do not exist get two different ones, which the instruction needs.
  __device__ __forceinline__ unsigned read_places(int s) const {
    constexpr unsigned kFirstTwo = 0x44444444u;
    const std::uint8_t* from = places_ + s * (kThreads / kWords) * places_stride_;
    if (place_row_ + s * (kThreads / kWords) >= rows_ || groups_left_ <= 0) return kFirstTwo;
    if (aligned_places_ && groups_left_ >= 8) return __ldg(reinterpret_cast<const unsigned*>(from));
    unsigned word = 0;
#pragma unroll
    for (int b = 0; b < 4; ++b)
      if (2 * b < groups_left_) word |= static_cast<unsigned>(__ldg(from + b)) << 8 * b;
    const unsigned exist = groups_left_ >= 8 ? 0xffffffffu : (1u << 4 * groups_left_) - 1;
    return (word & exist) | (kFirstTwo & ~exist);
  }

  const int row_, chunk_, place_row_, word_, rows_;
  const std::int64_t stride_, places_stride_;
  const Element* at_;
  const std::uint8_t* places_;
  int left_, groups_left_;
  bool aligned_, aligned_places_;
  uint4 held_[kSteps];
  unsigned held_places_[kPlaceSteps];
};

}  // namespace tandem::cuda
