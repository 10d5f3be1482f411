// Idea:    the sparse tensor cores: b in 2:4 storage is the first operand of instructions that multiply 16 x 8 sums
//          from 64 bytes of k, twice as many as dense ones, so c^T = b^T a^T is computed, and transposed on its way out
//          where c is row-major. b comes as half its bytes and its places, those of two slabs at once; a, the ring and
//          what is fused are as in the mma kernel.
// Limits:  compute capability 8.0 to 8.9 (on 9.0 these instructions are slower than dense ones); m, n and k below
//          2^31 - 128; any strides and alignment of a. Rows of values that are not aligned to 16 bytes (k not a
//          multiple of 32) are read byte by byte. The depth is not split.
// Expect:  counted under the emulator at 256 x 256 x 256: no bank conflict, loads and stores of global memory 100 %
//          coalesced. Time on a device: not measured.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/mma_plan.h"
#include "cuda/gemm/mma_sparse.cuh"
#include "cuda/gemm/quantized_store.cuh"

namespace tandem::cuda::quantized_matmul_s8_mmasp {
namespace {

template <class Product, class Shape, Way kWay>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocksPerSm)
    quantized_mmasp(const __grid_constant__ QuantizedMatmulArgs args, unsigned tiles_m, unsigned tiles_n) {
  using X = std::conditional_t<Product::kUnsignedA, std::uint8_t, std::int8_t>;
  using LoaderW = CompressedLoader<std::uint8_t, Shape::kTile, Shape::kThreads>;
  extern __shared__ __align__(16) char shared[];
  const TileExtent tile = tile_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
  const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
  const SparsePlace<Shape, 1> place(thread);
  std::int32_t c[Shape::kBlocksM][Shape::kBlocksN][4] = {};
  FragmentSums<std::int8_t, X, Shape> side{args.za.data != nullptr, args.zb.data != nullptr};
  {
    LoaderW load_w(rows_source<1>(args.b24, tile.j0, tile.cols, depth), thread);
    SlabLoader<std::uint8_t, Shape::kTile, Shape::kThreads, kWay> load_x(
        {static_cast<const X*>(args.a.data) + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth}, thread);
    for_each_slab<LoaderW::kBytes, Shape::kSlab, Shape::kStages>(
        load_w, load_x, (depth + kSlabBytes - 1) / kSlabBytes, shared, [&](const char* slab_w, const char* slab_x) {
          multiply_sparse_slabs<Product, Shape>(slab_w, slab_x, place, c, side);
        });
  }
  static_assert(Shape::kThreads / 32 * kQuantizedStaging * 4 <= kSparseSharedBytes<Shape, 1>);
  store_tile<true, Shape>(args, tile.from(place.col, place.row),
                          reinterpret_cast<std::uint32_t*>(shared) + thread / 32 * kQuantizedStaging, c, side,
                          thread % 32);
}

template <class Product, class Shape>
Code with_shape(const QuantizedMatmulArgs& args, const Queue& queue) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kTile), tiles_n = blocks_for(args.n, Shape::kTile);
  return with_way(way_of(args.a.data, args.a.row, args.a.col, args.m, 1), [&]<Way kWay>() {
    return launch_with_shared(queue, dim3(tiles_m * tiles_n), dim3(Shape::kThreads), kSparseSharedBytes<Shape, 1>,
                              quantized_mmasp<Product, Shape, kWay>, args, tiles_m, tiles_n);
  });
}

template <class Product>
Code with_product(const QuantizedMatmulArgs& args, const Queue& queue) {
  return with_mma_shape(args.m, args.n, 1, *queue.machine,
                        [&]<class Shape>() { return with_shape<Product, Shape>(args, queue); });
}

Refusal supports(const QuantizedMatmulProblem& p, const Machine& machine) {
  if (p.b_format != MatrixFormat::sparse24) return "needs b in 2:4 storage";
  if (const Refusal refusal = refuse_sparse_mma(machine)) return refusal;
  return refuse_mma_sizes(p.m, p.n, p.k);
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  return args.a_type == DType::u8 ? with_product<U8S8Product>(args, queue) : with_product<S8Product>(args, queue);
}

// Efficiency: prior, not measured. At most 1.6 times as fast as the dense instructions.
double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return std::max(mma_seconds(p.m, p.n, p.k, 1, 1, machine) / 1.6,
                  seconds_for_bytes(QuantizedMatmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {
    .needs = {.compute_capability = 80, .shared_bytes = kSparseSharedBytes<SmallMma, 1>},
    .traits = {.sparse24 = true},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<QuantizedMatmul>,
    .run = run,
};

}  // namespace tandem::cuda::quantized_matmul_s8_mmasp
