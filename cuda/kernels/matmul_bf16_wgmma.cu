// Idea:    the tensor cores of 9.0 by whole warpgroups: 64 x 256 f32 sums from 16 of k an instruction, which reads both
//          operands from shared memory and runs while the warps bring the next slabs there: by asynchronous copies of
//          16 bytes where an operand is contiguous along k, transposed in registers where it is contiguous the other
//          way. alpha, beta, bias, activation and the one rounding follow at once, four elements of a row a thread.
// Limits:  compute capability 9.0 and code for 90a; m, n and k below 2^31 - 128; any strides, batches and alignment.
//          Where one operand is not aligned to 16 bytes along its contiguous dimension, both are read element by element
//          (by pairs where rows are aligned to 4). The depth is not split, so that a small result of a long sum leaves
//          most of the device idle, and fewer than 128 rows or columns waste the rest of the tile.
// Expect:  TODO
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/bf16_epilogue.cuh"
#include "cuda/gemm/wgmma_plan.h"
#include "cuda/launch.h"

namespace tandem::cuda::matmul_bf16_wgmma {
namespace {

template <class Shape, Way kWayA, Way kWayB>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    bf16_wgmma(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m, unsigned tiles_n) {
  if constexpr (!kHasWgmma) {
    __trap();
  } else {
    using Element = Bf16Product::Element;
    extern __shared__ __align__(1024) char shared[];
    char* const slabs = aligned_slabs(shared);
    const TileExtent tile = wgmma_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
    const Bf16Item item = bf16_item_of(args, first_item + blockIdx.y);
    const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
    float c[Shape::kBlocksN][4] = {};
    {
      SlabLoader<Element, Shape::kRows, Shape::kThreads, kWayA> load_a(
          {item.a + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth}, thread);
      SlabLoader<Element, Shape::kCols, Shape::kThreads, kWayB> load_b(
          {item.b + tile.j0 * args.b.col, args.b.col, args.b.row, tile.cols, depth}, thread);
      constexpr int kSlabDepth = kSlabBytes / static_cast<int>(sizeof(Element));
      NoSideSums none;
      multiply_by_wgmma<Bf16Product, Shape>(load_a, load_b, (depth + kSlabDepth - 1) / kSlabDepth, slabs, c, none);
    }
    const int warp = thread / 32, lane = thread % 32;
    auto* const staging = reinterpret_cast<std::uint32_t*>(slabs);
    const std::uint32_t* const sums = staging + warp * 16 * Shape::kPitch;
    stage_rows<Shape>(c, staging, thread);
    __syncwarp();
    const TileExtent part = tile.from(warp * 16, 0);
#pragma unroll 1
    for (int col = 0; col < part.cols; col += 32)
      store_rows(args, {sums + col, Shape::kPitch, part.rows, part.cols - col, item.c, part.i0, part.j0 + col}, 16,
                 lane);
  }
}

template <class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    bf16_wgmma_ring(const __grid_constant__ MatmulArgs args, const __grid_constant__ CUtensorMap map_a,
                    const __grid_constant__ CUtensorMap map_b, unsigned groups_m, unsigned tiles_n, int items_a,
                    int items_b) {
  if constexpr (!kHasWgmma) {
    __trap();
  } else {
    extern __shared__ __align__(1024) char shared[];
    constexpr int kSlabDepth = kSlabBytes / 2;
    const Ring<Shape> ring(shared);
    const RingTiles<Shape> tiles{groups_m, tiles_n, static_cast<unsigned>(args.batch.elements)};
    const int slabs = static_cast<int>((args.k + kSlabDepth - 1) / kSlabDepth);
    make_barriers(ring);
    if (threadIdx.x >= Shape::kConsumers) {
      give_registers<40>();
      if (threadIdx.x == Shape::kConsumers)
        bring_slabs(ring, tiles, &map_a, &map_b, slabs, kSlabDepth, items_a, items_b);
    } else {
      take_registers<232>();
      const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
      std::uint32_t* const staging = ring.staging + warp * Shape::kStagingOfWarp;
      RingPlace<Shape> place;
      tiles.for_each([&](int i0, int j0, int item) {
        float c[Shape::kBlocksN][4] = {};
        NoSideSums none;
        multiply_ring<Bf16Product, Shape>(ring, place, slabs, thread, c, none);
        const std::int64_t row = i0 + warp * 16;
        const int rows = static_cast<int>(::min(args.m - row, std::int64_t{16}));
        if (rows <= 0) return;
        const int cols = static_cast<int>(::min(args.n - j0, std::int64_t{Shape::kCols}));
        const std::int64_t offset = bf16_item_of(args, item).c;
        pass_columns<Shape>(c, staging, lane, cols, [&](int col) {
          store_rows(args, {staging, kPitch, rows, cols - col, offset, row, j0 + col}, 16, lane);
        });
      });
    }
    leave_cluster<Shape::kCluster>();
  }
}

/// Where the copy engine reads both operands.
template <class Shape>
bool launched_ring(const MatmulArgs& args, const Queue& queue, Code& code) {
  CUtensorMap map_a, map_b;
  const Loops<3>& batch = args.batch;
  if (batch.rank > 1 || args.a.col != 1 || args.b.row != 1) return false;
  const std::int64_t step_a = batch.rank ? batch.strides[0][0] : 0, step_b = batch.rank ? batch.strides[1][0] : 0;
  if (!describe_rows({args.a.data, 2, args.k, args.m, args.a.row, batch.elements, step_a}, Shape::kRows, map_a) ||
      !describe_rows({args.b.data, 2, args.k, args.n, args.b.col, batch.elements, step_b}, Shape::kBoxB, map_b))
    return false;
  const unsigned groups_m = blocks_for(args.m, Shape::kRows * Shape::kCluster),
                 tiles_n = blocks_for(args.n, Shape::kCols);
  if (static_cast<double>(groups_m) * tiles_n * static_cast<double>(batch.elements) > 4e9) return false;
  code = launch_ring<Shape>(queue, args.m, args.n, batch.elements, bf16_wgmma_ring<Shape>, args, map_a, map_b, groups_m,
                            tiles_n, step_a != 0 ? 1 : 0, step_b != 0 ? 1 : 0);
  return true;
}

template <class Shape>
Code with_shape(const MatmulArgs& args, const Queue& queue) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kRows), tiles_n = blocks_for(args.n, Shape::kCols);
  return with_ways<false>(bf16_way(args, 0), bf16_way(args, 1), [&]<Way kWayA, Way kWayB>() {
    return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
      return launch_with_shared(queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items)), dim3(Shape::kThreads),
                                Shape::kSharedBytes, bf16_wgmma<Shape, kWayA, kWayB>, args, item, tiles_m, tiles_n);
    });
  });
}

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (p.dtype != DType::bf16) return "needs bf16 operands";
  const Refusal refusal = refuse_wgmma(machine);
  return refusal ? refusal : refuse_mma_sizes(p.m, p.n, p.k);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  return with_wgmma_shape(args.m, args.n, args.batch.elements, *queue.machine, [&]<class Ring, class Shape>() {
    Code code = Code::ok;
    return launched_ring<Ring>(args, queue, code) ? code : with_shape<Shape>(args, queue);
  });
}

double cost(const MatmulProblem& p, const Machine& machine) {
  return std::max(wgmma_seconds(p.m, p.n, p.k, p.batch, 2, machine), seconds_for_bytes(Matmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 90, .shared_bytes = std::max(WideRing::kSharedBytes, NarrowRing::kSharedBytes)},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_bf16_wgmma
