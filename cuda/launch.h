// Launching from a kernel's `run`: on the queue's stream, checked, never waiting.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include <tandem/dtype.h>

#include "common/dispatch/kernel.h"

namespace tandem::cuda {

/// The limit of gridDim.y and gridDim.z.
inline constexpr std::int64_t kMaxGridY = 65535;
/// The limit of gridDim.x.
inline constexpr std::int64_t kMaxGridX = 2147483647;

constexpr std::int64_t ceil_div(std::int64_t value, std::int64_t by) { return (value + by - 1) / by; }

inline Code to_code(cudaError_t error) noexcept {
  if (error == cudaSuccess) return Code::ok;
  return error == cudaErrorMemoryAllocation ? Code::out_of_memory : Code::device_error;
}

/// Forgets the last error of this thread, which an earlier call of the program may have left: to be called before what
/// learns of its own launches by looking at the last error, as Thrust and CUB do.
inline void forget_last_error() noexcept { (void)cudaGetLastError(); }

/// Enqueues `kernel` with `shared_bytes` of dynamic shared memory a block (more than 48 KB must be asked for), in
/// clusters of so many blocks along x. The error stays the runtime's last error, so that gpu::Stream::check can report
/// its words.
template <class... Parameters, class... Arguments>
Code launch_clusters(const Queue& queue, dim3 grid, dim3 block, int shared_bytes, int cluster,
                     void (*kernel)(Parameters...), Arguments&&... arguments) {
  if (shared_bytes > 48 * 1024) {
    const cudaError_t error = cudaFuncSetAttribute(reinterpret_cast<const void*>(kernel),
                                                   cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
    if (error != cudaSuccess) return to_code(error);
  }
  cudaLaunchConfig_t config = {};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = static_cast<std::size_t>(shared_bytes);
  config.stream = static_cast<cudaStream_t>(queue.stream);
  cudaLaunchAttribute of_cluster = {};
  if (cluster > 1) {
    of_cluster.id = cudaLaunchAttributeClusterDimension;
    of_cluster.val.clusterDim = {static_cast<unsigned>(cluster), 1, 1};
    config.attrs = &of_cluster;
    config.numAttrs = 1;
  }
  return to_code(cudaLaunchKernelEx(&config, kernel, std::forward<Arguments>(arguments)...));
}

/// The same without clusters.
template <class... Parameters, class... Arguments>
Code launch_with_shared(const Queue& queue, dim3 grid, dim3 block, int shared_bytes, void (*kernel)(Parameters...),
                        Arguments&&... arguments) {
  return launch_clusters(queue, grid, block, shared_bytes, 1, kernel, std::forward<Arguments>(arguments)...);
}

/// The same without shared memory.
template <class... Parameters, class... Arguments>
Code launch(const Queue& queue, dim3 grid, dim3 block, void (*kernel)(Parameters...), Arguments&&... arguments) {
  return launch_with_shared(queue, grid, block, 0, kernel, std::forward<Arguments>(arguments)...);
}

/// Calls launch_range(first, count) for runs of at most `limit` items until one fails.
template <class LaunchRange>
Code in_ranges(std::int64_t items, std::int64_t limit, LaunchRange&& launch_range) {
  for (std::int64_t first = 0; first < items; first += limit) {
    const Code code = launch_range(first, std::min(limit, items - first));
    if (code != Code::ok) return code;
  }
  return Code::ok;
}

/// Calls launch_range(grid, first_item, first_tile, tiles_n) until all tiles of `rows` x `cols` of `items` results of
/// m x n are covered: blockIdx.x counts tiles row by row, blockIdx.y items.
template <class LaunchRange>
Code in_tiles(std::int64_t m, std::int64_t n, std::int64_t items, int rows, int cols, LaunchRange&& launch_range) {
  const std::int64_t tiles_n = ceil_div(n, cols), tiles = ceil_div(m, rows) * tiles_n;
  return in_ranges(items, kMaxGridY, [&](std::int64_t item, std::int64_t item_count) {
    return in_ranges(tiles, kMaxGridX, [&](std::int64_t tile, std::int64_t count) {
      return launch_range(dim3(static_cast<unsigned>(count), static_cast<unsigned>(item_count)), item, tile, tiles_n);
    });
  });
}

/// A kernel with one thread an element: the grid for `threads` threads in blocks of `block`.
inline unsigned blocks_for(std::int64_t threads, int block) { return static_cast<unsigned>(ceil_div(threads, block)); }

/// `supports` of kernels that take any f32 problem.
template <class Op>
Refusal f32_only(const typename Op::Problem& problem, const Machine&) {
  return problem.dtype == DType::f32 ? nullptr : "needs f32 operands";
}

/// Whether float4 accesses at `pointer` are aligned.
inline bool aligned16(const void* pointer) { return (reinterpret_cast<std::uintptr_t>(pointer) & 15) == 0; }

}  // namespace tandem::cuda
