// The matrix instructions of a warpgroup (compute capability 9.0 alone, code for sm_90a): 64 rows of a and up to 256
// columns of b, both in shared memory, 32 bytes of k an instruction. They run while the warps go on.
#pragma once

#include <cstdint>

#include "cuda/gemm/mma.cuh"

namespace tandem::cuda {

#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
inline constexpr bool kHasWgmma = true;
#else
inline constexpr bool kHasWgmma = false;
#endif

/// Of rows of 128 bytes of k whose chunks of 16 lie as in cuda/gemm/slab.cuh, from an address that is a multiple of
/// 1024 on. Plus 2: 32 bytes further along k.
__device__ __forceinline__ std::uint64_t slab_descriptor(const char* slab) {
  const auto address = static_cast<std::uint64_t>(__cvta_generic_to_shared(slab));
  constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
  constexpr std::uint64_t kEightRows = std::uint64_t{8 * 128 / 16} << 32;  // from one group of eight rows to the next
  return kSwizzle128 | kEightRows | std::uint64_t{1} << 16 | (address & 0x3ffff) >> 4;
}

/// Dynamic shared memory from a multiple of 1024 on: the launch promises 16. Slabs need that.
__device__ __forceinline__ char* aligned_slabs(char* shared) {
  const auto address = static_cast<unsigned>(__cvta_generic_to_shared(shared));
  return shared + (0u - address) % 1024;
}

/// Makes what this thread has written to shared memory visible to the matrix instructions, with a barrier after it.
__device__ __forceinline__ void fence_for_wgmma() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
#endif
}

/// Before the first instruction on sums that other instructions have written.
__device__ __forceinline__ void wgmma_begin() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#endif
}

/// Ends a group of instructions.
__device__ __forceinline__ void wgmma_commit() {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
#endif
}

__device__ __forceinline__ void hold(std::int32_t& sum) { asm volatile("" : "+r"(sum)::"memory"); }
__device__ __forceinline__ void hold(float& sum) { asm volatile("" : "+f"(sum)::"memory"); }

/// Waits for the groups but the last `kGroups`. The compiler does not know that this has to do with the sums: without
/// holding them it may read them before, and then ptxas runs the instructions one after the other.
template <int kGroups, class Sum, int kBlocksN>
__device__ __forceinline__ void wgmma_wait_but([[maybe_unused]] Sum (&c)[kBlocksN][4]) {
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kGroups) : "memory");
#pragma unroll
  for (int n = 0; n < kBlocksN; ++n)
#pragma unroll
    for (int e = 0; e < 4; ++e) hold(c[n][e]);
#endif
}

#define TANDEM_SUMS_8(how, n) how(c[n][0]), how(c[n][1]), how(c[n][2]), how(c[n][3])
#define TANDEM_SUMS_32(how, n) \
  TANDEM_SUMS_8(how, n), TANDEM_SUMS_8(how, n + 1), TANDEM_SUMS_8(how, n + 2), TANDEM_SUMS_8(how, n + 3)
#define TANDEM_SUMS_128(how, n) \
  TANDEM_SUMS_32(how, n), TANDEM_SUMS_32(how, n + 4), TANDEM_SUMS_32(how, n + 8), TANDEM_SUMS_32(how, n + 12)
#define TANDEM_REGISTERS_128                                                         \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, "           \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define TANDEM_REGISTERS_256                                                                     \
  TANDEM_REGISTERS_128                                                                           \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, "           \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95, "             \
  "%96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"
#define TANDEM_WGMMA_128(instruction, how, tail)                                                   \
  asm volatile("{.reg .pred add; setp.eq.u32 add, 1, 1; wgmma.mma_async.sync.aligned." instruction \
               " {" TANDEM_REGISTERS_128 "}, %64, %65, add" tail ";}"                              \
               : TANDEM_SUMS_128(how, 0)                                                           \
               : "l"(a), "l"(b))
#define TANDEM_WGMMA_256(instruction, how, tail)                                                   \
  asm volatile("{.reg .pred add; setp.eq.u32 add, 1, 1; wgmma.mma_async.sync.aligned." instruction \
               " {" TANDEM_REGISTERS_256 "}, %128, %129, add" tail ";}"                            \
               : TANDEM_SUMS_128(how, 0), TANDEM_SUMS_128(how, 16)                                 \
               : "l"(a), "l"(b))

/// c += a b for 8 kBlocksN columns. Lane l of warp w of the warpgroup has in c[n] columns 8 n + 2 (l % 4) and the next
/// of rows 16 w + l / 4 and the same + 8: the form of mma().
template <class Product, int kBlocksN>
__device__ __forceinline__ void wgmma([[maybe_unused]] typename Product::Sum (&c)[kBlocksN][4],
                                      [[maybe_unused]] std::uint64_t a, [[maybe_unused]] std::uint64_t b) {
  static_assert(kBlocksN == 16 || kBlocksN == 32);
#if defined(__CUDA_ARCH_FEAT_SM90_ALL)
  if constexpr (std::is_same_v<Product, Bf16Product>) {
    if constexpr (kBlocksN == 32)
      TANDEM_WGMMA_256("m64n256k16.f32.bf16.bf16", "+f", ", 1, 1, 0, 0");
    else
      TANDEM_WGMMA_128("m64n128k16.f32.bf16.bf16", "+f", ", 1, 1, 0, 0");
  } else if constexpr (Product::kUnsignedA) {
    if constexpr (kBlocksN == 32)
      TANDEM_WGMMA_256("m64n256k32.s32.u8.s8", "+r", "");
    else
      TANDEM_WGMMA_128("m64n128k32.s32.u8.s8", "+r", "");
  } else {
    if constexpr (kBlocksN == 32)
      TANDEM_WGMMA_256("m64n256k32.s32.s8.s8", "+r", "");
    else
      TANDEM_WGMMA_128("m64n128k32.s32.s8.s8", "+r", "");
  }
#else
  __trap();
#endif
}

#undef TANDEM_WGMMA_256
#undef TANDEM_WGMMA_128
#undef TANDEM_REGISTERS_256
#undef TANDEM_REGISTERS_128
#undef TANDEM_SUMS_128
#undef TANDEM_SUMS_32
#undef TANDEM_SUMS_8

}  // namespace tandem::cuda
