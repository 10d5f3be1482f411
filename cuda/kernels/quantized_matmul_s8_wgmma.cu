// Idea:    the tensor cores of 9.0 by whole warpgroups: 64 x 256 sums from 32 bytes of k an instruction, which reads
//          both operands from shared memory and runs while other things happen. One thread has the copy engine bring
//          slabs there, two blocks of a cluster share those of b, and blocks stay for one tile after the other. An
//          operand that is not contiguous along k is packed first. Where zero points need them, sums of the rows of a
//          and the columns of b are taken from the slabs beside the products. Scales, bias, activation and
//          requantisation follow at once, four elements of a row a thread.
// Limits:  compute capability 9.0 and code for 90a; m, n and k below 2^31 - 128; any types, strides and alignment. A
//          result that lies by columns, and operands along k that are not aligned to 16 bytes, are served by a plainer
//          kernel, whose warps bring the slabs. The depth is not split, so that a small result of a long sum leaves
//          most of the device idle, and fewer than 128 rows or columns waste the rest of the tile.
// Expect:  compiled for 9.0a: no spills, and ptxas does not run the instructions one after the other. Counted under the
//          emulator: no bank conflict, loads and stores of global memory 100 % coalesced but for scales. On an H100, of
//          cuBLASLt at 4096 cubed: 1224 Top/s and 0.86 to s32; 0.99 of it and a requantisation to s8.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/dot4.cuh"
#include "cuda/gemm/quantized_epilogue.cuh"
#include "cuda/gemm/wgmma_plan.h"
#include "cuda/launch.h"

namespace tandem::cuda::quantized_matmul_s8_wgmma {
namespace {

/// Sums of the rows of a and the columns of b, from the slabs. A thread has half a row, and one column or half of one.
template <class A, class Shape>
struct SlabSums {
  static constexpr int kThreadsB = 256 / Shape::kCols, kChunksB = 8 / kThreadsB;
  bool want_rows, want_columns;
  int thread;
  std::uint32_t row = 0, column = 0;

  template <class T, int kChunks>
  static __device__ __forceinline__ std::uint32_t sum(const char* slab, int i, int first, std::uint32_t total) {
#pragma unroll
    for (int chunk = 0; chunk < kChunks; ++chunk) {
      const uint4 words = *reinterpret_cast<const uint4*>(slab + slab_at(i, (first + chunk) * 16));
      total = sum4<T>(words.w, sum4<T>(words.z, sum4<T>(words.y, sum4<T>(words.x, total))));
    }
    return total;
  }
  __device__ __forceinline__ void add(const char* slab_a, const char* slab_b) {
    if (want_rows) row = sum<A, 4>(slab_a, thread / 2, thread % 2 * 4, row);
    if (want_columns)
      column = sum<std::int8_t, kChunksB>(slab_b, thread / kThreadsB, thread % kThreadsB * kChunksB, column);
  }
  /// To `rows` and `columns`, one word for each of the tile.
  __device__ __forceinline__ void store(std::uint32_t* rows, std::uint32_t* columns) const {
    const std::uint32_t whole_row = row + __shfl_xor_sync(0xffffffffu, row, 1);
    const std::uint32_t whole_column = kThreadsB == 1 ? column : column + __shfl_xor_sync(0xffffffffu, column, 1);
    if (thread % 2 == 0) rows[thread / 2] = whole_row;
    if (thread % kThreadsB == 0) columns[thread / kThreadsB] = whole_column;
  }
};

template <class Product, class Shape, Way kWay>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    quantized_wgmma(const __grid_constant__ QuantizedMatmulArgs args, unsigned tiles_m, unsigned tiles_n) {
  if constexpr (!kHasWgmma) {
    __trap();
  } else {
    using A = std::conditional_t<Product::kUnsignedA, std::uint8_t, std::int8_t>;
    extern __shared__ __align__(1024) char shared[];
    char* const slabs = aligned_slabs(shared);
    const TileExtent tile = tile_extent<Shape>(args.m, args.n, tiles_m, tiles_n);
    const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
    std::int32_t c[Shape::kBlocksN][4] = {};
    SlabSums<A, Shape> side{args.zb.data != nullptr, args.za.data != nullptr, thread};
    {
      SlabLoader<typename Product::Element, Shape::kRows, Shape::kThreads, kWay> load_a(
          {static_cast<const A*>(args.a.data) + tile.i0 * args.a.row, args.a.row, args.a.col, tile.rows, depth},
          thread);
      SlabLoader<typename Product::Element, Shape::kCols, Shape::kThreads, kWay> load_b(
          {args.b.data + tile.j0 * args.b.col, args.b.col, args.b.row, tile.cols, depth}, thread);
      multiply_by_wgmma<Product, Shape>(load_a, load_b, (depth + kSlabBytes - 1) / kSlabBytes, slabs, c, side);
    }
    auto* const staging = reinterpret_cast<std::uint32_t*>(slabs);
    std::uint32_t *const rows_of_a = staging + Shape::kStaging, *const columns_of_b = rows_of_a + Shape::kRows;
    static_assert((Shape::kStaging + Shape::kRows + Shape::kCols) * 4 <= Shape::kSharedBytes - Shape::kAlignment);
    side.store(rows_of_a, columns_of_b);
    const bool by_columns = stores_columns(args);
    if (by_columns)
      stage_columns<Shape>(c, staging, thread);
    else
      stage_rows<Shape>(c, staging, thread);
    __syncthreads();
    // A warp stores 32 rows of half of the columns, or 16 of all.
    const int warp = thread / 32, lane = thread % 32;
    const int row = by_columns ? warp % 4 * 32 : warp * 16, first = by_columns ? warp / 4 * (Shape::kCols / 2) : 0;
    const int last = ::min(by_columns ? first + Shape::kCols / 2 : Shape::kCols, tile.cols);
    if (row >= tile.rows) return;
#pragma unroll 1
    for (int col = first; col < last; col += 32) {
      const TileExtent part = tile.from(row, col);
      const std::uint32_t* sums = staging + (by_columns ? col * Shape::kColumnPitch + row : row * Shape::kPitch + col);
      store_lines(args,
                  {sums, rows_of_a + row, columns_of_b + col, by_columns ? Shape::kColumnPitch : Shape::kPitch,
                   part.rows, part.cols, part.i0, part.j0},
                  by_columns ? 32 : 16, lane);
    }
  }
}

template <class Product, class Shape>
__global__ void __launch_bounds__(Shape::kThreads, 1)
    quantized_wgmma_ring(const __grid_constant__ QuantizedMatmulArgs args, const __grid_constant__ CUtensorMap map_a,
                         const __grid_constant__ CUtensorMap map_b, unsigned groups_m, unsigned tiles_n) {
  if constexpr (!kHasWgmma) {
    __trap();
  } else {
    using A = std::conditional_t<Product::kUnsignedA, std::uint8_t, std::int8_t>;
    extern __shared__ __align__(1024) char shared[];
    const Ring<Shape> ring(shared);
    const RingTiles<Shape> tiles{groups_m, tiles_n, 1};
    const int slabs = static_cast<int>((args.k + kSlabBytes - 1) / kSlabBytes);
    make_barriers(ring);
    if (threadIdx.x >= Shape::kConsumers) {
      give_registers<40>();
      if (threadIdx.x == Shape::kConsumers) bring_slabs(ring, tiles, &map_a, &map_b, slabs, kSlabBytes, 0, 0);
    } else {
      take_registers<232>();
      const int thread = static_cast<int>(threadIdx.x), warp = thread / 32, lane = thread % 32;
      std::uint32_t* const staging = ring.staging + warp * Shape::kStagingOfWarp;
      RingPlace<Shape> place;
      tiles.for_each([&](int i0, int j0, int) {
        std::int32_t c[Shape::kBlocksN][4] = {};
        SlabSums<A, Shape> side{args.zb.data != nullptr, args.za.data != nullptr, thread};
        multiply_ring<Product, Shape>(ring, place, slabs, thread, c, side);
        if (side.want_rows || side.want_columns) {
          part_barrier<1, Shape::kConsumers>();  // the sums of the tile before are not read any more
          side.store(ring.rows_of_a, ring.columns_of_b);
          part_barrier<1, Shape::kConsumers>();
        }
        const std::int64_t row = i0 + warp * 16;
        const int rows = static_cast<int>(::min(args.m - row, std::int64_t{16}));
        if (rows <= 0) return;
        const int cols = static_cast<int>(::min(args.n - j0, std::int64_t{Shape::kCols}));
        pass_columns<Shape>(c, staging, lane, cols, [&](int col) {
          store_lines(
              args,
              {staging, ring.rows_of_a + warp * 16, ring.columns_of_b + col, kPitch, rows, cols - col, row, j0 + col},
              16, lane);
        });
      });
    }
    leave_cluster<Shape::kCluster>();
  }
}

template <class Product, class Shape>
bool launched_ring(const QuantizedMatmulArgs& args, const OperandOfK& a, const OperandOfK& b, const Queue& queue,
                   Code& code) {
  CUtensorMap map_a, map_b;
  if (args.c.row < args.c.col || !describe(a, 1, Shape::kRows, map_a) || !describe(b, 1, Shape::kBoxB, map_b))
    return false;
  code = launch_ring<Shape>(queue, args.m, args.n, 1, quantized_wgmma_ring<Product, Shape>, args, map_a, map_b,
                            blocks_for(args.m, Shape::kRows * Shape::kCluster), blocks_for(args.n, Shape::kCols));
  return true;
}

/// For a result that lies by columns, and for operands that neither the copy engine reads nor were packed for it.
template <class Product>
Code launch_plain(QuantizedMatmulArgs args, const OperandOfK& a, const OperandOfK& b, const Queue& queue) {
  using Shape = PlainWgmma;
  args.a = {a.data, a.row, a.depth};
  args.b = {static_cast<const std::int8_t*>(b.data), b.depth, b.row};
  const unsigned tiles_m = blocks_for(args.m, Shape::kRows), tiles_n = blocks_for(args.n, Shape::kCols);
  const bool rows =
      way_of(a.data, a.row, a.depth, a.rows, 1) == Way::rows && way_of(b.data, b.row, b.depth, b.rows, 1) == Way::rows;
  return launch_with_shared(
      queue, dim3(tiles_m * tiles_n), dim3(Shape::kThreads), Shape::kSharedBytes,
      rows ? quantized_wgmma<Product, Shape, Way::rows> : quantized_wgmma<Product, Shape, Way::elements>, args, tiles_m,
      tiles_n);
}

template <class Product>
Code with_product(const QuantizedMatmulArgs& args, const Queue& queue, Workspace room) {
  OperandOfK a{args.a.data, args.m, args.k, args.a.row, args.a.col};
  OperandOfK b{args.b.data, args.n, args.k, args.b.col, args.b.row};
  if (args.k == 0) return launch_plain<Product>(args, a, b, queue);
  Code code = Code::ok;
  a = k_major<std::uint8_t>(queue, a, room, code);
  b = k_major<std::uint8_t>(queue, b, room, code);
  if (code != Code::ok) return code;
  const bool launched = with_ring(args.m, args.n, 1, *queue.machine, [&]<class Shape>() {
    return launched_ring<Product, Shape>(args, a, b, queue, code);
  });
  return launched ? code : launch_plain<Product>(args, a, b, queue);
}

Refusal supports(const QuantizedMatmulProblem& p, const Machine& machine) {
  const Refusal refusal = refuse_wgmma(machine);
  return refusal ? refusal : refuse_mma_sizes(p.m, p.n, p.k);
}

std::size_t room_for_a(const QuantizedMatmulProblem& p) {
  return packing_room(p.a_layout, Layout::row, p.m, p.k, 1, 1);
}
std::size_t room_for_b(const QuantizedMatmulProblem& p) {
  return packing_room(p.b_layout, Layout::column, p.n, p.k, 1, 1);
}
std::size_t workspace(const QuantizedMatmulProblem& p, const Machine&) { return room_for_a(p) + room_for_b(p); }

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace room) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  return args.a_type == DType::u8 ? with_product<U8S8Product>(args, queue, room)
                                  : with_product<S8Product>(args, queue, room);
}

double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  return std::max(wgmma_seconds(p.m, p.n, p.k, 1, 1, machine),
                  seconds_for_bytes(QuantizedMatmul::bytes(p), 0.8, machine)) +
         packing_seconds(room_for_a(p), machine) + packing_seconds(room_for_b(p), machine);
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {
    .needs = {.compute_capability = 90, .shared_bytes = std::max(WideRing::kSharedBytes, NarrowRing::kSharedBytes)},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cuda::quantized_matmul_s8_wgmma
