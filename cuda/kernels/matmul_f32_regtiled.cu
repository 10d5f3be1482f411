// Idea:    each thread keeps 8 x 8 elements of c in registers, so that 4 float4 reads of shared memory feed 64
//          multiply-adds; while a slab of depth 16 is used, the next one is on its way (cp.async, or registers where
//          the operand must be transposed). Warps own 64 x 32 of the block's 128 x 128; 64 x 64 blocks for small
//          results.
// Limits:  m, n and k below 2^31 - 16; any strides, batches and alignment, read by float4 where pointers, strides and
//          sizes are multiples of 4 and element by element elsewhere. The depth is not split: a small result of a
//          long sum leaves most of the device idle, and fewer than 64 rows or columns waste the rest of the tile.
// Expect:  compiled for 8.0 and 9.0: at most 128 registers, no spills; multiply-adds for each instruction that reads
//          shared memory, over the whole machine code: 15.5 (128 x 128) and 10.2 (64 x 64). Counted under the
//          emulator at 256 x 256 x 256, all layouts: no bank conflict, loads and stores of global memory 100 %
//          coalesced. Time on a device: not measured.
#include <type_traits>

#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "cuda/gemm/register_tile.cuh"
#include "cuda/gemm/tile_order.h"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::matmul_f32_regtiled {
namespace {

using Large = BlockShape<128, 2, 4, 2, 2, 2>;  // 256 threads of 8 x 8
using Small = BlockShape<64, 2, 2, 1, 2, 4>;   // 128 threads of 4 x 8
constexpr int kBand = 16;                      // tile rows that run side by side, see tile_at

/// The thread's part of the grid's work. Read from the special registers each time it is made, so that what only the
/// store needs occupies no register during the main loop.
template <class Shape>
struct Work {
  int thread;
  std::int64_t i0, j0;  // first row and column of the block's tile
  int rows, cols;       // of it that exist
  Item item;

  __device__ Work(const MatmulArgs& args, std::int64_t first_item, unsigned tiles_m, unsigned tiles_n) {
    unsigned block, batch;
    asm volatile("mov.u32 %0, %%tid.x;" : "=r"(thread));
    asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(block));
    asm volatile("mov.u32 %0, %%ctaid.y;" : "=r"(batch));
    const TileAt at = tile_at(block, tiles_m, tiles_n, kBand);
    i0 = static_cast<std::int64_t>(at.row) * Shape::kTile;
    j0 = static_cast<std::int64_t>(at.col) * Shape::kTile;
    rows = static_cast<int>(min(args.m - i0, static_cast<std::int64_t>(Shape::kTile)));
    cols = static_cast<int>(min(args.n - j0, static_cast<std::int64_t>(Shape::kTile)));
    item = item_of(args, first_item + batch);
  }
};

// Without asynchronous copies both operands pass through registers, and two large blocks would spill.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define TANDEM_REGTILED_BLOCKS 1
#else
#define TANDEM_REGTILED_BLOCKS Shape::kBlocksPerSm
#endif

template <class Shape, bool kAlongKA, bool kAlongKB, Access kAccess>
__global__ void __launch_bounds__(Shape::kThreads, TANDEM_REGTILED_BLOCKS)
    matmul_regtiled(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m,
                    unsigned tiles_n, bool direct_store) {
  using LoaderA = TileLoader<Shape::kTile, Shape::kThreads, kAlongKA, kAccess>;
  using LoaderB = TileLoader<Shape::kTile, Shape::kThreads, kAlongKB, kAccess>;
  __shared__ __align__(16) float shared[4 * Shape::kSlab];  // a, a, b, b

  float acc[Shape::kRows][Shape::kCols] = {};
  {
    const Work<Shape> work(args, first_item, tiles_m, tiles_n);
    int left = static_cast<int>(args.k);
    LoaderA load_a(work.item.a + work.i0 * args.a.row, args.a.row, args.a.col, work.rows, left, work.thread);
    LoaderB load_b(work.item.b + work.j0 * args.b.col, args.b.col, args.b.row, work.cols, left, work.thread);
    const Place<Shape> place(work.thread);
    int stage = 0;
    load_a.fetch(shared);
    load_b.fetch(shared + 2 * Shape::kSlab);
    load_a.store(shared);
    load_b.store(shared + 2 * Shape::kSlab);
    for (; left > 0; left -= kDepth) {
      async_wait();
      __syncthreads();  // this stage has arrived, and nobody reads the other one any more
      const float* slabs = shared + stage;
      stage ^= Shape::kSlab;
      const bool more = left > kDepth;
      if (more) {
        load_a.fetch(shared + stage);
        load_b.fetch(shared + stage + 2 * Shape::kSlab);
      }
      multiply<Shape, LoaderA, LoaderB>(slabs, slabs + 2 * Shape::kSlab, place, acc);
      if (more) {
        load_a.store(shared + stage);
        load_b.store(shared + stage + 2 * Shape::kSlab);
      }
    }
  }
  async_wait();     // k = 0: the loop has not waited for the first stage
  __syncthreads();  // the slabs become the warps' staging
  const Work<Shape> work(args, first_item, tiles_m, tiles_n);
  const Place<Shape> place(work.thread);
  float* c = work.item.c + work.i0 * args.c.row + work.j0 * args.c.col;
  if (direct_store)
    store_direct<Shape>(args, place, c, work.i0, work.j0, work.rows, work.cols, acc);
  else
    store_staged<Shape>(args, place, c, work.i0, work.j0, work.rows, work.cols, acc, shared + work.thread / 32 * 1024,
                        work.thread % 32);
}

bool multiple_of_4(std::int64_t value) { return value % 4 == 0; }

/// Whether every float4 of a matrix is aligned: data, distance of rows or columns, distances of batch items.
bool vector_ready(const void* data, std::int64_t contiguous_stride, std::int64_t other_stride, const Loops<3>& batch,
                  int operand) {
  if (!aligned16(data) || contiguous_stride != 1 || !multiple_of_4(other_stride)) return false;
  return std::all_of(batch.strides[operand], batch.strides[operand] + batch.rank, multiple_of_4);
}

struct Plan {
  bool along_k_a, along_k_b;
  bool vector;
  bool direct_store;
};

Plan plan(const MatmulArgs& args) {
  Plan p = {};
  p.along_k_a = args.a.col <= args.a.row;
  p.along_k_b = args.b.row < args.b.col;
  const bool vector_a = p.along_k_a
                            ? vector_ready(args.a.data, args.a.col, args.a.row, args.batch, 0) && multiple_of_4(args.k)
                            : vector_ready(args.a.data, args.a.row, args.a.col, args.batch, 0) && multiple_of_4(args.m);
  const bool vector_b = p.along_k_b
                            ? vector_ready(args.b.data, args.b.row, args.b.col, args.batch, 1) && multiple_of_4(args.k)
                            : vector_ready(args.b.data, args.b.col, args.b.row, args.batch, 1) && multiple_of_4(args.n);
  // Two operands to transpose in registers at a time would spill; single elements are copied without any.
  p.vector = vector_a && vector_b && !(p.along_k_a && p.along_k_b);
  p.direct_store = (args.activation == Activation::none || args.activation == Activation::relu) &&
                   multiple_of_4(args.n) && vector_ready(args.c.data, args.c.col, args.c.row, args.batch, 2);
  return p;
}

/// Whether 128 x 128 blocks finish earlier than 64 x 64 ones, by the area that the busiest multiprocessor computes. A
/// multiply-add of a small block is taken to cost 1.2 times as much: prior, not measured.
bool prefers_large(std::int64_t m, std::int64_t n, std::int64_t batch, int multiprocessors) {
  const std::int64_t large = ceil_div(ceil_div(m, Large::kTile) * ceil_div(n, Large::kTile) * batch, multiprocessors);
  const std::int64_t small = ceil_div(ceil_div(m, Small::kTile) * ceil_div(n, Small::kTile) * batch, multiprocessors);
  return static_cast<double>(large) * 4.0 <= static_cast<double>(small) * 1.2;
}

template <class Shape, bool kAlongKA, bool kAlongKB, Access kAccess>
Code launch_all(const MatmulArgs& args, const Queue& queue, bool direct_store) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kTile), tiles_n = blocks_for(args.n, Shape::kTile);
  return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
    return launch(queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items)), dim3(Shape::kThreads),
                  matmul_regtiled<Shape, kAlongKA, kAlongKB, kAccess>, args, item, tiles_m, tiles_n, direct_store);
  });
}

template <class Shape, bool kAlongKA, bool kAlongKB>
Code with_access(const MatmulArgs& args, const Queue& queue, const Plan& p) {
  return p.vector ? launch_all<Shape, kAlongKA, kAlongKB, Access::vector>(args, queue, p.direct_store)
                  : launch_all<Shape, kAlongKA, kAlongKB, Access::scalar>(args, queue, p.direct_store);
}

template <class Shape>
Code with_layout(const MatmulArgs& args, const Queue& queue, const Plan& p) {
  if (p.along_k_a && p.along_k_b) return launch_all<Shape, true, true, Access::scalar>(args, queue, p.direct_store);
  if (p.along_k_a) return with_access<Shape, true, false>(args, queue, p);
  return p.along_k_b ? with_access<Shape, false, true>(args, queue, p)
                     : with_access<Shape, false, false>(args, queue, p);
}

Refusal supports(const MatmulProblem& p, const Machine& machine) {
  if (p.m > kMaxGridX || p.n > kMaxGridX || p.k > kMaxGridX - kDepth) return "needs m, n and k below 2^31 - 16";
  if (ceil_div(p.m, Small::kTile) * ceil_div(p.n, Small::kTile) > kMaxGridX)
    return "needs fewer than 2^31 tiles of 64 x 64";
  return f32_only<Matmul>(p, machine);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  const Plan p = plan(args);
  return prefers_large(args.m, args.n, args.batch.elements, multiprocessors(*queue.machine))
             ? with_layout<Large>(args, queue, p)
             : with_layout<Small>(args, queue, p);
}

// Efficiencies: prior, not measured. The time of the busiest multiprocessor, in whole tiles.
double cost(const MatmulProblem& p, const Machine& machine) {
  const int processors = multiprocessors(machine);
  const bool large = prefers_large(p.m, p.n, p.batch, processors);
  const std::int64_t tile = large ? Large::kTile : Small::kTile;
  const std::int64_t waves = ceil_div(ceil_div(p.m, tile) * ceil_div(p.n, tile) * p.batch, processors);
  const double padded = static_cast<double>(waves * processors * tile * tile) * 2.0 * static_cast<double>(p.k);
  return std::max(seconds_for_flops(padded, large ? 0.55 : 0.45, machine),
                  seconds_for_bytes(Matmul::bytes(p), 0.8, machine));
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Matmul>,
    .run = run,
};

}  // namespace tandem::cuda::matmul_f32_regtiled
