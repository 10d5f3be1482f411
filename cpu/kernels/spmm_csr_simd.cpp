// Idea:    strips of a few vectors of columns of b; in a strip, for each row of a, the sums stay in registers while
//          each stored element multiplies a row of the strip of b, which stays in a quarter of L2. Where most of the
//          work is to write c, a few rows go through all strips together.
// Limits:  b of any strides (copied strip by strip where that pays), any c (in columns: turned in blocks of rows); rows
//          shared out over the threads by their stored elements.
// Expect:  rows of b are read at about 0.6 of the L2 ceiling while a fits L2; in a single vector of columns, two cycles
//          for each stored element; where few elements are stored, a c in columns costs up to four times one in rows.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/spmm_csr_simd.cpp"
#include "cpu/simd/simd.h"

#include <algorithm>
#include <utility>

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/gemm/pack-inl.h"
#include "cpu/gemm/store-inl.h"
#include "cpu/loops/transpose-inl.h"
#include "cpu/simd/part-inl.h"
#include "cpu/sparse/strip.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr std::int64_t kBlock = 16;  // rows of sums that wait for a fused store: a multiple of the lanes

// Stores `rows` rows of sums from row i on. In a c with unit stride along columns they are turned first, so that its
// lines are written whole.
void store_block(const SpmmArgs& args, const SpmmStrip& strip, const float* tile, std::int64_t tile_row,
                 std::int64_t columns, std::int64_t i, std::int64_t rows) {
  StoreArgs store;
  store.tile = tile;
  store.tile_row = tile_row;
  store.rows = rows;
  store.columns = columns;
  store.i = i;
  store.j = strip.column;
  store.c = static_cast<float*>(args.dense.c.data) + i * args.dense.c.row + strip.column * args.dense.c.col;
  store.args = &args.dense;
  if (args.dense.c.row != 1 || args.dense.c.col == 1) return f32_store(store);
  MatmulArgs turned = args.dense;
  std::swap(turned.c.row, turned.c.col);
  std::swap(turned.bias.row, turned.bias.col);
  HWY_ALIGN float across[kSpmmVectors * hn::MaxLanes(hn::ScalableTag<float>()) * kBlock];
  // Whole tiles: what lies beyond the rows and columns is turned along, and not stored.
  static_assert(kBlock % kTile == 0);
  for (std::int64_t j = 0; j < columns; j += kTile)
    for (std::int64_t r = 0; r < rows; r += kTile)
      transpose_tile(reinterpret_cast<const std::uint32_t*>(tile + r * tile_row + j), tile_row,
                     reinterpret_cast<std::uint32_t*>(across + j * kBlock + r), kBlock, false);
  store.tile = across;
  store.tile_row = kBlock;
  std::swap(store.rows, store.columns);
  std::swap(store.i, store.j);
  store.args = &turned;
  f32_store(store);
}

// One strip of kVectors vectors; of the last one only strip.last columns exist, and with kPart no more can be read of
// b. One chain of multiply-adds an element, in the order of the stored elements, whatever the strip. Narrow strips
// advance in several rows at once, since a single chain waits for each multiply-add.
template <int kVectors, bool kPart>
class StripProduct {
 public:
  static constexpr int kRows = kVectors == 1 ? 4 : kVectors == 2 ? 2 : 1;

  StripProduct(const SpmmArgs& args, const SpmmStrip& strip)
      : args_(args), strip_(strip), last_(static_cast<std::size_t>(strip.last)) {}

  void run() {
    std::int64_t i = strip_.first_row;
    for (; i + kRows <= strip_.last_row; i += kRows) rows<kRows>(i);
    for (; i < strip_.last_row; ++i) rows<1>(i);
    if (waiting_ == 0) return;
    std::fill(tile_ + waiting_ * kWidth, tile_ + kBlock * kWidth, 0.0f);
    store_block(args_, strip_, tile_, kWidth, columns(), i - waiting_, waiting_);
  }

 private:
  using D = hn::ScalableTag<float>;
  using V = hn::Vec<D>;
  static constexpr auto kWidth = static_cast<std::int64_t>(kVectors * hn::MaxLanes(D()));

  static std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(D())); }
  std::int64_t columns() const { return (kVectors - 1) * lanes() + strip_.last; }

  // What the inner loop reads, as locals: members would be read again after each store.
  struct Inputs {
    const std::int32_t* HWY_RESTRICT columns;
    const float* HWY_RESTRICT values;
    const float* HWY_RESTRICT b;
    std::int64_t b_row;
    std::size_t last;
  };

  static HWY_INLINE void add(const Inputs in, std::int64_t p, V (&sum)[kVectors]) {
    const D d;
    const float* HWY_RESTRICT b = in.b + in.columns[p] * in.b_row;
    const V x = hn::Set(d, in.values[p]);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      const bool part = kPart && v == kVectors - 1;
      sum[v] = hn::MulAdd(x, part ? load_part(d, b + v * lanes(), in.last) : hn::LoadU(d, b + v * lanes()), sum[v]);
    }
  }

  template <int kCount>
  HWY_INLINE void rows(std::int64_t i) {
    const Inputs in = {args_.columns, args_.values, strip_.b, strip_.b_row, last_};
    V sum[kCount][kVectors];
    std::int64_t at[kCount], together = args_.row_offsets[i + 1] - args_.row_offsets[i];
    for (int r = 0; r < kCount; ++r) {
      for (int v = 0; v < kVectors; ++v) sum[r][v] = hn::Zero(D());
      at[r] = args_.row_offsets[i + r];
      together = std::min<std::int64_t>(together, args_.row_offsets[i + r + 1] - at[r]);
    }
    for (std::int64_t t = 0; t < together; ++t)
#pragma GCC unroll 4
      for (int r = 0; r < kCount; ++r) add(in, at[r] + t, sum[r]);
#pragma GCC unroll 4
    for (int r = 0; r < kCount; ++r) {
      const std::int64_t end = args_.row_offsets[i + r + 1];
      for (std::int64_t p = at[r] + together; p < end; ++p) add(in, p, sum[r]);
      put(i + r, sum[r]);
    }
  }

  HWY_INLINE void put(std::int64_t i, const V (&sum)[kVectors]) {
    if (!strip_.direct) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) hn::Store(sum[v], D(), tile_ + waiting_ * kWidth + v * lanes());
      if (++waiting_ < kBlock) return;
      store_block(args_, strip_, tile_, kWidth, columns(), i + 1 - kBlock, kBlock);
      waiting_ = 0;
      return;
    }
    float* c = static_cast<float*>(args_.dense.c.data) + i * args_.dense.c.row + strip_.column;
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) {
      if (v == kVectors - 1 && strip_.last < lanes())
        store_part(sum[v], D(), c + v * lanes(), last_);
      else
        hn::StoreU(sum[v], D(), c + v * lanes());
    }
  }

  const SpmmArgs& args_;
  const SpmmStrip& strip_;
  std::size_t last_;
  std::int64_t waiting_ = 0;  // rows of sums in the tile
  HWY_ALIGN float tile_[kWidth * kBlock];
};

template <int kVectors, bool kPart>
void multiply_strip(const SpmmArgs& args, const SpmmStrip& strip) {
  StripProduct<kVectors, kPart>(args, strip).run();
}

template <std::size_t... kIndex>
const SpmmStripKernel* strip_kernels(std::index_sequence<kIndex...>) {
  static constexpr SpmmStripKernel kKernels[] = {&multiply_strip<static_cast<int>(kIndex / 2) + 1, kIndex % 2 == 1>...};
  return kKernels;
}

SpmmSet spmm_set() {
  return {static_cast<int>(hn::Lanes(hn::ScalableTag<float>())),
          strip_kernels(std::make_index_sequence<2 * kSpmmVectors>()), pack_panel<AsTheyAre<float>>};
}

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "common/ops/spmm.h"
#include "cpu/sparse/rows.h"

namespace tandem::cpu::spmm_csr_simd {
namespace {

HWY_EXPORT(spmm_set);

constexpr std::int64_t kRowsTogether = 16;

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
  const std::int64_t uses = 8 * k * n <= machine.cpu.l3_bytes ? 2 : 8;  // of a row of b, that repay its copy
  return {(vectors + strips - 1) / strips * lanes, strips, !unit_stride || (strips > 1 && stored >= uses * k)};
}

std::int64_t lanes_of(const Machine& machine) { return TANDEM_SIMD_CALL(machine.cpu.isa, spmm_set)().lanes; }

Plan plan_for(const SpmmProblem& p, const Machine& machine) {
  return plan_for(p.n, p.k, p.stored, p.b == Layout::row, lanes_of(machine), machine);
}

std::size_t workspace(const SpmmProblem& p, const Machine& machine) {
  const Plan plan = plan_for(p, machine);
  return plan.packed ? static_cast<std::size_t>(plan.strips * plan.columns * p.k) * sizeof(float) : 0;
}

// In cycles, fitted to 200 products on one thread of Zen 5 (median error 10 %), and narrow strips, rows, vectors of
// sums, copies and a c that leaves L2 to 400 on a Xeon: a stored element in each strip, where rows of narrow strips
// share the latency of a multiply-add and the mask of a partial vector costs one; or the time to bring its row of the
// strip from L2, as often as L1 does not hold it; and its own 8 bytes where a does not stay in L2. Rows begun, vectors
// of sums stored, more of them where something follows the sum; elements turned for a c in columns. Strips of b are
// copied, at the rate of memory where L3 does not hold b twice. A c that leaves L2 on its way costs a part of its bytes
// more.
double cost(const SpmmProblem& p, const Machine& machine) {
  constexpr double kCall = 35e-9;
  const Ceilings c = assumed(machine.ceilings);
  const Plan plan = plan_for(p, machine);
  const std::int64_t lanes = lanes_of(machine);
  const auto stored = static_cast<double>(p.stored), rows = static_cast<double>(p.m);
  const auto strips = static_cast<double>(plan.strips), width = static_cast<double>(plan.columns / lanes);
  const auto vectors = static_cast<double>((p.n + lanes - 1) / lanes);
  const double cycle = 4.0 * static_cast<double>(lanes) / c.cpu_flops;
  const double partial = p.n % lanes != 0 ? 1 : 0;
  const double multiplied = (width <= 1 ? 1.7 + partial : width <= 2 ? 2.9 + partial : 2.9 + 0.8 * width) * cycle;
  const auto strip = 4 * static_cast<double>(plan.columns) * static_cast<double>(p.k);
  const double near = std::min(1.0, 0.8 * static_cast<double>(machine.cpu.l1d_bytes) / std::max(strip, 1.0));
  double step = near * multiplied +
                (1 - near) * std::max(multiplied, 4.0 * static_cast<double>(plan.columns) / (0.9 * c.cpu_l2_bytes));
  if (8.0 * stored > static_cast<double>(machine.cpu.l2_bytes)) step += 8.0 / cpu_rate(machine, 8.0 * stored, 1);
  double a_row = 4.6 * strips + 3.6 * vectors + 1.4 * partial;
  if (p.c == Layout::column)
    a_row += 0.65 * static_cast<double>(p.n);
  else if (p.bias || p.activation != Activation::none)
    a_row += 4.7 * strips + 4 * vectors;
  const auto copied = plan.packed ? static_cast<double>(p.k) * static_cast<double>(p.n) : 0.0;
  const bool fits = 8 * copied <= static_cast<double>(machine.cpu.l3_bytes);
  const double copy =
      std::max((p.b == Layout::row ? 0.45 : 0.55) * copied * cycle, fits ? 0 : 8 * copied / c.cpu_dram_bytes);
  const double written = 4 * rows * static_cast<double>(p.n);
  const double far =
      written > static_cast<double>(machine.cpu.l2_bytes / 2) ? 0.5 * written / cpu_rate(machine, written, 1) : 0;
  const int threads = threads_worth(flops_worth(p.stored, p.m, p.n), machine.cpu.threads);
  const int copiers = threads_worth(8 * copied, machine.cpu.threads);
  // What others copied is not in the thread's own L2.
  const double copies =
      plan.packed ? fork_seconds(machine, copiers) + (copiers > 1 ? 4 * copied / c.cpu_l3_bytes : 0) : 0;
  return kCall + copies +
         std::max(
             cpu_seconds(machine, Spmm::flops(p), Spmm::bytes(p), 0.9, threads),
             fork_seconds(machine, threads) + (strips * stored * step + rows * a_row * cycle + copy + far) / threads);
}

void pack_b(const SpmmSet& set, const MatmulArgs& d, const Plan& plan, const Queue& queue, float* out) {
  const auto part = [&](int t, int n) {
    const Share share = share_of(d.k, 64, t, n);
    // A few rows of all strips before the next ones: parts of rows of pages of their own miss the translations.
    const std::int64_t together = d.b.col == 1 ? 64 : std::max<std::int64_t>(share.end - share.begin, 1);
    for (std::int64_t row = share.begin; row < share.end; row += together)
      for (std::int64_t s = 0; s < plan.strips; ++s) {
        const std::int64_t column = s * plan.columns;
        set.pack(static_cast<const float*>(d.b.data) + row * d.b.row + column * d.b.col, d.b.col, d.b.row,
                 std::min(plan.columns, d.n - column), std::min(together, share.end - row), plan.columns,
                 out + (s * d.k + row) * plan.columns);
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
  const auto multiply = [&](std::int64_t first, std::int64_t last) {
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
      const bool part = rest < set.lanes && !plan.packed;  // packed strips are padded with zeros
      set.strips[2 * (vectors - 1) + (part ? 1 : 0)](args, strip);
    }
  };
  // Where most of the work is to write c, and L2 holds all strips of b, a few rows go through them together, so that c
  // is written row by row.
  const bool by_rows =
      plan.strips > 1 && d.c.col == 1 && args.stored <= 8 * d.m && 8 * d.k * d.n <= queue.machine->cpu.l2_bytes;
  for_each_share_of_rows(args, queue, [&](std::int64_t first, std::int64_t last) {
    const std::int64_t together = by_rows ? kRowsTogether : std::max<std::int64_t>(last - first, 1);
    for (std::int64_t row = first; row < last; row += together) multiply(row, std::min(row + together, last));
  });
  return Code::ok;
}

}  // namespace

extern const Kernel<Spmm> kKernel;
const Kernel<Spmm> kKernel = {
    .needs = {}, .traits = {}, .supports = supports_all<Spmm>, .cost = cost, .workspace = workspace, .run = run};

}  // namespace tandem::cpu::spmm_csr_simd

#endif  // HWY_ONCE
