// Idea:    the tensor cores of 9.0 by whole warpgroups: 64 x 256 f32 sums from 16 of k an instruction, which reads both
//          operands from shared memory and runs while other things happen. One thread has the copy engine bring slabs
//          there, two blocks of a cluster share those of b, and blocks stay for one tile after the other. An operand
//          that is not contiguous along k is packed first. alpha, beta, bias, activation and the one rounding follow at
//          once, four elements of a row a thread.
// Limits:  compute capability 9.0 and code for 90a; m, n and k below 2^31 - 128; any strides, batches and alignment.
//          Batches of several dimensions, and operands along k that are not aligned to 16 bytes, are served by a
//          plainer kernel, whose warps bring the slabs. The depth is not split, so that a small result of a long sum
//          leaves most of the device idle, and fewer than 128 rows or columns waste the rest of the tile.
// Expect:  compiled for 9.0a: no spills, and ptxas does not run the instructions one after the other. Counted under the
//          emulator: no bank conflict, loads and stores of global memory 100 % coalesced. On an H100 697 TFLOP/s at
//          4096 cubed, 0.90 of cuBLASLt.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/bf16_epilogue.cuh"
#include "cuda/gemm/wgmma_plan.h"
#include "cuda/launch.h"

namespace tandem::cuda::matmul_bf16_wgmma {
namespace {

template <class Shape, Way kWay>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    bf16_wgmma(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m, unsigned tiles_n) {
  if constexpr (!kHasWgmma) {
    __trap();
  } else {
    using Element = Bf16Product::Element;
    extern __shared__ __align__(1024) char shared[];
    char* const slabs = aligned_slabs(shared);
    const TileExtent tile = tile_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
    const Bf16Item item = bf16_item_of(args, first_item + blockIdx.y);
    const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
    float c[Shape::kBlocksN][4] = {};
    {
      SlabLoader<Element, Shape::kRows, Shape::kThreads, kWay> load_a(
          {item.a + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth}, thread);
      SlabLoader<Element, Shape::kCols, Shape::kThreads, kWay> load_b(
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

template <class Shape>
bool launched_ring(const MatmulArgs& args, const OperandOfK& a, const OperandOfK& b, const Queue& queue, Code& code) {
  const double groups = static_cast<double>(ceil_div(args.m, Shape::kRows * Shape::kCluster)) *
                        static_cast<double>(ceil_div(args.n, Shape::kCols)) * static_cast<double>(a.items);
  CUtensorMap map_a, map_b;
  if (groups > 4e9 || !describe(a, 2, Shape::kRows, map_a) || !describe(b, 2, Shape::kBoxB, map_b)) return false;
  code = launch_ring<Shape>(queue, args.m, args.n, a.items, bf16_wgmma_ring<Shape>, args, map_a, map_b,
                            blocks_for(args.m, Shape::kRows * Shape::kCluster), blocks_for(args.n, Shape::kCols),
                            a.item != 0 ? 1 : 0, b.item != 0 ? 1 : 0);
  return true;
}

/// For operands that neither the copy engine reads nor were packed for it.
Code launch_plain(const MatmulArgs& args, const Queue& queue) {
  using Shape = PlainWgmma;
  const unsigned tiles_m = blocks_for(args.m, Shape::kRows), tiles_n = blocks_for(args.n, Shape::kCols);
  const bool rows = bf16_way(args, 0) == Way::rows && bf16_way(args, 1) == Way::rows;
  return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
    return launch_with_shared(
        queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items)), dim3(Shape::kThreads), Shape::kSharedBytes,
        rows ? bf16_wgmma<Shape, Way::rows> : bf16_wgmma<Shape, Way::elements>, args, item, tiles_m, tiles_n);
  });
}

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (p.dtype != DType::bf16) return "needs bf16 operands";
  const Refusal refusal = refuse_wgmma(machine);
  return refusal ? refusal : refuse_mma_sizes(p.m, p.n, p.k);
}

std::size_t room_for_a(const MatmulProblem& p) { return packing_room(p.a, Layout::row, p.m, p.k, p.batch, 2); }
std::size_t room_for_b(const MatmulProblem& p) {
  return packing_room(p.b, Layout::column, p.n, p.k, p.shared_b ? 1 : p.batch, 2);
}
std::size_t workspace(const MatmulProblem& p, const Machine&) { return room_for_a(p) + room_for_b(p); }

Code run(const MatmulArgs& args, const Queue& queue, Workspace room) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  if (args.k == 0 || args.batch.rank > 1) return launch_plain(args, queue);
  const Loops<3>& batch = args.batch;
  const auto step = [&](int operand) { return batch.rank ? batch.strides[operand][0] : 0; };
  const OperandOfK of_a{args.a.data, args.m, args.k, args.a.row, args.a.col, batch.elements, step(0)};
  const OperandOfK of_b{args.b.data, args.n, args.k, args.b.col, args.b.row, batch.elements, step(1)};
  Code code = Code::ok;
  const OperandOfK a = k_major<std::uint16_t>(queue, of_a, room, code);
  const OperandOfK b = k_major<std::uint16_t>(queue, of_b, room, code);
  if (code != Code::ok) return code;
  const bool launched = with_ring(args.m, args.n, batch.elements, *queue.machine,
                                  [&]<class Shape>() { return launched_ring<Shape>(args, a, b, queue, code); });
  return launched ? code : launch_plain(args, queue);
}

double cost(const MatmulProblem& p, const Machine& machine) {
  return std::max(wgmma_seconds(p.m, p.n, p.k, p.batch, 2, machine),
                  seconds_for_bytes(Matmul::bytes(p), 0.8, machine)) +
         packing_seconds(room_for_a(p), machine) + packing_seconds(room_for_b(p), machine);
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 90, .shared_bytes = std::max(WideRing::kSharedBytes, NarrowRing::kSharedBytes)},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cuda::matmul_bf16_wgmma
