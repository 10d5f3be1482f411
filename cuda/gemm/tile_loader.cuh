// Brings slabs of an operand from global to shared memory as slab[k][i], i along m (or n): the form in which the inner
// loop reads float4 of consecutive i. Four ways, by what is contiguous in memory and whether float4 may be read.
//
// An operand contiguous along k is transposed on the way. Neighbouring threads then store to different k, which would
// hit few banks; so the column of depth k is i ^ column_xor(k), which spreads them over all and keeps groups of four
// together.
#pragma once

#include <cstdint>
#include <type_traits>

#include "cuda/gemm/async_copy.cuh"

namespace tandem::cuda {

inline constexpr int kDepth = 16;  // of a slab

enum class Access {
  scalar,
  vector
};  // vector: float4; needs aligned pointers, strides and sizes along the contiguous way

template <int kTile, int kThreads, bool kAlongK, Access kAccess>
class TileLoader {
  static constexpr bool kVector = kAccess == Access::vector;
  static constexpr int kPerThread = kTile * kDepth / kThreads;
  static constexpr int kWidth = kVector ? 4 : 1;  // elements a step
  static constexpr int kSteps = kPerThread / kWidth;
  // How the threads of one step lie over the slab: kAcrossK groups along k times kAcrossI along i.
  static constexpr int kAcrossK = kAlongK ? (kVector ? kDepth / 4 : 8) : kThreads / (kTile / kWidth);
  static constexpr int kAcrossI = kThreads / kAcrossK;
  // Steps go along k first (two of them when scalar and along k), then along i.
  static constexpr int kStepsK = kAlongK ? (kVector ? 1 : kDepth / 8) : kSteps;
  static constexpr int kStepsI = kSteps / kStepsK;
  static_assert(kPerThread % kWidth == 0 && kSteps % kStepsK == 0);

 public:
  // Only a transposed float4 must pass through registers where there are asynchronous copies.
  static constexpr bool kThroughRegisters = !kHasAsyncCopy || (kAlongK && kVector);

  /// `data`: element (0, 0) of the tile; `valid_i`: how many i exist; `valid_k`: how many depths, over all slabs.
  __device__ TileLoader(const float* data, std::int64_t stride_i, std::int64_t stride_k, int valid_i, int valid_k,
                        int thread)
      : stride_i_(stride_i), stride_k_(stride_k) {
    const int k = kAlongK ? thread % kAcrossK * kWidth : thread / kAcrossI;
    const int i = kAlongK ? thread / kAcrossK : thread % kAcrossI * kWidth;
    at_ = data + i * stride_i + k * stride_k;
    left_ = valid_k - k;
    // A step moves i by a multiple of the bits that the permutation of columns touches, and k by one of its period.
    place_ = k * kTile + (i ^ column_xor(k));
    exists_ = 0;
#pragma unroll
    for (int s = 0; s < kSteps; ++s) exists_ |= (i + step_i(s) < valid_i ? 1u : 0u) << s;
  }

  /// Starts to read the next slab; what does not exist becomes zeros.
  __device__ __forceinline__ void fetch(float* slab) {
#pragma unroll
    for (int s = 0; s < kSteps; ++s) {
      const bool valid = (exists_ >> s & 1u) != 0 && step_k(s) < left_;
      const float* from = at_ + step_i(s) * stride_i_ + step_k(s) * stride_k_;
      if constexpr (!kThroughRegisters) {
        async_copy<4 * kWidth>(slab + place(s), from, valid);
      } else if constexpr (kVector) {
        held_[s] = valid ? __ldg(reinterpret_cast<const float4*>(from)) : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
      } else {
        held_[s] = valid ? __ldg(from) : 0.0f;
      }
    }
    at_ += kDepth * stride_k_;
    left_ -= kDepth;
  }

  /// Brings to the slab what fetch left in registers.
  __device__ __forceinline__ void store(float* slab) {
    if constexpr (kThroughRegisters) {
#pragma unroll
      for (int s = 0; s < kSteps; ++s) {
        if constexpr (kVector && kAlongK) {
          slab[place(s)] = held_[s].x;
          slab[place(s) + kTile] = held_[s].y;
          slab[place(s) + 2 * kTile] = held_[s].z;
          slab[place(s) + 3 * kTile] = held_[s].w;
        } else if constexpr (kVector) {
          *reinterpret_cast<float4*>(slab + place(s)) = held_[s];
        } else {
          slab[place(s)] = held_[s];
        }
      }
    }
  }

  static constexpr __device__ int column_xor(int k) {
    if (!kAlongK) return 0;
    return kVector ? (k >> 2) * 8 : (k & 7) * 4;
  }

 private:
  static constexpr __device__ int step_k(int s) { return s % kStepsK * (kAlongK ? 8 : kAcrossK); }
  static constexpr __device__ int step_i(int s) { return s / kStepsK * kAcrossI; }
  __device__ __forceinline__ int place(int s) const {
    if constexpr (!kAlongK || kAcrossI % 32 == 0) return place_ + step_k(s) * kTile + step_i(s);
    return (place_ ^ step_i(s)) + step_k(s) * kTile;  // steps of 16, and bit 4 may be permuted
  }

  std::int64_t stride_i_, stride_k_;
  const float* at_;
  int left_, place_;
  unsigned exists_;
  std::conditional_t<kVector, float4, float> held_[kThroughRegisters ? kSteps : 1];
};

}  // namespace tandem::cuda
