// Slabs of an operand in 2:4 storage (Sparse24Rows): made dense on the way to shared memory, for products that know
// nothing of it.
#pragma once

#include "cuda/gemm/slab.cuh"

namespace tandem::cuda {

/// The 16 bytes that 8 bytes of values and their places stand for.
template <int kSize>
__device__ __forceinline__ uint4 expand24(uint2 values, unsigned places) {
  if constexpr (kSize == 1) {
    const auto group = [&](unsigned pair, int g) {
      return (pair & 0xff) << (places >> 4 * g & 3) * 8 | (pair >> 8 & 0xff) << (places >> (4 * g + 2) & 3) * 8;
    };
    return make_uint4(group(values.x, 0), group(values.x >> 16, 1), group(values.y, 2), group(values.y >> 16, 3));
  } else {
    const auto group = [&](unsigned pair, int g) {
      const unsigned long long first = pair & 0xffff, second = pair >> 16;
      return first << (places >> 4 * g & 3) * 16 | second << (places >> (4 * g + 2) & 3) * 16;
    };
    const unsigned long long low = group(values.x, 0), high = group(values.y, 1);
    return make_uint4(static_cast<unsigned>(low), static_cast<unsigned>(low >> 32), static_cast<unsigned>(high),
                      static_cast<unsigned>(high >> 32));
  }
}

template <class Element, int kRows, int kThreads>
class SlabLoader<Element, kRows, kThreads, Way::sparse24> {
  static constexpr int kSize = sizeof(Element);
  static constexpr int kAcross = kThreads / 8;  // rows a step
  static constexpr int kSteps = kRows / kAcross;
  static constexpr int kGroups = 4 / kSize;  // of a chunk: 8 bytes of values, kGroups / 2 of places
  static_assert(kRows % kAcross == 0);

 public:
  __device__ SlabLoader(const TileSource& source, int thread)
      : row_(thread / 8), chunk_(thread % 8), rows_(source.rows), source_(source) {
    at_ = static_cast<const char*>(source.data) + (row_ * source.stride_i + chunk_ * 2 * kGroups) * kSize;
    places_ = source.places + row_ * source.places_stride + chunk_ * kGroups / 2;
    left_ = (source.depth + 3) / 4 - chunk_ * kGroups;
    whole_ = reinterpret_cast<std::uintptr_t>(source.data) % 8 == 0 && source.stride_i * kSize % 8 == 0;
  }

  __device__ __forceinline__ void fetch(char*) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      const char* from = at_ + s * kAcross * source_.stride_i * kSize;
      const std::uint8_t* places = places_ + s * kAcross * source_.places_stride;
      const bool exists = row_ + s * kAcross < rows_;
      held_[s] = exists ? read(from) : make_uint2(0, 0);
      held_places_[s] = exists && left_ > 0 ? __ldg(places) : 0u;
      if (kSize == 1 && exists && left_ > 2) held_places_[s] |= static_cast<unsigned>(__ldg(places + 1)) << 8;
    }
    at_ += kSlabBytes / 2;
    places_ += kSlabBytes / kSize / 8;
    left_ -= kSlabBytes / kSize / 4;
  }
  __device__ __forceinline__ void store(char* slab) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s)
      *reinterpret_cast<uint4*>(slab + slab_at(row_ + s * kAcross, chunk_ * 16)) =
          expand24<kSize>(held_[s], held_places_[s]);
  }

 private:
  /// The values of the groups that are left, four at most.
  __device__ __forceinline__ uint2 read(const char* from) const {
    if (whole_ && left_ >= kGroups) return __ldg(reinterpret_cast<const uint2*>(from));
    unsigned words[2] = {};
#pragma unroll
    for (int e = 0; e < 2 * kGroups; ++e)
      if (e / 2 < left_)
        words[e * kSize / 4] |= static_cast<unsigned>(__ldg(reinterpret_cast<const Element*>(from) + e))
                                << e * kSize % 4 * 8;
    return make_uint2(words[0], words[1]);
  }

  const int row_, chunk_, rows_;
  const TileSource source_;
  const char* at_;
  const std::uint8_t* places_;
  int left_;  // groups
  bool whole_;
  uint2 held_[kSteps];
  unsigned held_places_[kSteps];
};

}  // namespace tandem::cuda
