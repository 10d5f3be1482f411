// Idea:    few rows against weights in 2:4 storage: b is read once, 0.53 of the bytes of a dense one; the places of a
//          vector of values, two bits each, select the elements of a that they meet from two vectors of it.
// Limits:  at most 8 rows in all, unit stride along the rows of a; more rows repay the dense product
// Expect:  Zen 5, one thread, tandem-compare: 0.8 of the L3 read rate at 1x1024x1024 and 1x1536x384, 1.7 times dense
//          there; 0.4 of the mixed rate at 1x4096x4096, 4.5 times the dense kernel on b transposed; with 8 rows
//          of 1024x1024 0.85 of the dense kernel's speed.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "cpu/kernels/matmul_f32_rows24.cpp"
#include "cpu/simd/simd.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "cpu/gemm/store-inl.h"
#include "cpu/sparse/rows24.h"

HWY_BEFORE_NAMESPACE();
namespace tandem::cpu {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The sum of one row of a and one of b from group g on, element by element.
inline float tail24(const Sparse24Rows& b, const float* values, const std::uint8_t* metadata, const float* a,
                    std::int64_t k, std::int64_t g, float sum) {
  for (; g < b.groups; ++g) {
    const unsigned places = metadata[g / 2] >> (g % 2 * 4);
    const std::int64_t first = g * 4 + (places & 3), second = g * 4 + (places >> 2 & 3);
    if (first < k) sum += a[first] * values[2 * g];
    if (second < k) sum += a[second] * values[2 * g + 1];
  }
  return sum;
}

#if HWY_TARGET != HWY_SCALAR

// Places of values in the two vectors of a that they meet. N lanes hold the values of N / 2 groups, which meet 2 N
// elements: those of the lower half of the lanes in the first vector, the others in the second.
template <class D>
struct Selector {
  explicit Selector(D d) {
    HWY_ALIGN std::uint32_t shifts[hn::MaxLanes(D())], bases[hn::MaxLanes(D())];
    const auto lanes = static_cast<std::uint32_t>(hn::Lanes(d));
    for (std::uint32_t i = 0; i < lanes; ++i) {
      shifts[i] = 2 * i;
      bases[i] = 4 * (i / 2) % lanes;
    }
    shift = hn::Load(hn::RebindToUnsigned<D>(), shifts);
    base = hn::Load(hn::RebindToUnsigned<D>(), bases);
  }
  auto index(D d, const std::uint8_t* metadata) const {
    const hn::RebindToUnsigned<D> du;
    std::uint32_t bits = 0;
    std::memcpy(&bits, metadata, hn::Lanes(d) / 4);
    const auto places = hn::And(hn::Set(du, bits) >> shift, hn::Set(du, 3u));
    return hn::IndicesFromVec(d, hn::BitCast(hn::RebindToSigned<D>(), hn::Or(base, places)));
  }
  hn::Vec<hn::RebindToUnsigned<D>> shift, base;
};

// The sums of kRows rows with one row of b. A row has kChains chains of multiply-adds, since the loop of a single one
// would wait for it; they are added in order at the end.
template <int kRows, int kChains>
HWY_INLINE void multiply_column24(const Rows24Args& args, std::int64_t j, float* HWY_RESTRICT tile,
                                  std::int64_t tile_row) {
  const hn::ScalableTag<float> d;
  using D = decltype(d);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const MatmulArgs& product = *args.product;
  const Sparse24Rows& b = product.b24;
  const float* HWY_RESTRICT values = static_cast<const float*>(b.values) + j * 2 * b.groups;
  const std::uint8_t* HWY_RESTRICT metadata = b.metadata + j * b.metadata_bytes();
  const Selector<D> selector(d);
  const auto lower = hn::FirstN(d, static_cast<std::size_t>(lanes / 2));
  hn::Vec<D> sum[kRows][kChains];
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (int c = 0; c < kChains; ++c) sum[i][c] = hn::Zero(d);
  const auto step = [&](std::int64_t s, int chain) HWY_ATTR {
    const auto index = selector.index(d, metadata + s * lanes / 4);
    const auto value = hn::LoadU(d, values + s * lanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const float* a = args.a + i * product.a.row + s * 2 * lanes;
      const auto low = hn::TableLookupLanes(hn::LoadU(d, a), index);
      const auto high = hn::TableLookupLanes(hn::LoadU(d, a + lanes), index);
      sum[i][chain] = hn::MulAdd(hn::IfThenElse(lower, low, high), value, sum[i][chain]);
    }
  };
  const std::int64_t steps = product.k / (2 * lanes);  // whole vectors of values, whose elements of a all exist
  std::int64_t s = 0;
  for (; s + kChains <= steps; s += kChains)
#pragma GCC unroll 4
    for (int c = 0; c < kChains; ++c) step(s + c, c);
  for (; s < steps; ++s) step(s, 0);
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    auto all = sum[i][0];
#pragma GCC unroll 4
    for (int c = 1; c < kChains; ++c) all = hn::Add(all, sum[i][c]);
    tile[i * tile_row] = tail24(b, values, metadata, args.a + i * product.a.row, product.k, steps * lanes / 2,
                                hn::GetLane(hn::SumOfLanes(d, all)));
  }
}

#else

template <int kRows, int kChains>
void multiply_column24(const Rows24Args& args, std::int64_t j, float* tile, std::int64_t tile_row) {
  const MatmulArgs& product = *args.product;
  const Sparse24Rows& b = product.b24;
  for (int i = 0; i < kRows; ++i)
    tile[i * tile_row] = tail24(b, static_cast<const float*>(b.values) + j * 2 * b.groups,
                                b.metadata + j * b.metadata_bytes(), args.a + i * product.a.row, product.k, 0, 0.0f);
}

#endif

template <int kRows>
void multiply_rows24(const Rows24Args& args, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kColumns = 16;  // a multiple of every vector
  HWY_ALIGN float tile[kRows * kColumns] = {};
  StoreArgs store;
  store.tile = tile;
  store.tile_row = kColumns;
  store.rows = kRows;
  store.args = args.product;
  for (std::int64_t j = first; j < last; j += kColumns) {
    store.columns = std::min(kColumns, last - j);
    for (std::int64_t column = 0; column < store.columns; ++column)
      multiply_column24<kRows, kRows <= 2 ? 4 : kRows <= 4 ? 2 : 1>(args, j + column, tile + column, kColumns);
    store.j = j;
    store.c = args.c + j * args.product->c.col;
    f32_store(store);
  }
}

template <std::size_t... kIndex>
const Rows24Kernel* rows24_table(std::index_sequence<kIndex...>) {
  static constexpr Rows24Kernel kKernels[] = {&multiply_rows24<static_cast<int>(kIndex) + 1>...};
  return kKernels;
}
const Rows24Kernel* rows24_kernels() { return rows24_table(std::make_index_sequence<kRows24>()); }

}  // namespace HWY_NAMESPACE
}  // namespace tandem::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

#include "common/dispatch/cost.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu::matmul_f32_rows24 {
namespace {

HWY_EXPORT(rows24_kernels);

Refusal supports(const MatmulProblem& p, const Machine&) {
  if (p.dtype != DType::f32) return "needs f32 operands";
  if (p.b_format != MatrixFormat::sparse24) return "needs b in 2:4 storage";
  if (p.a != Layout::row && p.m * p.k > 0) return "needs a unit stride along the rows of a";
  return p.m * p.batch > kRows24 ? "needs at most 8 rows" : nullptr;
}

// A step of a row is two loads, two permutations and a multiply-add for two vectors' worth of dense work.
double cost(const MatmulProblem& p, const Machine& machine) {
  constexpr double kCall = 60e-9, kColumn = 3.5e-9;  // the sum of a vector's lanes, and the store
  constexpr double kTail = 1.5e-9;                   // a group beyond the whole vectors
  const std::int64_t lanes = machine.cpu.isa == IsaLevel::avx512 ? 16 : 8;
  const auto tail = static_cast<double>((p.k % (2 * lanes) + 3) / 4);
  const int threads = threads_worth(2 * Matmul::dense_flops(p), machine.cpu.threads);
  const double columns = static_cast<double>(p.m) * static_cast<double>(p.batch) * static_cast<double>(p.n);
  return kCall + columns * (kColumn + kTail * tail) / threads +
         cpu_seconds(machine, Matmul::flops(p), Matmul::bytes(p), 0.3, threads);
}

Code run(const MatmulArgs& args, const Queue& queue, Workspace) {
  if (args.m == 0 || args.n == 0 || args.batch.elements == 0) return Code::ok;
  const Rows24Kernel kernel = TANDEM_SIMD_CALL(queue.machine->cpu.isa, rows24_kernels)()[args.m - 1];
  const auto part = [&](int t, int count) {
    const Share share = share_of(args.n, 16, t, count);
    for (std::int64_t item = 0; item < args.batch.elements; ++item) {
      std::int64_t at[3];
      args.batch.offsets(item, args.batch.rank, at);
      kernel({static_cast<const float*>(args.a.data) + at[0], static_cast<float*>(args.c.data) + at[2], &args},
             share.begin, share.end);
    }
  };
  const int threads = threads_worth(2 * matmul_flops(args), queue);
  if (threads == 1)
    part(0, 1);
  else
    queue.pool->run(threads, part);
  return Code::ok;
}

}  // namespace

extern const Kernel<Matmul> kKernel;
const Kernel<Matmul> kKernel = {.needs = {},
                                .traits = {.sparse24 = true},
                                .supports = supports,
                                .cost = cost,
                                .workspace = no_workspace<Matmul>,
                                .run = run};

}  // namespace tandem::cpu::matmul_f32_rows24

#endif  // HWY_ONCE
