// Idea:    each thread keeps 8 x 8 elements of c in registers, so that 4 float4 reads of shared memory feed 64
//          multiply-adds; while a slab of depth 16 is used, the next one is on its way (cp.async, or registers where
//          the operand must be transposed). Warps own 64 x 32 of the block's 128 x 128; 64 x 64 blocks for small
//          results. Where the tiles leave multiprocessors idle, a long depth is split: each part leaves its sums in the
//          workspace, and a second kernel adds them in order and finishes.
// Limits:  m, n and k below 2^31 - 16; any strides, batches and alignment, read by float4 where pointers, strides and
//          sizes are multiples of 4 and element by element elsewhere. Fewer than 64 rows or columns waste the rest of
//          the tile.
// Expect:  compiled for 8.0 and 9.0: at most 128 registers, no spills; multiply-adds for each instruction that reads
//          shared memory, over the whole machine code: 15.5 (128 x 128) and 10.2 (64 x 64). Counted under the
//          emulator at 256 x 256 x 256, all layouts: no bank conflict, loads and stores of global memory 100 %
//          coalesced. On an H100 47 TFLOP/s at 4096 cubed; of cuBLAS 0.93 there, 0.83 at 1024 cubed, 1.25 at
//          16 x 4096 x 4096.
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
/// Large tiles are taken only where they are many.
template <class Shape>
constexpr bool kSplit = std::is_same_v<Shape, Small>;
constexpr int kBand = 16;  // tile rows that run side by side, see tile_at

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

__device__ __forceinline__ unsigned part_of_depth() {
  unsigned part;
  asm volatile("mov.u32 %0, %%ctaid.z;" : "=r"(part));
  return part;
}

// Without asynchronous copies both operands pass through registers, and two large blocks would spill.
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
#define TANDEM_REGTILED_BLOCKS 1
#else
#define TANDEM_REGTILED_BLOCKS Shape::kBlocksPerSm
#endif

template <class Shape, bool kAlongKA, bool kAlongKB, Access kAccess>
__global__ void __launch_bounds__(Shape::kThreads, TANDEM_REGTILED_BLOCKS)
    matmul_regtiled(const __grid_constant__ MatmulArgs args, std::int64_t first_item, unsigned tiles_m,
                    unsigned tiles_n, bool direct_store, int part_depth, std::int64_t part_elements) {
  using LoaderA = TileLoader<Shape::kTile, Shape::kThreads, kAlongKA, kAccess>;
  using LoaderB = TileLoader<Shape::kTile, Shape::kThreads, kAlongKB, kAccess>;
  __shared__ __align__(16) float shared[4 * Shape::kSlab];  // a, a, b, b

  float acc[Shape::kRows][Shape::kCols] = {};
  {
    const Work<Shape> work(args, first_item, tiles_m, tiles_n);
    std::int64_t k0 = 0;
    int left = static_cast<int>(args.k);
    if constexpr (kSplit<Shape>) {
      k0 = static_cast<std::int64_t>(part_of_depth()) * part_depth;
      left = static_cast<int>(min(args.k - k0, static_cast<std::int64_t>(part_depth)));
    }
    LoaderA load_a(work.item.a + work.i0 * args.a.row + k0 * args.a.col, args.a.row, args.a.col, work.rows, left,
                   work.thread);
    LoaderB load_b(work.item.b + work.j0 * args.b.col + k0 * args.b.row, args.b.col, args.b.row, work.cols, left,
                   work.thread);
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
  if constexpr (kSplit<Shape>) c += part_of_depth() * part_elements;
  if (direct_store)
    store_direct<Shape>(args, place, c, work.i0, work.j0, work.rows, work.cols, acc);
  else
    store_staged<Shape>(args, place, c, work.i0, work.j0, work.rows, work.cols, acc, shared + work.thread / 32 * 1024,
                        work.thread % 32);
}

/// c from the sums of all parts, added in order: an element a thread.
__global__ void __launch_bounds__(256)
    add_parts(const __grid_constant__ MatmulArgs args, const float* sums, std::int64_t first, int parts) {
  const std::int64_t elements = args.m * args.n, total = elements * args.batch.elements;
  const std::int64_t at = first + static_cast<std::int64_t>(blockIdx.x) * 256 + threadIdx.x;
  if (at >= total) return;
  float sum = 0.0f;
#pragma unroll 4
  for (int part = 0; part < parts; ++part) sum += __ldg(sums + part * total + at);
  const std::int64_t item = at / elements, i = at % elements / args.n, j = at % elements % args.n;
  finish(args, sum, item_of(args, item).c + i * args.c.row + j * args.c.col, i, j);
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
  int parts = 1, part_depth = 0;
  std::int64_t part_elements = 0;
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

/// Into how many parts the depth is split: as many as the device has room for blocks, each of 256 or more; 1: not.
int parts_of_depth(std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch, int multiprocessors) {
  const std::int64_t blocks = ceil_div(m, Small::kTile) * ceil_div(n, Small::kTile) * batch;
  if (blocks == 0 || batch > kMaxGridY || prefers_large(m, n, batch, multiprocessors)) return 1;
  const std::int64_t room = std::int64_t{multiprocessors} * Small::kBlocksPerSm;
  return static_cast<int>(std::clamp<std::int64_t>(std::min(room / blocks, k / 256), 1, 16));
}
/// Depth of one part: whole slabs, of which the last part may have fewer.
int part_depth(std::int64_t k, int parts) {
  return static_cast<int>(ceil_div(ceil_div(std::max<std::int64_t>(k, 1), parts), kDepth) * kDepth);
}

template <class Shape, bool kAlongKA, bool kAlongKB, Access kAccess>
Code launch_all(const MatmulArgs& args, const Queue& queue, const Plan& p) {
  const unsigned tiles_m = blocks_for(args.m, Shape::kTile), tiles_n = blocks_for(args.n, Shape::kTile);
  return in_ranges(args.batch.elements, kMaxGridY, [&](std::int64_t item, std::int64_t items) {
    return launch(queue, dim3(tiles_m * tiles_n, static_cast<unsigned>(items), static_cast<unsigned>(p.parts)),
                  dim3(Shape::kThreads), matmul_regtiled<Shape, kAlongKA, kAlongKB, kAccess>, args, item, tiles_m,
                  tiles_n, p.direct_store, p.part_depth, p.part_elements);
  });
}

template <class Shape, bool kAlongKA, bool kAlongKB>
Code with_access(const MatmulArgs& args, const Queue& queue, const Plan& p) {
  return p.vector ? launch_all<Shape, kAlongKA, kAlongKB, Access::vector>(args, queue, p)
                  : launch_all<Shape, kAlongKA, kAlongKB, Access::scalar>(args, queue, p);
}

template <class Shape>
Code with_layout(const MatmulArgs& args, const Queue& queue, const Plan& p) {
  if (p.along_k_a && p.along_k_b) return launch_all<Shape, true, true, Access::scalar>(args, queue, p);
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

std::size_t workspace(const MatmulProblem& p, const Machine& machine) {
  const int parts = parts_of_depth(p.m, p.n, p.k, p.batch, multiprocessors(machine));
  return parts == 1 ? 0 : static_cast<std::size_t>(parts) * static_cast<std::size_t>(p.batch * p.m * p.n) * 4;
}

Code launch_parts(const MatmulArgs& args, const Queue& queue, int parts) {
  Plan p = plan(args);
  p.parts = parts;
  p.part_depth = part_depth(args.k, parts);
  p.part_elements = args.batch.elements * args.m * args.n;
  return prefers_large(args.m, args.n, args.batch.elements, multiprocessors(*queue.machine))
             ? with_layout<Large>(args, queue, p)
             : with_layout<Small>(args, queue, p);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace space) {
  if (args.m == 0 || args.n == 0) return Code::ok;
  const std::int64_t items = args.batch.elements;
  const int parts = parts_of_depth(args.m, args.n, args.k, items, multiprocessors(*queue.machine));
  if (parts == 1) return launch_parts(args, queue, 1);
  MatmulArgs sums = args;  // of one part: row-major, item after item
  sums.c = {space.data, args.n, 1};
  sums.alpha = 1.0f;
  sums.beta = 0.0f;
  sums.bias = {};
  sums.activation = Activation::none;
  std::int64_t step = args.m * args.n;
  for (int d = sums.batch.rank - 1; d >= 0; --d) {
    sums.batch.strides[2][d] = step;
    step *= sums.batch.shape[d];
  }
  const Code code = launch_parts(sums, queue, parts);
  if (code != Code::ok) return code;
  return in_ranges(ceil_div(items * args.m * args.n, 256), kMaxGridX, [&](std::int64_t first, std::int64_t blocks) {
    return launch(queue, dim3(static_cast<unsigned>(blocks)), dim3(256), add_parts, args,
                  static_cast<const float*>(space.data), first * 256, parts);
  });
}

// Efficiencies: of an H100 0.73 at 4096 cubed, less for small tiles, which is a prior. The time of the busiest
// multiprocessor, in whole tiles.
double cost(const MatmulProblem& p, const Machine& machine) {
  const int processors = multiprocessors(machine);
  const bool large = prefers_large(p.m, p.n, p.batch, processors);
  const std::int64_t tile = large ? Large::kTile : Small::kTile;
  const int parts = parts_of_depth(p.m, p.n, p.k, p.batch, processors);
  const std::int64_t waves = ceil_div(ceil_div(p.m, tile) * ceil_div(p.n, tile) * p.batch * parts, processors);
  const double padded = static_cast<double>(waves * processors * tile * tile) * 2.0 *
                        static_cast<double>(parts == 1 ? p.k : part_depth(p.k, parts));
  // The sums of parts are written and read, by a kernel more.
  const double sums =
      parts == 1 ? 0.0 : 2e-6 + seconds_for_bytes(2.0 * static_cast<double>(workspace(p, machine)), 0.8, machine);
  return std::max(seconds_for_flops(padded, large ? 0.7 : 0.5, machine),
                  seconds_for_bytes(Matmul::bytes(p), 0.8, machine)) +
         sums;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = workspace,
    .run = run,
};

}  // namespace tandem::cuda::matmul_f32_regtiled
