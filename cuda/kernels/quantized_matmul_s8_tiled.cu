// Idea:    a block brings 64 x 128 bytes of a and of b to shared memory, four bytes of k to a word; a thread computes
//          4 x 4 elements with dp4a, four products an instruction, from 16-byte reads of shared memory. A column-major
//          c is stored by columns.
// Limits:  m and n below 2^31; any types, strides and alignment: bytes are read one by one, except along k where rows
//          are aligned to 4 bytes. No tensor cores, and nothing is read while something is computed.
// Expect:  counted under the emulator at 256 x 256 x 256, all layouts: no bank conflict where a and b are contiguous
//          along k. On an H100 43 Top/s at 4096 cubed.
#include <algorithm>

#include "common/dispatch/kernel.h"
#include "cuda/gemm/dot4.cuh"
#include "cuda/gemm/quantized_epilogue.cuh"
#include "cuda/gemm/slab.cuh"
#include "cuda/gemm/tile_order.h"
#include "cuda/launch.h"
#include "cuda/prior.h"

namespace tandem::cuda::quantized_matmul_s8_tiled {
namespace {

constexpr int kTile = 64, kPer = 4, kAcross = kTile / kPer;  // elements a thread, threads along each dimension
constexpr int kThreads = kAcross * kAcross;
constexpr int kBand = 16;  // tile rows that run side by side, see tile_at

// Of a line of sums on their way out: lanes of two rows, and of two columns, meet no bank twice.
constexpr int kRowPitch = kTile + kAcross, kColumnPitch = kTile + 2;
constexpr int kSharedBytes = std::max(2 * kTile * kSlabBytes, (kTile * kRowPitch + 2 * kTile) * 4);

using Loader = SlabLoader<std::uint8_t, kTile, kThreads, Way::elements>;

/// Sixteen bytes of k of rows `first`, `first` + kAcross, ... of a slab.
__device__ __forceinline__ void read_rows(const char* slab, int first, int chunk, uint4 (&out)[kPer]) {
#pragma unroll
  for (int p = 0; p < kPer; ++p)
    out[p] = *reinterpret_cast<const uint4*>(slab + slab_at(first + p * kAcross, chunk * 16));
}

template <class A>
__device__ __forceinline__ std::uint32_t dot16(const uint4& a, const uint4& b, std::uint32_t sum) {
  return dot4<A>(a.w, b.w, dot4<A>(a.z, b.z, dot4<A>(a.y, b.y, dot4<A>(a.x, b.x, sum))));
}

template <class A>
__global__ void __launch_bounds__(kThreads, 2)
    quantized_tiled(const __grid_constant__ QuantizedMatmulArgs args, unsigned tiles_m, unsigned tiles_n) {
  __shared__ __align__(16) char shared[kSharedBytes];
  char* const slab_a = shared;
  char* const slab_b = shared + kTile * kSlabBytes;
  const TileAt at = tile_at(blockIdx.x, tiles_m, tiles_n, kBand);
  const std::int64_t i0 = static_cast<std::int64_t>(at.row) * kTile, j0 = static_cast<std::int64_t>(at.col) * kTile;
  const int rows = static_cast<int>(min(args.m - i0, static_cast<std::int64_t>(kTile)));
  const int cols = static_cast<int>(min(args.n - j0, static_cast<std::int64_t>(kTile)));
  const int depth = static_cast<int>(args.k), thread = static_cast<int>(threadIdx.x);
  Loader load_a({static_cast<const A*>(args.a.data) + i0 * args.a.row, args.a.row, args.a.col, rows, depth}, thread);
  Loader load_b({args.b.data + j0 * args.b.col, args.b.col, args.b.row, cols, depth}, thread);
  const int x = thread % kAcross, y = thread / kAcross;

  std::uint32_t sum[kPer][kPer] = {}, sum_a[kPer] = {}, sum_b[kPer] = {};
  const uint4 ones = make_uint4(0x01010101u, 0x01010101u, 0x01010101u, 0x01010101u);
  for (int k = 0; k < depth; k += kSlabBytes) {
    load_a.fetch(slab_a);
    load_b.fetch(slab_b);
    __syncthreads();
#pragma unroll 2
    for (int chunk = 0; chunk < kSlabBytes / 16; ++chunk) {
      uint4 a[kPer], b[kPer];
      read_rows(slab_a, y, chunk, a);
      read_rows(slab_b, x, chunk, b);
#pragma unroll
      for (int p = 0; p < kPer; ++p)
#pragma unroll
        for (int q = 0; q < kPer; ++q) sum[p][q] = dot16<A>(a[p], b[q], sum[p][q]);
      if (args.zb.data) {
#pragma unroll
        for (int p = 0; p < kPer; ++p) sum_a[p] = dot16<A>(a[p], ones, sum_a[p]);
      }
      if (args.za.data) {
#pragma unroll
        for (int q = 0; q < kPer; ++q) sum_b[q] = dot16<std::int8_t>(b[q], ones, sum_b[q]);
      }
    }
    __syncthreads();
  }
  auto* const products = reinterpret_cast<std::uint32_t*>(shared);
  std::uint32_t *const rows_of_a = products + kTile * kRowPitch, *const columns_of_b = rows_of_a + kTile;
  const bool columns = stores_columns(args);
  const int pitch = columns ? kColumnPitch : kRowPitch, step_i = columns ? 1 : pitch, step_j = columns ? pitch : 1;
#pragma unroll
  for (int p = 0; p < kPer; ++p) {
#pragma unroll
    for (int q = 0; q < kPer; ++q) products[(y + p * kAcross) * step_i + (x + q * kAcross) * step_j] = sum[p][q];
    if (x == 0) rows_of_a[y + p * kAcross] = sum_a[p];
    if (y == 0) columns_of_b[x + p * kAcross] = sum_b[p];
  }
  __syncthreads();
  // A warp stores 16 lines of 32 elements.
  const int warp = thread / 32, line = warp / 2 * 16, along = warp % 2 * 32;
  const int i = columns ? along : line, j = columns ? line : along;
  store_lines(
      args,
      {products + i * step_i + j * step_j, rows_of_a + i, columns_of_b + j, pitch, rows - i, cols - j, i0 + i, j0 + j},
      16, thread % 32);
}

Refusal supports(const QuantizedMatmulProblem& p, const Machine&) {
  if (p.m > kMaxGridX || p.n > kMaxGridX) return "needs m and n below 2^31";
  if (ceil_div(p.m, kTile) * ceil_div(p.n, kTile) > kMaxGridX) return "needs fewer than 2^31 tiles of 64 x 64";
  return nullptr;
}

Code run(const QuantizedMatmulArgs& args, const Queue& queue, Workspace) {
  const unsigned tiles_m = blocks_for(args.m, kTile), tiles_n = blocks_for(args.n, kTile);
  if (tiles_m == 0 || tiles_n == 0) return Code::ok;
  const auto kernel = args.a_type == DType::u8 ? quantized_tiled<std::uint8_t> : quantized_tiled<std::int8_t>;
  return launch(queue, dim3(tiles_m * tiles_n), dim3(kThreads), kernel, args, tiles_m, tiles_n);
}

// Efficiency: prior, not measured. dp4a is issued at half the rate of a multiply-add or the same, and does four.
double cost(const QuantizedMatmulProblem& p, const Machine& machine) {
  const std::int64_t processors = multiprocessors(machine);
  const std::int64_t waves = ceil_div(ceil_div(p.m, kTile) * ceil_div(p.n, kTile), processors);
  const double padded = static_cast<double>(waves * processors * kTile * kTile) * 2.0 *
                        static_cast<double>(ceil_div(p.k, kSlabBytes) * kSlabBytes);
  return std::max(seconds_for_flops(padded, 0.6, machine), seconds_for_bytes(QuantizedMatmul::bytes(p), 0.5, machine));
}

}  // namespace

extern const Kernel<QuantizedMatmul> kKernel;
const Kernel<QuantizedMatmul> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<QuantizedMatmul>,
    .run = run,
};

}  // namespace tandem::cuda::quantized_matmul_s8_tiled
