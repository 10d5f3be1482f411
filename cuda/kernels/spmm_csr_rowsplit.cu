// Idea:    a warp, or a part of one, takes a row of a and a tile of columns: its lanes read as many stored elements
//          side by side, pass them round, and add up rows of b in registers, four rows in flight, a float4 or two a
//          lane. Each sum is one chain of multiply-adds in the order of the columns.
// Limits:  b of unit stride along its rows. float4 needs n and the step between rows of b to be multiples of 4, and b
//          to be aligned; else a lane takes single columns. The work of a row is never shared out: a few very long
//          rows leave the device idle.
// Expect:  counted under the emulator: aligned rows of b and c 100 % coalesced, no bank conflict. Time on a device: not
//          measured.
#include "common/dispatch/kernel.h"
#include "common/ops/spmm.h"
#include "cuda/gemm/epilogue.cuh"
#include "cuda/launch.h"
#include "cuda/prior.h"
#include "cuda/vector.cuh"

namespace tandem::cuda::spmm_csr_rowsplit {
namespace {

constexpr int kThreads = 128;
constexpr int kAhead = 4;  // rows of b in flight

/// The sums of a lane: kVectors accesses of kWidth columns.
template <int kVectors, int kWidth>
struct Sums {
  Pack<float, kWidth> part[kVectors];

  __device__ __forceinline__ void clear() {
#pragma unroll
    for (int v = 0; v < kVectors; ++v)
#pragma unroll
      for (int e = 0; e < kWidth; ++e) part[v].v[e] = 0.0f;
  }
  __device__ __forceinline__ void add(float a, const Bits<float, kWidth> (&b)[kVectors]) {
#pragma unroll
    for (int v = 0; v < kVectors; ++v) {
      const Pack<float, kWidth> row(b[v]);
#pragma unroll
      for (int e = 0; e < kWidth; ++e) part[v].v[e] = __fmaf_rn(a, row.v[e], part[v].v[e]);
    }
  }
};

/// kLanes lanes a row of a and kLanes * kVectors * kWidth columns. `direct`: c is stored as kWidth sums at once.
template <int kLanes, int kVectors, int kWidth>
__global__ void __launch_bounds__(kThreads)
    spmm_rowsplit(const __grid_constant__ SpmmArgs args, std::int64_t first, std::int64_t tiles_n, bool direct) {
  constexpr int kColumns = kLanes * kVectors * kWidth, kGroups = kThreads / kLanes;
  // The rows of a warp in different banks.
  __shared__ alignas(16) float sums_of[kGroups][kColumns + (kLanes + 32 - kColumns % 32) % 32];
  const MatmulArgs& d = args.dense;
  const int lane = static_cast<int>(threadIdx.x) % kLanes, group = static_cast<int>(threadIdx.x) / kLanes;
  const std::int64_t index = first + static_cast<std::int64_t>(blockIdx.x) * kGroups + group;
  const std::int64_t i = index / tiles_n, left = index % tiles_n * kColumns;
  const bool has_row = i < d.m;  // lanes without one stay, for the common barrier
  // Lanes of other rows go their own way: exchanges are among the lanes of this one.
  const unsigned lanes = kLanes == 32 ? 0xffffffffu : ((1u << kLanes) - 1u) << (threadIdx.x % 32 / kLanes * kLanes);
  const auto column = [&](int v) { return (lane + v * kLanes) * kWidth; };
  const auto exists = [&](int v) { return left + column(v) < d.n; };
  const float* b = static_cast<const float*>(d.b.data) + left;
  const auto load_row = [&](std::int32_t row, Bits<float, kWidth>(&to)[kVectors]) {
#pragma unroll
    for (int v = 0; v < kVectors; ++v)
      to[v] = exists(v) ? load_bits<kWidth, false>(b + row * d.b.row + column(v)) : Bits<float, kWidth>{};
  };
  Sums<kVectors, kWidth> sums;
  sums.clear();
  const std::int64_t end = has_row ? args.row_offsets[i + 1] : 0;
  for (std::int64_t p = has_row ? args.row_offsets[i] : 0; p < end; p += kLanes) {
    const int count = static_cast<int>(::min(end - p, std::int64_t{kLanes}));
    const std::int32_t my_column = lane < count ? args.columns[p + lane] : 0;
    const float my_value = lane < count ? args.values[p + lane] : 0.0f;
    int e = 0;
    for (; e + kAhead <= count; e += kAhead) {
      Bits<float, kWidth> rows[kAhead][kVectors];
#pragma unroll
      for (int u = 0; u < kAhead; ++u) load_row(__shfl_sync(lanes, my_column, e + u, kLanes), rows[u]);
#pragma unroll
      for (int u = 0; u < kAhead; ++u) sums.add(__shfl_sync(lanes, my_value, e + u, kLanes), rows[u]);
    }
    for (; e < count; ++e) {
      Bits<float, kWidth> row[kVectors];
      load_row(__shfl_sync(lanes, my_column, e, kLanes), row);
      sums.add(__shfl_sync(lanes, my_value, e, kLanes), row);
    }
  }
  float* c = static_cast<float*>(d.c.data) + i * d.c.row + left * d.c.col;
  if (direct) {
#pragma unroll
    for (int v = 0; v < kVectors; ++v)
      if (has_row && exists(v)) store_bits<kWidth, false>(c + column(v), sums.part[v].bits());
    return;
  }
  // By way of shared memory, so that what follows the sum is in the code once and neighbouring lanes store neighbours.
#pragma unroll
  for (int v = 0; v < kVectors; ++v)
    *reinterpret_cast<Bits<float, kWidth>*>(&sums_of[group][column(v)]) = sums.part[v].bits();
  __syncwarp();
  if (!has_row) return;
  for (int j = lane; j < kColumns && left + j < d.n; j += kLanes)
    finish(d, sums_of[group][j], c + j * d.c.col, i, left + j);
}

struct Plan {
  void (*function)(SpmmArgs, std::int64_t, std::int64_t, bool);
  int lanes;
  int columns;  // of a tile
};

Plan plan(std::int64_t n, bool wide) {
  if (wide) {
    if (n <= 32) return {spmm_rowsplit<8, 1, 4>, 8, 32};
    if (n <= 64) return {spmm_rowsplit<16, 1, 4>, 16, 64};
    if (n <= 128) return {spmm_rowsplit<32, 1, 4>, 32, 128};
    return {spmm_rowsplit<32, 2, 4>, 32, 256};
  }
  if (n <= 4) return {spmm_rowsplit<4, 1, 1>, 4, 4};
  if (n <= 8) return {spmm_rowsplit<8, 1, 1>, 8, 8};
  if (n <= 32) return {spmm_rowsplit<16, 2, 1>, 16, 32};
  return {spmm_rowsplit<32, 4, 1>, 32, 128};
}

Code run(const SpmmArgs& args, const Queue& queue, Workspace) {
  const MatmulArgs& d = args.dense;
  if (d.m == 0 || d.n == 0) return Code::ok;
  const bool wide = d.n % 4 == 0 && d.b.row % 4 == 0 && aligned16(d.b.data);
  const Plan p = plan(d.n, wide);
  const bool plain = d.c.col == 1 && d.bias.data == nullptr && d.activation == Activation::none;
  const bool direct = plain && (!wide || (d.c.row % 4 == 0 && aligned16(d.c.data)));
  const std::int64_t tiles_n = ceil_div(d.n, p.columns), groups = kThreads / p.lanes;
  return in_ranges(d.m * tiles_n, kMaxGridX * groups, [&](std::int64_t first, std::int64_t count) {
    return launch(queue, blocks_for(count, static_cast<int>(groups)), kThreads, p.function, args, first, tiles_n,
                  direct);
  });
}

Refusal supports(const SpmmProblem& p, const Machine&) {
  return p.b == Layout::row ? nullptr : "needs b with unit stride along its rows";
}

// Efficiency: prior, not measured. Every stored element reads a row of b, from L2 where b stays in it, which is assumed
// to give twice the bytes/s of memory.
double cost(const SpmmProblem& p, const Machine& machine) {
  const auto n = static_cast<double>(p.n);
  const double b_bytes = 4.0 * static_cast<double>(p.k) * n;
  const double rows_of_b = 4.0 * static_cast<double>(p.stored) * n;
  const double rate = larger_than_l2(b_bytes, machine) ? 0.6 : 2 * 0.6;
  return std::max({seconds_for_bytes(Spmm::bytes(p), 0.7, machine), seconds_for_bytes(rows_of_b, rate, machine),
                   seconds_for_flops(Spmm::flops(p), 0.5, machine)});
}

}  // namespace

extern const Kernel<Spmm> kKernel;
const Kernel<Spmm> kKernel = {
    .needs = {.compute_capability = 75},
    .traits = {},
    .supports = supports,
    .cost = cost,
    .workspace = no_workspace<Spmm>,
    .run = run,
};

}  // namespace tandem::cuda::spmm_csr_rowsplit
