// Idea:    tensor cores (16 x 8 sums from 32 bytes of k an instruction, 8 x 8 from 16 on 7.5). Slabs of 128 bytes of k
//          come through a ring of three in shared memory: by asynchronous copies of 16 bytes where an operand is
//          contiguous along k, transposed in registers where it is contiguous the other way. The sums that zero points
//          need are taken from the same fragments, and scales, bias, activation and requantisation follow at once.
//          b in 2:4 storage becomes dense on the way to shared memory. A column-major c is stored by columns.
// Limits:  m, n and k below 2^31 - 128; any types, strides and alignment. Where one operand is not aligned to 16 bytes
//          along its contiguous dimension, both are read byte by byte (by words where rows are aligned to 4). The depth
//          is not split: a small result of a long sum leaves most of the device idle, and fewer than 64 rows or columns
//          waste the rest.
// Expect:  counted under the emulator at 256 x 256 x 256, all layouts of a, b and c: no bank conflict, loads and stores
//          of global memory 100 % coalesced. On an H100 546 Top/s at 4096 cubed: 0.39 of cuBLASLt, which uses the
//          instructions of warpgroups there; with s8 results faster than its product and a requantisation up to 1024.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/mma_plan.h"
#include "cuda/gemm/quantized_store.cuh"
#include "cuda/launch.h"

namespace tandem::cuda::quantized_matmul_s8_mma {
namespace {

template <class Product, class Shape, Way kWayA, Way kWayB>
__global__ void __launch_bounds__(Shape::kThreads, Shape::kBlocksPerSm)
    quantized_mma(const __grid_constant__ QuantizedMatmulArgs args, unsigned tiles_m, unsigned tiles_n) {
  using A = std::conditional_t<Product::kUnsignedA, std::uint8_t, std::int8_t>;
  extern __shared__ __align__(16) char shared[];
  const TileExtent tile = tile_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
  const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
  const MmaPlace<Shape> place(thread);
  std::int32_t c[Shape::kBlocksM][Shape::kBlocksN][4] = {};
  FragmentSums<A, std::int8_t, Shape> side{args.zb.data != nullptr, args.za.data != nullptr};
  {
    using LoaderA = SlabLoader<typename Product::Element, Shape::kTile, Shape::kThreads, kWayA>;
    using LoaderB = SlabLoader<typename Product::Element, Shape::kTile, Shape::kThreads, kWayB>;
    LoaderA load_a(
        {static_cast<const A*>(args.a.data) + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth}, thread);
    const auto source_b = [&]() -> TileSource {
      if constexpr (kWayB == Way::sparse24) return rows_source<1>(args.b24, tile.j0, tile.cols, depth);
      return {args.b.data + tile.j0 * args.b.col, args.b.col, args.b.row, tile.cols, depth};
    };
    LoaderB load_b(source_b(), thread);
    multiply_tile<Product, Shape>(load_a, load_b, (depth + kSlabBytes - 1) / kSlabBytes, shared, place, c, side);
  }
  static_assert(Shape::kThreads / 32 * kQuantizedStaging * 4 <= Shape::kSharedBytes);
  store_tile<false, Shape>(args, tile.from(place.row, place.col),
                           reinterpret_cast<std::uint32_t*>(shared) + thread / 32 * kQuantizedStaging, c, side,
                           thread % 32);
}

template <class Product, class Shape>
Code with_shape(const QuantizedMatmulArgs& args, const Queue& queue) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kTile), tiles_n = blocks_for(args.n, Shape::kTile);
  const Way a = way_of(args.a.data, args.a.row, args.a.col, args.m, 1);
  const Way b = args.b24.values ? Way::sparse24 : way_of(args.b.data, args.b.col, args.b.row, args.n, 1);
  return with_ways(a, b, [&]<Way kWayA, Way kWayB>() {
    return launch_with_shared(queue, dim3(tiles_m * tiles_n), dim3(Shape::kThreads), Shape::kSharedBytes,
                              quantized_mma<Product, Shape, kWayA, kWayB>, args, tiles_m, tiles_n);
  });
}

template <class Product>
Code with_product(const QuantizedMatmulArgs& args, const Queue& queue) {
  return with_mma_shape(args.m, args.n, 1, *queue.machine,
                        [&]<class Shape>() { return with_shape<Product, Shape>(args, queue); });
}

Refusal supports(const QuantizedMatmulProblem& p, const Machine&) { return refuse_mma_sizes(p.m, p.n, p.k); }

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  return args.a_type == DType::u8 ? with_product<U8S8Product>(args, queue) : with_product<S8Product>(args, queue);
}

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return std::max(mma_seconds(p.m, p.n, p.k, 1, 1, machine),
                  seconds_for_bytes(QuantizedMatmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {
    .needs = {.compute_capability = 75, .shared_bytes = SmallMma::kSharedBytes},
    .traits = {.sparse24 = true},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<QuantizedMatmul>,
    .run = run,
};

}  // namespace tandem::cuda::quantized_matmul_s8_mma
