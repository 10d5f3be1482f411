// Slabs of an operand of small elements in shared memory, and how they get there. A slab holds 128 bytes along k of
// each of its rows (i along m or n), so that four bytes of k are one word, whatever the layout in memory is.
//
// The 128 bytes are eight chunks of 16; row i has chunk c at place c ^ i % 8, which is the 128-byte swizzle of wgmma.
// Then the same chunk of eight consecutive rows lies in all banks (ldmatrix, float4-like reads).
#pragma once

#include <cstdint>

#include "common/ops/sparse24.h"
#include "cuda/gemm/async_copy.cuh"

namespace tandem::cuda {

inline constexpr int kSlabBytes = 128;  // of a row

/// Where byte `byte` of row i is.
__host__ __device__ constexpr int slab_at(int i, int byte) {
  return i * kSlabBytes + (((byte >> 4) ^ (i & 7)) << 4 | (byte & 15));
}

/// How an operand lies in memory.
enum class Way {
  rows,      // contiguous along k: 16-byte copies. Needs rows aligned to 16 bytes
  columns,   // contiguous along i: 16-byte reads, transposed in registers. Also needs whole 16 bytes of i
  elements,  // anything else: element by element, or by words of 4 bytes where these are whole
  sparse24   // two of each four along k and their places (Sparse24Rows), which become dense on the way
};

/// One operand of a tile: element (0, 0), strides in elements, what exists of it. In 2:4 storage `data` are the values,
/// stride_i is that of them, and depth counts what they stand for.
struct TileSource {
  const void* data;
  std::int64_t stride_i, stride_k;
  int rows, depth;  // depth: over all slabs
  const std::uint8_t* places = nullptr;
  std::int64_t places_stride = 0;  // bytes a row
};

/// Rows `first` to `first` + `rows` - 1 of a matrix in 2:4 storage.
template <int kSize>
__device__ __forceinline__ TileSource rows_source(const Sparse24Rows& b, std::int64_t first, int rows, int depth) {
  const std::int64_t stride = 2 * b.groups, places_stride = (b.groups + 1) / 2;
  return {static_cast<const char*>(b.values) + first * stride * kSize,
          stride,
          1,
          rows,
          depth,
          b.metadata + first * places_stride,
          places_stride};
}

template <class Element, int kRows, int kThreads, Way kWay>
class SlabLoader;

template <class Element, int kRows, int kThreads>
class SlabLoader<Element, kRows, kThreads, Way::rows> {
  static constexpr int kSize = sizeof(Element);
  static constexpr int kAcross = kThreads / 8;  // rows a step
  static constexpr int kSteps = kRows / kAcross;
  static_assert(kRows % kAcross == 0);

 public:
  __device__ SlabLoader(const TileSource& source, int thread)
      : row_(thread / 8), chunk_(thread % 8), rows_(source.rows), step_(kAcross * source.stride_i) {
    at_ = static_cast<const Element*>(source.data) + row_ * source.stride_i + chunk_ * (16 / kSize);
    left_ = source.depth - chunk_ * (16 / kSize);
  }

  /// Starts to read the next slab; what does not exist becomes zeros. store() finishes it.
  __device__ __forceinline__ void fetch(char* slab) {
    if (kHasAsyncCopy && left_ > 0 && left_ < 16 / kSize) {
      fetch_end(slab);
    } else {
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        const bool exists = row_ + s * kAcross < rows_ && left_ > 0;
        const Element* from = exists ? at_ + s * step_ : at_;
        if constexpr (kHasAsyncCopy)
          async_copy16(slab + place(s), from, exists ? 16 : 0);
        else
          held_[s] = read(from, exists ? ::min(left_, 16 / kSize) : 0);
      }
    }
    at_ += kSlabBytes / kSize;
    left_ -= kSlabBytes / kSize;
  }
  __device__ __forceinline__ void store(char* slab) {
    if constexpr (!kHasAsyncCopy) {
#pragma unroll
      for (int s = 0; s < kSteps; ++s) *reinterpret_cast<uint4*>(slab + place(s)) = held_[s];
    }
  }

 private:
  __device__ __forceinline__ int place(int s) const { return slab_at(row_ + s * kAcross, chunk_ * 16); }
  /// Ends of rows that are no whole chunk: by elements, since a copy of less than 16 bytes counts as one of 16 for
  /// tools that check accesses.
  __device__ __forceinline__ void fetch_end(char* slab) const {
#pragma unroll 1
    for (int s = 0; s < kSteps; ++s)
      *reinterpret_cast<uint4*>(slab + place(s)) = read(at_ + s * step_, row_ + s * kAcross < rows_ ? left_ : 0);
  }
  /// The first `count` elements; beyond them nothing may be read.
  static __device__ __forceinline__ uint4 read(const Element* from, int count) {
    if (count == 16 / kSize) return __ldg(reinterpret_cast<const uint4*>(from));
    unsigned words[4] = {};
#pragma unroll
    for (int e = 0; e < 16 / kSize; ++e)
      if (e < count) words[e * kSize / 4] |= static_cast<unsigned>(from[e]) << e * kSize % 4 * 8;
    return make_uint4(words[0], words[1], words[2], words[3]);
  }

  const int row_, chunk_, rows_;
  const std::int64_t step_;
  const Element* at_;
  int left_;
  uint4 held_[kHasAsyncCopy ? 1 : kSteps];
};

/// Four words of k from 4 / kSize rows of k, each four bytes of i.
template <int kSize>
__device__ __forceinline__ void transpose_words(const unsigned (&k)[4 / kSize], unsigned (&i)[4 / kSize]) {
  if constexpr (kSize == 1) {
    const unsigned low01 = __byte_perm(k[0], k[1], 0x5140), low23 = __byte_perm(k[2], k[3], 0x5140);
    const unsigned high01 = __byte_perm(k[0], k[1], 0x7362), high23 = __byte_perm(k[2], k[3], 0x7362);
    i[0] = __byte_perm(low01, low23, 0x5410);
    i[1] = __byte_perm(low01, low23, 0x7632);
    i[2] = __byte_perm(high01, high23, 0x5410);
    i[3] = __byte_perm(high01, high23, 0x7632);
  } else {
    i[0] = __byte_perm(k[0], k[1], 0x5410);
    i[1] = __byte_perm(k[0], k[1], 0x7632);
  }
}

/// The lanes of a warp take two groups of 16 bytes along i and 16 words along k of them: reads of 32 bytes, since more
/// groups would meet in the banks that words of one chunk have. Lanes of the second group store the rows of four in
/// another order, so that their places differ in the third bit from those of the first.
template <class Element, int kRows, int kThreads>
class SlabLoader<Element, kRows, kThreads, Way::columns> {
  static constexpr int kSize = sizeof(Element);
  static constexpr int kDepths = 4 / kSize;  // rows of k that a word takes
  static constexpr int kWide = 16 / kSize;   // i of one read
  static constexpr int kWarps = kThreads / 32;
  static constexpr int kSteps = kRows / kWide / kWarps;
  static_assert(kWarps % 2 == 0 && kRows % (kWide * kWarps) == 0);

 public:
  __device__ SlabLoader(const TileSource& source, int thread)
      : group_(thread / 64 * 2 + thread % 2),
        word_(thread / 32 % 2 * 16 + thread % 32 / 2),
        rows_(source.rows),
        stride_k_(source.stride_k) {
    at_ = static_cast<const Element*>(source.data) + group_ * kWide + word_ * kDepths * source.stride_k;
    left_ = source.depth - word_ * kDepths;
  }

  __device__ __forceinline__ void fetch(char*) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s)
#pragma unroll
      for (int d = 0; d < kDepths; ++d) {
        const bool exists = (group_ + s * kWarps) * kWide < rows_ && d < left_;
        const Element* from = at_ + s * kWarps * kWide + d * stride_k_;
        held_[s][d] = exists ? __ldg(reinterpret_cast<const uint4*>(from)) : make_uint4(0, 0, 0, 0);
      }
    at_ += kSlabBytes / kSize * stride_k_;
    left_ -= kSlabBytes / kSize;
  }

  __device__ __forceinline__ void store(char* slab) {
    const int second = second_group();
#pragma unroll
    for (int s = 0; s < kSteps; ++s)
#pragma unroll
      for (int p = 0; p < 4; ++p) {
        constexpr int kOther = kSize;  // part p ^ kOther is four rows away
        unsigned k[kDepths], i[kDepths];
#pragma unroll
        for (int d = 0; d < kDepths; ++d) k[d] = second ? (&held_[s][d].x)[p ^ kOther] : (&held_[s][d].x)[p];
        transpose_words<kSize>(k, i);
        const int row = (group_ + s * kWarps) * kWide + (p ^ second * kOther) * kDepths;
#pragma unroll
        for (int e = 0; e < kDepths; ++e) *reinterpret_cast<unsigned*>(slab + slab_at(row + e, word_ * 4)) = i[e];
      }
  }

 private:
  __device__ __forceinline__ int second_group() const { return group_ & 1; }

  const int group_, word_, rows_;
  const std::int64_t stride_k_;
  const Element* at_;
  int left_;
  uint4 held_[kSteps][kDepths];
};

template <class Element, int kRows, int kThreads>
class SlabLoader<Element, kRows, kThreads, Way::elements> {
  static constexpr int kSize = sizeof(Element);
  static constexpr int kPerWord = 4 / kSize;
  static constexpr int kSteps = kRows * 32 / kThreads;

 public:
  __device__ SlabLoader(const TileSource& source, int thread)
      : source_(source), along_k_(source.stride_k <= source.stride_i), thread_(thread), left_(source.depth) {
    at_ = static_cast<const Element*>(source.data);
    words_ = source.stride_k == 1 && source.stride_i * kSize % 4 == 0 && reinterpret_cast<std::uintptr_t>(at_) % 4 == 0;
  }

  /// Straight to the slab: nobody may read it any more.
  __device__ __forceinline__ void fetch(char* slab) {
#pragma unroll 4
    for (int s = 0; s < kSteps; ++s) {
      const int unit = s * kThreads + thread_;
      const int row = along_k_ ? unit / 32 : unit % kRows, word = along_k_ ? unit % 32 : unit / kRows;
      *reinterpret_cast<unsigned*>(slab + slab_at(row, word * 4)) = read(row, word * kPerWord);
    }
    at_ += kSlabBytes / kSize * source_.stride_k;
    left_ -= kSlabBytes / kSize;
  }
  __device__ __forceinline__ void store(char*) {}

 private:
  __device__ __forceinline__ unsigned read(int row, int k) const {
    const Element* from = at_ + row * source_.stride_i + k * source_.stride_k;
    if (row >= source_.rows) return 0;
    if (words_ && k + kPerWord <= left_) return __ldg(reinterpret_cast<const unsigned*>(from));
    unsigned word = 0;
#pragma unroll
    for (int e = 0; e < kPerWord; ++e)
      if (k + e < left_) word |= static_cast<unsigned>(__ldg(from + e * source_.stride_k)) << e * kSize * 8;
    return word;
  }

  const TileSource source_;
  const bool along_k_;
  const int thread_;
  bool words_;
  const Element* at_;
  int left_;
};

}  // namespace tandem::cuda
