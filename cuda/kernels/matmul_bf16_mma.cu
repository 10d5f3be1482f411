// Idea:    tensor cores: 16 x 8 f32 sums from 16 of k an instruction. Slabs of 64 of k come through a ring of three in
//          shared memory: by asynchronous copies of 16 bytes where an operand is contiguous along k, transposed in
//          registers where it is contiguous the other way; b in 2:4 storage becomes dense on the way. alpha, beta,
//          bias, activation and the one rounding follow.
// Limits:  compute capability 8.0; m, n and k below 2^31 - 128; any strides, batches and alignment. Where one operand
//          is not aligned to 16 bytes along its contiguous dimension, both are read element by element (by pairs where
//          rows are aligned to 4). The depth is not split: a small result of a long sum leaves most of the device
//          idle, and fewer than 64 rows or columns waste the rest.
// Expect:  counted under the emulator at 256 x 256 x 256, all layouts: no bank conflict, loads and stores of global
//          memory 100 % coalesced. On an H100 305 TFLOP/s at 4096 cubed: 0.39 of cuBLASLt, which uses the
//          instructions of warpgroups there.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/bf16_epilogue.cuh"
#include "cuda/gemm/mma_plan.h"

namespace tandem::cuda::matmul_bf16_mma {
namespace {

template <class Shape, Way kWayA, Way kWayB>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocksPerSm)
    bf16_mma(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m, unsigned tiles_n) {
  using Element = Bf16Product::Element;
  extern __shared__ __align__(16) char shared[];
  const TileExtent tile = tile_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
  const Bf16Item item = bf16_item_of(args, first_item + blockIdx.y);
  const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
  const MmaPlace<Shape> place(thread);
  float c[Shape::kBlocksM][Shape::kBlocksN][4] = {};
  {
    SlabLoader<Element, Shape::kTile, Shape::kThreads, kWayA> load_a(
        {item.a + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth}, thread);
    const auto source_b = [&]() -> TileSource {
      if constexpr (kWayB == Way::sparse24) return rows_source<sizeof(Element)>(args.b24, tile.j0, tile.cols, depth);
      return {item.b + tile.j0 * args.b.col, args.b.col, args.b.row, tile.cols, depth};
    };
    SlabLoader<Element, Shape::kTile, Shape::kThreads, kWayB> load_b(source_b(), thread);
    constexpr int kSlabDepth = kSlabBytes / static_cast<int>(sizeof(Element));
    NoSideSums none;
    multiply_tile<Bf16Product, Shape>(load_a, load_b, (depth + kSlabDepth - 1) / kSlabDepth, shared, place, c, none);
  }
  const int lane = thread % 32;
  const TileExtent part = tile.from(place.row, place.col);
  auto* const staging = reinterpret_cast<std::uint32_t*>(shared) + thread / 32 * 16 * kPitch;
  pass_rows<Shape>(
      c, staging, lane, [](int) {},
      [&](int m) {
        store_rows(args, {staging, kPitch, part.rows - m * 16, part.cols, item.c, part.i0 + m * 16, part.j0}, 16, lane);
      });
}

template <class Shape>
Code with_shape(const MatmulArgs& args, const Queue& queue) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kTile), tiles_n = blocks_for(args.n, Shape::kTile);
  return with_ways(bf16_way(args, 0), bf16_way(args, 1), [&]<Way kWayA, Way kWayB>() {
    return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
      return launch_with_shared(queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items)), dim3(Shape::kThreads),
                                Shape::kSharedBytes, bf16_mma<Shape, kWayA, kWayB>, args, item, tiles_m, tiles_n);
    });
  });
}

Refusal supports(const MatmulProblem& p, const Machine&) {
  return p.dtype == DType::bf16 ? refuse_mma_sizes(p.m, p.n, p.k) : "needs bf16 operands";
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  return with_mma_shape(args.m, args.n, args.batch.elements, *queue.machine,
                        [&]<class Shape>() { return with_shape<Shape>(args, queue); });
}

double cost(const MatmulProblem& p, const Machine& machine) {
  return std::max(mma_seconds(p.m, p.n, p.k, p.batch, 2, machine), seconds_for_bytes(Matmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 80, .shared_bytes = SmallMma::kSharedBytes},
    .traits = {.sparse24 = true},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_bf16_mma
