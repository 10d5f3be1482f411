// Idea:    strips of a few vectors of columns of b; in a strip, for each row of a, the sums stay in registers while
//          each stored element multiplies a row of the strip of b, which stays in a quarter of L2.
// Limits:  b of any strides (copied strip by strip where that pays), any c; rows shared out over the threads by their
//          stored elements.
// Expect:  rows of b are read at about 0.6 of the L2 ceiling while a fits L2; for a single vector of columns, the
//          latency of a multiply-add for each stored element.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/spmm_csr_simd.cpp"
#include "cpu/simd/simd.h"

#include <utility>

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/gemm/pack-inl.h"
#include "cpu/gemm/store-inl.h"
#include "cpu/simd/part-inl.h"
#include "cpu/sparse/strip.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// One strip of kVectors vectors; of the last one only strip.last columns exist. One chain of multiply-adds an
// element, in the order of the stored elements, whatever the strip.
template <int kVectors, bool kPart>
void multiply_strip(const SpmmArgs& args, const SpmmStrip& strip) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto last = static_cast<std::size_t>(strip.last);
  const MatmulArgs& dense = args.dense;
  HWY_ALIGN float tile[kVectors * hn::MaxLanes(hn::ScalableTag<float>())];
  StoreArgs store;
  store.tile = tile;
  store.tile_row = kVectors * lanes;
  store.rows = 1;
  store.columns = (kVectors - 1) * lanes + strip.last;
  store.j = strip.column;
  store.args = &dense;
  for (std::int64_t i = strip.first_row; i < strip.last_row; ++i) {
    hn::Vec<decltype(d)> sum[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[v] = hn::Zero(d);
    const std::int64_t end = args.row_offsets[i + 1];
    for (std::int64_t p = args.row_offsets[i]; p < end; ++p) {
      const float* HWY_RESTRICT b = strip.b + args.columns[p] * strip.b_row;
      const auto x = hn::Set(d, args.values[p]);
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        const bool part = kPart && v == kVectors - 1;
        sum[v] = hn::MulAdd(x, part ? load_part(d, b + v * lanes, last) : hn::LoadU(d, b + v * lanes), sum[v]);
      }
    }
    float* c = static_cast<float*>(dense.c.data) + i * dense.c.row + strip.column * dense.c.col;
    if (strip.direct) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        if (kPart && v == kVectors - 1)
          store_part(sum[v], d, c + v * lanes, last);
        else
          hn::StoreU(sum[v], d, c + v * lanes);
      }
      continue;
    }
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) hn::Store(sum[v], d, tile + v * lanes);
    store.i = i;
    store.c = c;
    f32_store(store);
  }
}

template <std::size_t... kIndex>
const SpmmStripKernel* strip_kernels(std::index_sequence<kIndex...>) {
  static constexpr SpmmStripKernel kKernels[] = {&multiply_strip<static_cast<int>(kIndex / 2) + 1, kIndex % 2 == 1>...};
  return kKernels;
}

SpmmSet spmm_set() {
  return {static_cast<int>(hn::Lanes(hn::ScalableTag<float>())),
          strip_kernels(std::make_index_sequence<2 * kSpmmVectors>()), f32_pack};
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include <algorithm>

#include "common/dispatch/cost.h"
#include "common/ops/spmm.h"
#include "cpu/sparse/rows.h"

namespace tandem::cpu {
namespace {

HWY_EXPORT(spmm_set);

struct Plan {
  std::int64_t columns = 0;  // of a strip
  std::int64_t strips = 0;
  bool packed = false;  // the strips of b are copied, each without gaps
};

// Strips of b stay in a quarter of L2 and are about equally wide. They are copied where rows have no unit stride, and
// where several strips are used again and again: rows that lie a power of two apart would meet in few sets of L2.
Plan plan_for(std::int64_t n, std::int64_t k, std::int64_t stored, bool unit_stride, std::int64_t lanes,
              const Machine& machine) {
  const std::int64_t vectors = (n + lanes - 1) / lanes;
  const std::int64_t fit = machine.cpu.l2_bytes / 4 / (std::max<std::int64_t>(k, 1) * lanes * 4);
  const std::int64_t most = std::clamp<std::int64_t>(fit, 2, kSpmmVectors);
  const std::int64_t strips = (vectors + most - 1) / most;
  if (strips == 0 || stored == 0) return {most * lanes, strips, false};
  return {(vectors + strips - 1) / strips * lanes, strips, !unit_stride || (strips > 1 && stored >= 2 * k)};
}

std::int64_t lanes_of(const Machine& machine) { return TANDEM_SIMD_CALL(machine.cpu.isa, spmm_set)().lanes; }

Plan plan_for(const SpmmProblem& p, const Machine& machine) {
  return plan_for(p.n, p.k, p.stored, p.b == Layout::row, lanes_of(machine), machine);
}

std::size_t workspace(const SpmmProblem& p, const Machine& machine) {
  const Plan plan = plan_for(p, machine);
  return plan.packed ? static_cast<std::size_t>(plan.strips * plan.columns * p.k) * sizeof(float) : 0;
}

// A stored element costs, in each strip, the latency of a multiply-add (4 cycles, in each of which two vectors could be
// multiplied) or the time to bring its row of the strip from L2, where some two thirds of the ceiling were reached;
// and its own 8 bytes where a does not stay in L2.
double cost(const SpmmProblem& p, const Machine& machine) {
  const Ceilings c = assumed(machine.ceilings);
  const Plan plan = plan_for(p, machine);
  const auto stored = static_cast<double>(p.stored), rows = static_cast<double>(p.m);
  const double cycle = 4.0 * static_cast<double>(lanes_of(machine)) / c.cpu_flops;
  double step = std::max(4 * cycle, 4.0 * static_cast<double>(plan.columns) / (0.65 * c.cpu_l2_bytes));
  if (8.0 * stored > static_cast<double>(machine.cpu.l2_bytes)) step += 8.0 / c.cpu_dram_bytes;
  const double work = static_cast<double>(plan.strips) * (stored * step + rows * 8 * cycle);
  const double copied = plan.packed ? 8.0 * static_cast<double>(p.k) * static_cast<double>(p.n) : 0;
  const double flops = Spmm::flops(p);
  const int threads = threads_worth(flops, machine.cpu.threads);
  return std::max(cpu_seconds(machine, flops, Spmm::bytes(p), 0.9, threads),
                  (work + copied / c.cpu_dram_bytes) / threads);
}

void pack_b(const SpmmSet& set, const MatmulArgs& d, const Plan& plan, const Queue& queue, float* out) {
  const auto part = [&](int t, int n) {
    const Share share = share_of(d.k, 64, t, n);
    if (share.begin == share.end) return;
    for (std::int64_t s = 0; s < plan.strips; ++s) {
      const std::int64_t column = s * plan.columns;
      set.pack(static_cast<const float*>(d.b.data) + share.begin * d.b.row + column * d.b.col, d.b.col, d.b.row,
               std::min(plan.columns, d.n - column), share.end - share.begin, plan.columns,
               out + (s * d.k + share.begin) * plan.columns);
    }
  };
  const int threads = threads_worth(8.0 * static_cast<double>(d.k) * static_cast<double>(d.n), queue);
  if (threads == 1) return part(0, 1);
  queue.pool->run(threads, part);
}

Code run(const SpmmArgs& args, const Queue& queue, Workspace workspace) {
  const SpmmSet set = TANDEM_SIMD_CALL(queue.machine->cpu.isa, spmm_set)();
  const MatmulArgs& d = args.dense;
  if (d.m == 0 || d.n == 0) return Code::ok;
  const Plan plan = plan_for(d.n, d.k, args.stored, d.b.col == 1, set.lanes, *queue.machine);
  float* packed = static_cast<float*>(workspace.data);
  if (plan.packed) pack_b(set, d, plan, queue, packed);
  const bool direct = d.c.col == 1 && d.bias.data == nullptr && d.activation == Activation::none;
  for_each_share_of_rows(args, queue, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t s = 0; s < plan.strips; ++s) {
      const std::int64_t column = s * plan.columns, columns = std::min(plan.columns, d.n - column);
      const std::int64_t vectors = (columns + set.lanes - 1) / set.lanes, rest = columns - (vectors - 1) * set.lanes;
      SpmmStrip strip = {first, last, column, rest, nullptr, d.b.row, direct};
      if (plan.packed) {
        strip.b = packed + s * d.k * plan.columns;
        strip.b_row = plan.columns;
      } else if (args.stored > 0) {
        strip.b = static_cast<const float*>(d.b.data) + column;
      }
      set.strips[2 * (vectors - 1) + (rest == set.lanes ? 0 : 1)](args, strip);
    }
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Spmm> spmm_csr_simd;
const Kernel<Spmm> spmm_csr_simd = {
    .needs = {}, .traits = {}, .supports = supports_all<Spmm>, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu

#endif  // HWY_ONCE
