// What may be done with CUDA in this process, and how its failures become Errors.
#pragma once

#include <cuda_runtime.h>

#include <string>

#include <tandem/error.h>

namespace tandem::gpu {

/// To be called before the first CUDA call of any function: notes that this process uses CUDA, so that a child made by
/// fork knows that it must not. False in such a child.
bool enter() noexcept;
/// True in a child made by fork after this process used CUDA.
bool forked() noexcept;
inline constexpr const char* kForkedReason =
    "this process was forked from one that used CUDA, which CUDA does not allow; use exec, or fork earlier";

/// The runtime's own words: "out of memory (cudaErrorMemoryAllocation)".
std::string words(cudaError_t error);

/// Throws Error(device_error or out_of_memory), naming `what`. An error that the device does not survive is remembered:
/// see lost_reason().
[[noreturn]] void fail(cudaError_t error, const char* what);
inline void require(cudaError_t error, const char* what) {
  if (error != cudaSuccess) fail(error, what);
}

/// After an error that ends all use of CUDA in this process (such as an illegal address in a kernel): what it was.
/// Empty before.
std::string lost_reason();
bool lost() noexcept;

/// Throws Error(unavailable) in a forked child and after the device was lost; else makes `device` the current one.
void use(int device, const char* what);

}  // namespace tandem::gpu
