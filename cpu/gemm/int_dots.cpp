#include "cpu/gemm/int_dots.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/core/thread_pool.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {
namespace {

// Bytes of a row of the few: whole spans, and one for the rest.
std::int64_t row_bytes(const IntDots& dots, std::int64_t k) {
  return round_up(round_up(k, dots.span) * dots.few_bytes, kLine);
}

// The copy of a row of the few, as IntDotsArgs wants it, and its sum.
template <class From, class To>
std::int32_t copy_row(const From* from, std::int64_t stride, std::int64_t k, std::int64_t span, To* to) {
  const std::int64_t rest = k % span, whole = k - rest, padded = rest == 0 ? whole : whole + span;
  const auto copy = [&](std::int64_t begin, std::int64_t end, To* at) {
    for (std::int64_t p = begin; p < end; ++p) *at++ = static_cast<To>(from[p * stride]);
  };
  copy(0, whole, to);
  std::fill(to + whole, to + padded - rest, To{0});
  copy(whole, k, to + padded - rest);
  return std::accumulate(to, to + padded, std::int32_t{0});
}

struct Few {
  const void* data = nullptr;
  std::int64_t rows = 0, row = 0, col = 0;
  bool is_signed = true;
};

std::int32_t copy_few(const IntDots& dots, const Few& few, std::int64_t i, std::int64_t k, char* to) {
  const auto copy = [&]<class From>(const From* from) {
    return dots.few_bytes == 2
               ? copy_row(from + i * few.row, few.col, k, dots.span, reinterpret_cast<std::int16_t*>(to))
               : copy_row(from + i * few.row, few.col, k, dots.span, reinterpret_cast<From*>(to));
  };
  return few.is_signed ? copy(static_cast<const std::int8_t*>(few.data))
                       : copy(static_cast<const std::uint8_t*>(few.data));
}

// Element i for all columns.
template <class T>
QuantizedMatmulArgs::Vector<T> only(const QuantizedMatmulArgs::Vector<T>& v, std::int64_t i) {
  return v.data == nullptr ? v : QuantizedMatmulArgs::Vector<T>{v.data + i * v.stride, 0};
}

// c as the store sees it. Where the few are columns of b it is turned, a row at a time, since the bias belongs to the
// columns of a tile.
struct Result {
  const QuantizedMatmulArgs& args;
  StoreTile store;
  bool is_turned;

  void operator()(const std::int32_t* sums, std::int64_t few, std::int64_t j, std::int64_t count,
                  const std::int32_t* few_sums, const std::int32_t* many_sums) const {
    const auto element = static_cast<std::int64_t>(size_of(args.result));
    QuantizedMatmulArgs seen = args;
    if (is_turned) {
      std::swap(seen.sa, seen.sb);
      std::swap(seen.za, seen.zb);
      std::swap(seen.c.row, seen.c.col);
    }
    const IntStoreArgs fused{&seen, 0};
    StoreArgs to;
    to.tile = sums;
    to.tile_row = kDotsAtOnce;
    to.rows = is_turned ? 1 : few;
    to.columns = count;
    to.j = j;
    to.c = static_cast<char*>(args.c.data) + j * seen.c.col * element;
    to.args = &fused;
    to.row_sums = seen.zb.data == nullptr ? nullptr : few_sums;
    to.column_sums = seen.za.data == nullptr ? nullptr : many_sums;
    for (; to.i < few; to.i += to.rows) {
      if (is_turned) {
        seen.bias_s32 = only(args.bias_s32, to.i);
        seen.bias_f32 = only(args.bias_f32, to.i);
      }
      store(to);
      to.tile = static_cast<const std::int32_t*>(to.tile) + to.rows * to.tile_row;
      to.c = static_cast<char*>(to.c) + to.rows * seen.c.row * element;
      if (to.row_sums != nullptr) to.row_sums += to.rows;
    }
  }
};

}  // namespace

bool takes_int_dots(const IntDots& dots, const IntDotsSize& size) {
  if (dots.kernels == nullptr || size.k < dots.span) return false;
  if (size.packed && !reads_b_beside_panels(size.m, size.n)) return false;
  return std::min(size.m, size.n) <= kSkinnyRows && (few_are_columns(size.m, size.n) ? size.a_along : size.b_along);
}

std::size_t int_dots_workspace(const IntDots& dots, std::int64_t m, std::int64_t n, std::int64_t k) {
  if (!takes_int_dots(dots, {m, n, k, true, true, false})) return 0;
  return static_cast<std::size_t>((std::min(m, n) + 1) * row_bytes(dots, k));
}

void int_dots(const IntDots& dots, StoreTile store, const QuantizedMatmulArgs& args, const Queue& queue,
              Workspace workspace) {
  const bool columns = few_are_columns(args.m, args.n), a_is_signed = args.a_type == DType::s8;
  const Few few = columns ? Few{args.b.data, args.n, args.b.col, args.b.row, true}
                          : Few{args.a.data, args.m, args.a.row, args.a.col, a_is_signed};
  const Signs signs = a_is_signed ? Signs::both : columns ? Signs::few : Signs::many;
  const bool adds_many = (columns ? args.zb : args.za).data != nullptr;

  auto* const copies = static_cast<char*>(workspace.data);
  const std::int64_t row = row_bytes(dots, args.k), rows = few.rows + (adds_many ? 1 : 0);
  std::int32_t few_sums[kIntDotsRows], starts[kIntDotsRows];
  for (std::int64_t i = 0; i < rows; ++i) {
    constexpr std::int8_t kOne = 1;
    const Few one{&kOne, 1, 0, 0, true};
    few_sums[i] = i < few.rows ? copy_few(dots, few, i, args.k, copies + i * row)
                               : copy_few(dots, one, 0, args.k, copies + i * row);
    const std::uint32_t flipped = dots.flips && signs == Signs::both ? 128 : 0;
    starts[i] = static_cast<std::int32_t>(0u - flipped * static_cast<std::uint32_t>(few_sums[i]));
  }

  const std::int64_t many = columns ? args.m : args.n, many_row = columns ? args.a.row : args.b.col;
  const auto* const from = static_cast<const char*>(columns ? args.a.data : args.b.data);
  const IntDotsKernel kernel = dots.kernels[static_cast<int>(signs) * kIntDotsRows + rows - 1];
  const Result result{args, store, columns};
  const auto part = [&](Share mine) {
    alignas(kLine) std::int32_t sums[kIntDotsRows * kDotsAtOnce];
    IntDotsArgs call{0, args.k, copies, row, starts, nullptr, many_row, sums, kDotsAtOnce};
    for (std::int64_t j = mine.begin; j < mine.end; j += kDotsAtOnce) {
      call.count = std::min(kDotsAtOnce, mine.end - j);
      call.many = from + j * many_row;
      kernel(call);
      result(sums, few.rows, j, call.count, few_sums, adds_many ? sums + few.rows * kDotsAtOnce : nullptr);
    }
  };
  const int threads = threads_worth(
      2.0 * static_cast<double>(few.rows * many) * static_cast<double>(args.k) * dots.few_bytes / 4, queue);
  if (threads == 1) return part({0, many});
  queue.pool->run(threads, [&](int t, int n) { part(share_of(many, kDotsStep, t, n)); });
}

}  // namespace tandem::cpu
