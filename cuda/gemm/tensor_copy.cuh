// Copies of tiles by the copy engine of 9.0, the barriers in shared memory that they report to, and clusters of blocks
// that share what is copied. Nothing here may be called by code for less.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace tandem::cuda {

__device__ __forceinline__ std::uint32_t shared_address(const void* pointer) {
  return static_cast<std::uint32_t>(__cvta_generic_to_shared(pointer));
}

/// A barrier whose phase ends after `arrivals` arrivals and as many bytes as were announced. By one thread, before
/// publish_barriers().
__device__ __forceinline__ void barrier_init(std::uint64_t* barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals) : "memory");
}

/// All threads of the cluster, after one thread of each block has made its barriers.
template <int kCluster>
__device__ __forceinline__ void publish_barriers() {
  asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  if constexpr (kCluster > 1) {
    asm volatile("barrier.cluster.arrive.release;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
  } else {
    __syncthreads();
  }
}

/// Before a block ends: others of its cluster may still write to its shared memory, or arrive there.
template <int kCluster>
__device__ __forceinline__ void leave_cluster() {
  if constexpr (kCluster > 1) {
    asm volatile("barrier.cluster.arrive.release;" ::: "memory");
    asm volatile("barrier.cluster.wait.acquire;" ::: "memory");
  }
}

template <int kCluster>
__device__ __forceinline__ unsigned rank_in_cluster() {
  if constexpr (kCluster == 1) return 0;
  unsigned rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

/// Waits until the phase of that parity has ended. A new barrier's phase is the one of parity 0; that of parity 1
/// counts as ended.
__device__ __forceinline__ void barrier_wait(std::uint64_t* barrier, unsigned parity) {
  asm volatile(
      "{\n"
      ".reg .pred done;\n"
      "again:\n"
      "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;\n"
      "}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}

/// Arrives and announces bytes.
__device__ __forceinline__ void barrier_expect(std::uint64_t* barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
}

/// Arrives at this barrier of the block of that rank. Nothing that was written has to be seen there; asking for that
/// would cost a fence of the whole device.
template <int kCluster>
__device__ __forceinline__ void barrier_arrive(std::uint64_t* barrier, unsigned rank) {
  if constexpr (kCluster == 1) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
  } else {
    asm volatile(
        "{\n"
        ".reg .b32 there;\n"
        "mapa.shared::cluster.u32 there, %0, %1;\n"
        "mbarrier.arrive.shared::cluster.b64 _, [there];\n"
        "}" ::"r"(shared_address(barrier)),
        "r"(rank)
        : "memory");
  }
}

/// Starts to copy the box of a tensor of three dimensions at (x, y, z), x the contiguous one; what lies outside of the
/// tensor becomes zeros. `barrier` hears of all bytes of the box.
__device__ __forceinline__ void copy_box(const CUtensorMap* map, void* to, std::uint64_t* barrier, int x, int y,
                                         int z) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes [%0], [%1, {%3, %4, %5}], "
      "[%2];" ::"r"(shared_address(to)),
      "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z)
      : "memory");
}

/// The same to the same place in every block of the cluster whose bit is in `blocks`, each with its own barrier.
__device__ __forceinline__ void copy_box_to(const CUtensorMap* map, void* to, std::uint64_t* barrier, int x, int y,
                                            int z, std::uint16_t blocks) {
  asm volatile(
      "cp.async.bulk.tensor.3d.shared::cluster.global.tile.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, "
      "{%3, %4, %5}], [%2], %6;" ::"r"(shared_address(to)),
      "l"(map), "r"(shared_address(barrier)), "r"(x), "r"(y), "r"(z), "h"(blocks)
      : "memory");
}

__device__ __forceinline__ void prefetch_map(const CUtensorMap* map) {
  asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

/// A part of the block: `threads` of it wait for each other at barrier `id`, 1 to 15.
template <int id, int threads>
__device__ __forceinline__ void part_barrier() {
  asm volatile("bar.sync %0, %1;" ::"n"(id), "n"(threads) : "memory");
}

}  // namespace tandem::cuda
