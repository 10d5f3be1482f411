// Idea:    the sparse tensor cores: b in 2:4 storage is the first operand of instructions that multiply 16 x 8 sums
//          from 32 of k, twice as many as dense ones, so c^T = b^T a^T is computed and transposed on its way out. b
//          comes as half its elements and their places, those of four slabs at once; a, the ring and what is fused are
//          as in the mma kernel.
// Limits:  compute capability 8.0 to 8.9 (on 9.0 these instructions are slower than dense ones); m, n and k below
//          2^31 - 128; any strides, batches and alignment of a. Rows of values that are not aligned to 16 bytes (k not
//          a multiple of 16) are read element by element. The depth is not split.
// Expect:  counted under the emulator at 256 x 256 x 256: no bank conflict, loads and stores of global memory 100 %
//          coalesced. Time on a device: not measured.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/bf16_epilogue.cuh"
#include "cuda/gemm/mma_plan.h"
#include "cuda/gemm/mma_sparse.cuh"

namespace tandem::cuda::matmul_bf16_mmasp {
namespace {

template <class Shape, Way kWay>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocksPerSm)
    bf16_mmasp(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m, unsigned tiles_n) {
  using Element = Bf16Product::Element;
  using LoaderW = CompressedLoader<Element, Shape::kTile, Shape::kThreads>;
  extern __shared__ __align__(16) char shared[];
  const TileExtent tile = tile_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
  const Bf16Item item = bf16_item_of(args, first_item + blockIdx.y);
  const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
  const SparsePlace<Shape, sizeof(Element)> place(thread);
  float c[Shape::kBlocksM][Shape::kBlocksN][4] = {};
  {
    LoaderW load_w(rows_source<sizeof(Element)>(args.b24, tile.j0, tile.cols, depth), thread);
    SlabLoader<Element, Shape::kTile, Shape::kThreads, kWay> load_x(
        {item.a + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth}, thread);
    constexpr int kSlabDepth = kSlabBytes / static_cast<int>(sizeof(Element));
    NoSideSums none;
    for_each_slab<LoaderW::kBytes, Shape::kSlab, Shape::kStages>(
        load_w, load_x, (depth + kSlabDepth - 1) / kSlabDepth, shared, [&](const char* slab_w, const char* slab_x) {
          multiply_sparse_slabs<Bf16Product, Shape>(slab_w, slab_x, place, c, none);
        });
  }
  constexpr int kStaging = 32 * kTransposedPitch;
  static_assert(Shape::kThreads / 32 * kStaging * 4 <= kSparseSharedBytes<Shape, sizeof(Element)>);
  const int lane = thread % 32;
  const TileExtent part = tile.from(place.col, place.row);
  auto* const staging = reinterpret_cast<std::uint32_t*>(shared) + thread / 32 * kStaging;
  pass_transposed<Shape>(
      c, staging, lane, [](int) {},
      [&](int j) {
        store_rows(args, {staging, kTransposedPitch, part.rows, part.cols - j, item.c, part.i0, part.j0 + j}, 32, lane);
      });
}

template <class Shape>
Code with_shape(const MatmulArgs& args, const Queue& queue) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kTile), tiles_n = blocks_for(args.n, Shape::kTile);
  return with_way(bf16_way(args, 0), [&]<Way kWay>() {
    return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
      return launch_with_shared(queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items)), dim3(Shape::kThreads),
                                kSparseSharedBytes<Shape, 2>, bf16_mmasp<Shape, kWay>, args, item, tiles_m, tiles_n);
    });
  });
}

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (p.dtype != DType::bf16) return "needs bf16 operands";
  if (p.b_format != MatrixFormat::sparse24) return "needs b in 2:4 storage";
  if (const Refusal refusal = refuse_sparse_mma(machine)) return refusal;
  return refuse_mma_sizes(p.m, p.n, p.k);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  return with_mma_shape(args.m, args.n, args.batch.elements, *queue.machine,
                        [&]<class Shape>() { return with_shape<Shape>(args, queue); });
}

// Efficiency: prior, not measured. At most 1.6 times as fast as the dense instructions.
double cost(const MatmulProblem& p, const Machine& machine) {
  return std::max(mma_seconds(p.m, p.n, p.k, p.batch, 2, machine) / 1.6,
                  seconds_for_bytes(Matmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 80, .shared_bytes = kSparseSharedBytes<SmallMma, 2>},
    .traits = {.sparse24 = true},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_bf16_mmasp
