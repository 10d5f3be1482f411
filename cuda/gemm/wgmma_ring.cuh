// A product on the tensor cores of 9.0 whose slabs the copy engine brings. One thread starts the copies, two warpgroups
// multiply; two blocks of a cluster take tiles one below the other and share the slabs of b, half of which each
// fetches for both, since all multiprocessors together would else ask L2 for more than it can give. Blocks stay and
// take one tile after the other, so that the slabs of the next one come while the last one is stored.
#pragma once

#include "cuda/gemm/tensor_copy.cuh"
#include "cuda/gemm/wgmma_tile.cuh"

namespace tandem::cuda {

template <int kCols_, int kCluster_>
struct RingShape {
  static constexpr int kRows = 128, kCols = kCols_, kCluster = kCluster_;
  static constexpr int kConsumers = 256, kThreads = kConsumers + 128;
  static constexpr int kBlocksN = kCols / 8;  // of the sums of a thread
  static constexpr int kSlabA = kRows * kSlabBytes, kSlabB = kCols * kSlabBytes;
  static constexpr int kStages = kCols == 256 ? 4 : 6;
  static constexpr int kBoxB = 128;  // columns of b that one copy brings
  static constexpr int kStagingOfWarp = 16 * kPitch;
  // Slabs, staging, sums of rows and columns, barriers.
  static constexpr int kSlabs = kStages * (kSlabA + kSlabB);
  static constexpr int kStaging = kConsumers / 32 * kStagingOfWarp * 4;
  static constexpr int kSums = (kRows + kCols) * 4;
  static constexpr int kSharedBytes = kSlabs + kStaging + kSums + 2 * kStages * 8 + 1024;
  static_assert(kCols / kBoxB % kCluster == 0);
};

/// The parts of a block's shared memory.
template <class Shape>
struct Ring {
  char* slabs;
  std::uint32_t* staging;
  std::uint32_t *rows_of_a, *columns_of_b;
  std::uint64_t *full, *empty;

  __device__ explicit Ring(char* shared) : slabs(aligned_slabs(shared)) {
    staging = reinterpret_cast<std::uint32_t*>(slabs + Shape::kSlabs);
    rows_of_a = staging + Shape::kStaging / 4;
    columns_of_b = rows_of_a + Shape::kRows;
    full = reinterpret_cast<std::uint64_t*>(columns_of_b + Shape::kCols);
    empty = full + Shape::kStages;
  }
  __device__ __forceinline__ char* slab_a(int stage) const { return slabs + stage * (Shape::kSlabA + Shape::kSlabB); }
  __device__ __forceinline__ char* slab_b(int stage) const { return slab_a(stage) + Shape::kSlabA; }
};

/// A place in the ring, and the parity of its phase there.
template <class Shape>
struct RingPlace {
  int stage = 0;
  unsigned parity = 0;

  __device__ __forceinline__ void advance() {
    if (++stage < Shape::kStages) return;
    stage = 0;
    parity ^= 1;
  }
};

/// The tiles of one block: every one of the grid's clusters takes each so manieth.
template <class Shape>
struct RingTiles {
  const unsigned groups_m, tiles_n, items;  // a group: the tiles of the blocks of a cluster, one below the other
  const unsigned rank = rank_in_cluster<Shape::kCluster>();
  /// Calls f(first row, first column, item).
  template <class F>
  __device__ __forceinline__ void for_each(F&& f) const {
    constexpr unsigned kBand = 16 / Shape::kCluster;  // groups of rows that run side by side, see tile_at
    for (unsigned at = blockIdx.x / Shape::kCluster; at < groups_m * tiles_n * items;
         at += gridDim.x / Shape::kCluster) {
      const TileAt tile = tile_at(at % (groups_m * tiles_n), groups_m, tiles_n, kBand);
      f(static_cast<int>((tile.row * Shape::kCluster + rank) * Shape::kRows), static_cast<int>(tile.col * Shape::kCols),
        static_cast<int>(at / (groups_m * tiles_n)));
    }
  }
};

template <class Shape>
__device__ __forceinline__ void make_barriers(const Ring<Shape>& ring) {
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < Shape::kStages; ++stage) {
      barrier_init(ring.full + stage, 1);
      barrier_init(ring.empty + stage, Shape::kConsumers / 32 * Shape::kCluster);
    }
  }
  publish_barriers<Shape::kCluster>();
}

/// One thread's work: all slabs of all tiles. `items_a`, `items_b`: 0 where all items share the operand.
template <class Shape>
__device__ __forceinline__ void bring_slabs(const Ring<Shape>& ring, const RingTiles<Shape>& tiles,
                                            const CUtensorMap* map_a, const CUtensorMap* map_b, int slabs,
                                            int slab_depth, int items_a, int items_b) {
  prefetch_map(map_a);
  prefetch_map(map_b);
  RingPlace<Shape> place;
  tiles.for_each([&](int i0, int j0, int item) {
    for (int s = 0; s < slabs; ++s) {
      barrier_wait(ring.empty + place.stage, place.parity ^ 1);
      std::uint64_t* const full = ring.full + place.stage;
      barrier_expect(full, Shape::kSlabA + Shape::kSlabB);
      copy_box(map_a, ring.slab_a(place.stage), full, s * slab_depth, i0, item * items_a);
      constexpr int kBoxes = Shape::kCols / Shape::kBoxB / Shape::kCluster;
#pragma unroll
      for (int b = 0; b < kBoxes; ++b) {
        const int box = tiles.rank * kBoxes + b;
        char* const to = ring.slab_b(place.stage) + box * Shape::kBoxB * kSlabBytes;
        if constexpr (Shape::kCluster == 1)
          copy_box(map_b, to, full, s * slab_depth, j0 + box * Shape::kBoxB, item * items_b);
        else
          copy_box_to(map_b, to, full, s * slab_depth, j0 + box * Shape::kBoxB, item * items_b,
                      (1 << Shape::kCluster) - 1);
      }
      place.advance();
    }
  });
}

/// This warp has no more use for a stage.
template <class Shape>
__device__ __forceinline__ void release(const Ring<Shape>& ring, int stage) {
  __syncwarp();
  const unsigned lane = threadIdx.x % 32;
  if (lane < Shape::kCluster) barrier_arrive<Shape::kCluster>(ring.empty + stage, lane);
}

/// The sums of one tile. `side.add` sees each slab while it is multiplied.
template <class Product, class Shape, class SideSums>
__device__ __forceinline__ void multiply_ring(const Ring<Shape>& ring, RingPlace<Shape>& place, int slabs, int thread,
                                              typename Product::Sum (&c)[Shape::kBlocksN][4], SideSums& side) {
  const int rows_at = thread / 128 * 64 * kSlabBytes;
  int before = 0;
  for (int s = 0; s < slabs; ++s) {
    barrier_wait(ring.full + place.stage, place.parity);
    const std::uint64_t a = slab_descriptor(ring.slab_a(place.stage) + rows_at),
                        b = slab_descriptor(ring.slab_b(place.stage));
    wgmma_begin();
#pragma unroll
    for (int part = 0; part < kSlabBytes / 32; ++part) wgmma<Product>(c, a + part * 2, b + part * 2);
    wgmma_commit();
    side.add(ring.slab_a(place.stage), ring.slab_b(place.stage));
    wgmma_wait_but<1>(c);
    if (s > 0) release<Shape>(ring, before);
    before = place.stage;
    place.advance();
  }
  wgmma_wait_but<0>(c);
  release<Shape>(ring, before);
}

/// Passes a warp's 16 rows of sums through its staging, 32 columns at a time: calls store(col) when columns col .. col
/// + 31 of them are there, kPitch words a row.
template <class Shape, class Sum, class Store>
__device__ __forceinline__ void pass_columns(const Sum (&c)[Shape::kBlocksN][4], std::uint32_t* staging, int lane,
                                             int cols, Store&& store) {
  std::uint32_t* const first = staging + lane / 4 * kPitch + lane % 4 * 2;
#pragma unroll 1
  for (int col = 0; col < cols; col += 32) {
    meet();
#pragma unroll
    for (int part = 0; part < Shape::kBlocksN / 4; ++part) {  // registers have no index at run time
      if (part * 32 != col) continue;
#pragma unroll
      for (int n = 0; n < 4; ++n)
#pragma unroll
        for (int half = 0; half < 2; ++half)
          store_pair(first + half * 8 * kPitch + n * 8, word_of(c[part * 4 + n][2 * half]),
                     word_of(c[part * 4 + n][2 * half + 1]));
    }
    __syncwarp();
    store(col);
  }
}

template <int kRegisters>
__device__ __forceinline__ void take_registers() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ __forceinline__ void give_registers() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

}  // namespace tandem::cuda
