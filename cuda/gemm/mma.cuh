// The matrix instructions of a warp for elements of one and two bytes, on 32 bytes of k: fragments are the same words
// for all types, so that what brings them to the registers is written once.
#pragma once

#include <cstdint>
#include <type_traits>

namespace tandem::cuda {

/// Element types of a product on tensor cores, and what sums are kept in.
struct S8Product {
  using Element = std::uint8_t;  // what is moved: bits
  using Sum = std::int32_t;
  static constexpr bool kUnsignedA = false;
};
struct U8S8Product {
  using Element = std::uint8_t;
  using Sum = std::int32_t;
  static constexpr bool kUnsignedA = true;
};

struct Bf16Product {
  using Element = std::uint16_t;
  using Sum = float;
};

/// Four 8 x 16-byte matrices from shared memory; lanes 8 q .. 8 q + 7 hold the addresses of the rows of matrix q. Lane
/// l gets bytes 4 (l % 4) .. + 3 of row l / 4 of each.
__device__ __forceinline__ void load_matrices(const char* row, unsigned (&out)[4]) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(out[0]), "=r"(out[1]), "=r"(out[2]), "=r"(out[3])
               : "r"(static_cast<unsigned>(__cvta_generic_to_shared(row)))
               : "memory");
}

/// Compute capability 7.5: 8 x 8 sums from 16 bytes of k.
template <bool kUnsignedA>
__device__ __forceinline__ void mma_8x8(std::int32_t& c0, std::int32_t& c1, unsigned a, unsigned b) {
  if constexpr (kUnsignedA)
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.u8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+r"(c0), "+r"(c1)
                 : "r"(a), "r"(b));
  else
    asm volatile("mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {%0, %1}, {%2}, {%3}, {%0, %1};"
                 : "+r"(c0), "+r"(c1)
                 : "r"(a), "r"(b));
}

/// c += a b of integers: 16 x 8 sums from 32 bytes of k. Lane l has in a the words at bytes 4 (l % 4) of rows l / 4, l
/// / 4 + 8, and the same 16 bytes on; in b those of column l / 4; in c columns 2 (l % 4) and the next of rows l / 4 and
/// l / 4 + 8.
template <class Product>
__device__ __forceinline__ void mma(std::int32_t (&c)[4], const unsigned (&a)[4], unsigned b0, unsigned b1) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  if constexpr (Product::kUnsignedA)
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  else
    asm volatile(
        "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
        "{%0, %1, %2, %3};"
        : "+r"(c[0]), "+r"(c[1]), "+r"(c[2]), "+r"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  mma_8x8<Product::kUnsignedA>(c[0], c[1], a[0], b0);
  mma_8x8<Product::kUnsignedA>(c[2], c[3], a[1], b0);
  mma_8x8<Product::kUnsignedA>(c[0], c[1], a[2], b1);
  mma_8x8<Product::kUnsignedA>(c[2], c[3], a[3], b1);
#endif
}

/// The same of bf16: 16 of k. There is no such instruction before 8.0.
template <class Product>
__device__ __forceinline__ void mma([[maybe_unused]] float (&c)[4], [[maybe_unused]] const unsigned (&a)[4],
                                    [[maybe_unused]] unsigned b0, [[maybe_unused]] unsigned b1) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
      "{%0, %1, %2, %3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
#else
  __trap();  // a kernel that needs 8.0, from code for less: never zeros in silence
#endif
}

}  // namespace tandem::cuda
