// Copies from global to shared memory that need no register on the way: cp.async where there is one (8.0 and later).
#pragma once

#include <cstdint>

namespace tandem::cuda {

#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
inline constexpr bool kHasAsyncCopy = true;
#else
inline constexpr bool kHasAsyncCopy = false;
#endif

/// Starts a copy of 4 or 16 bytes, both addresses aligned to that size. Not valid: zeros are written, `from` is not
/// read.
template <int kBytes>
__device__ __forceinline__ void async_copy([[maybe_unused]] float* to, [[maybe_unused]] const float* from,
                                           [[maybe_unused]] bool valid) {
  static_assert(kBytes == 4 || kBytes == 16);
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  const auto shared = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  const int bytes = valid ? kBytes : 0;
  if constexpr (kBytes == 16)
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(from), "r"(bytes) : "memory");
  else
    asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared), "l"(from), "r"(bytes) : "memory");
#endif
}

/// Starts a copy of 16 bytes, both addresses aligned to that; only the first `bytes` are read, the rest becomes zeros.
__device__ __forceinline__ void async_copy16([[maybe_unused]] void* to, [[maybe_unused]] const void* from,
                                             [[maybe_unused]] int bytes) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  const auto shared = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(shared), "l"(from), "r"(bytes) : "memory");
#endif
}

/// Ends a group of the calling thread's copies, which may be empty.
__device__ __forceinline__ void async_commit() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

/// Waits for the calling thread's groups but the last `kGroups`; a barrier makes the copies visible to the block.
template <int kGroups>
__device__ __forceinline__ void async_wait_but() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
#endif
}

/// Waits for the calling thread's copies; a barrier makes them visible to the block.
__device__ __forceinline__ void async_wait() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  asm volatile("cp.async.wait_all;" ::: "memory");
#endif
}

}  // namespace tandem::cuda
