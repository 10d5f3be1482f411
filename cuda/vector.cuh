// Accesses of 16 bytes and fewer with and without the hint that the data is used once, and the split of a run of
// elements into an aligned body and its ends.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "cuda/launch.h"

namespace tandem::cuda {

/// kOnce: the data passes through the caches without staying (larger than L2 anyway). Never the read-only cache:
/// results may lie where the operands are.
template <bool kOnce, class T>
__device__ __forceinline__ T load(const T* from) {
  if constexpr (kOnce)
    return __ldcs(from);
  else
    return *from;
}
template <bool kOnce, class T>
__device__ __forceinline__ void store(T* to, T value) {
  if constexpr (kOnce)
    __stcs(to, value);
  else
    *to = value;
}

template <class F>
__device__ __forceinline__ float4 map(float4 v, F&& f) {
  return make_float4(f(v.x), f(v.y), f(v.z), f(v.w));
}
template <class F>
__device__ __forceinline__ float4 map(float4 a, float4 b, F&& f) {
  return make_float4(f(a.x, b.x), f(a.y, b.y), f(a.z, b.z), f(a.w, b.w));
}

/// Elements [0, head) and [head + width * body, count) lie outside of the lines of `width` elements that the body
/// consists of: of 16 bytes, where nothing else is said.
struct Split {
  std::int64_t head, body;
};
/// The place of an element of that many bytes within its line of `width` elements.
inline std::int64_t place_in_line(const void* pointer, std::int64_t element_bytes, std::int64_t width) {
  return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(pointer)) / element_bytes % width;
}
inline Split split_at_lines(const void* pointer, std::int64_t element_bytes, std::int64_t width, std::int64_t count) {
  const std::int64_t place = place_in_line(pointer, element_bytes, width);
  const std::int64_t head = std::min(count, (width - place) % width);
  return {head, (count - head) / width};
}
inline Split split_at_lines(const void* pointer, std::int64_t count) { return split_at_lines(pointer, 4, 4, count); }
/// Whether both have their lines at the same places.
inline bool same_lines(const void* a, const void* b) {
  return ((reinterpret_cast<std::uintptr_t>(a) ^ reinterpret_cast<std::uintptr_t>(b)) & 15) == 0;
}

/// kWidth neighbouring elements as one access moves them, and in registers until they are used: 16, 8 or 4 bytes, or a
/// single element.
template <class T, int kWidth>
using Bits = std::conditional_t<kWidth == 1, T,
                                std::conditional_t<sizeof(T) * kWidth == 16, uint4,
                                                   std::conditional_t<sizeof(T) * kWidth == 8, uint2, std::uint32_t>>>;

template <int kWidth, bool kOnce, class T>
__device__ __forceinline__ Bits<T, kWidth> load_bits(const T* from) {
  static_assert(sizeof(Bits<T, kWidth>) == sizeof(T) * kWidth);
  return load<kOnce>(reinterpret_cast<const Bits<T, kWidth>*>(from));
}
template <int kWidth, bool kOnce, class T>
__device__ __forceinline__ void store_bits(T* to, Bits<T, kWidth> bits) {
  // Not an assignment where it can be avoided: the compiler may take that apart into its elements.
  auto* place = reinterpret_cast<Bits<T, kWidth>*>(to);
  if constexpr (kOnce || kWidth == 1)
    store<kOnce>(place, bits);
  else
    __stwb(place, bits);
}

/// The elements one by one.
template <class T, int kWidth>
struct Pack {
  T v[kWidth];

  Pack() = default;
  __device__ __forceinline__ Pack(const Bits<T, kWidth>& bits) { memcpy(v, &bits, sizeof(v)); }
  __device__ __forceinline__ Bits<T, kWidth> bits() const {
    Bits<T, kWidth> out;
    memcpy(&out, v, sizeof(v));
    return out;
  }
};

/// Where a lane stores four elements of every fourth row of a matrix, or the first `count` of them: at once where that
/// can be.
template <class T>
class FourOfRows {
 public:
  /// Element (i, j) of a matrix with these strides, in elements, is the first one.
  __device__ __forceinline__ FourOfRows(T* matrix, std::int64_t row, std::int64_t col, std::int64_t i, std::int64_t j,
                                        int count)
      : to_(matrix + i * row + j * col), step_(4 * row), stride_(col), count_(count) {
    whole_ = count == 4 && col == 1 && reinterpret_cast<std::uintptr_t>(to_) % (4 * sizeof(T)) == 0;
  }
  __device__ __forceinline__ T old(int e) const { return e < count_ ? to_[e * stride_] : T{}; }
  /// Stores, and goes on to the next row.
  __device__ __forceinline__ void put(const T (&v)[4]) {
    if (whole_) {
      Bits<T, 4> bits;
      memcpy(&bits, v, sizeof(v));
      store_bits<4, false>(to_, bits);
    } else {
#pragma unroll
      for (int e = 0; e < 4; ++e)
        if (e < count_) to_[e * stride_] = v[e];
    }
    to_ += step_;
  }

 private:
  T* to_;
  const std::int64_t step_, stride_;
  const int count_;
  bool whole_;
};

/// Data that cannot stay in L2 until somebody uses it again.
inline bool larger_than_l2(double bytes, const Machine& machine) {
  return !machine.gpus.empty() && bytes > static_cast<double>(machine.gpus[0].l2_bytes);
}

}  // namespace tandem::cuda
