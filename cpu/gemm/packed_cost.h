// Prior of products whose operands are packed into words of several values in every call.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "cpu/gemm/dots_cost.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/sets.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {

/// Cycles of what a product takes beside its multiply-adds; one is that of two multiply-adds of vectors of f32. Fitted
/// to 1000 single products of each kind on a Xeon (median error 8 to 16 % on others). Of short vectors that
/// was the product of bytes with AVX2; they stand for bf16 without an instruction of its own too.
struct PackedCycles {
  double tile, stored, part;        // a tile, an element of c, a row of a vector that is not whole
  double along_a, value_of_a;       // a word of a packed from values side by side, a value from columns
  double along_b, across_b;         // a word of b packed from values side by side, from rows
  double column_sum, row_sum;       // for a word of b, for a word of a tile's rows
  double streamed, streamed_row;    // few rows: a word of k in a block of columns, the same for each row
  double streamed_sum, streamed_a;  // an element of c, a word of a
};

/// Whole vectors of columns are multiplied at `efficiency` of the ceiling; the rest takes cycles.
inline double packed_seconds(const GemmSet& set, const ProductSize& p, const Machine& machine, double efficiency,
                             double Ceilings::*ceiling) {
  if (is_dots(set, p)) return dots_seconds(set, p, machine);
  constexpr double kCall = 130e-9;
  constexpr PackedCycles kBytes{154, 0.23, 6, 0.6, 0.29, 0.52, 0.36, 0.12, 10.8, 11.3, 1.5, 1.8, 3.8};
  constexpr PackedCycles kPairs{114, 0.47, 5, 0.5, 0.43, 0.67, 0.45, 0, 0, 4.5, 7.3, 0.87, 3.3};
  constexpr PackedCycles kShortVectors{120, 0.05, 14, 0.1, 1.5, 0.16, 0.53, 0.09, 6.4, 11.3, 1.5, 1.8, 3.8};
  const std::int64_t lanes = std::max(set.lanes, 1), nr = std::max<std::int64_t>(set.nr(), 1);
  const PackedCycles& c = lanes < 16 ? kShortVectors : set.element == 2 ? kPairs : kBytes;
  const std::int64_t words = ceil_div(p.k, set.group), padded = round_up(p.n, nr);
  const auto count = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
  double cycles = 0, flops = 0;
  if (streams_b(set, p.packed) && p.b == Layout::row && is_skinny_size(set, p.m, p.n, p.k, machine.cpu)) {
    const std::int64_t blocks = ceil_div(p.n, skinny_step(set));
    cycles = count(words, blocks) * (c.streamed + c.streamed_row * static_cast<double>(p.m)) +
             c.streamed_sum * count(p.m, p.n) + c.streamed_a * count(p.m, words);
  } else {
    const std::int64_t row_tiles = ceil_div(p.m, std::max(set.mr, 1));
    flops = 2 * count(p.m, round_up(p.n, lanes)) * static_cast<double>(words * set.group);
    cycles = c.tile * count(row_tiles, padded / nr) + c.stored * count(p.m, p.n);
    if (p.n % lanes != 0) cycles += c.part * static_cast<double>(p.m);
    cycles += count(p.m, words) * (p.a == Layout::row ? c.along_a : c.value_of_a * set.group);
    if (!p.packed && (p.b == Layout::column || p.n == 1))
      cycles += c.along_b * count(p.n, words);
    else if (!p.packed)
      cycles += c.across_b * count(padded, words);
    if (!p.packed && p.adds_columns) cycles += c.column_sum * count(padded, words);
    if (p.adds_rows) cycles += c.row_sum * count(row_tiles, words);
  }
  const auto items = static_cast<double>(p.batch);
  const int threads =
      threads_worth(2 * items * count(p.m, p.n) * static_cast<double>(p.k) / set.group, machine.cpu.threads);
  const double cycle = 4.0 * f32_set(machine.cpu).lanes / assumed(machine.ceilings).cpu_flops;
  return kCall + items * cycles * cycle / threads +
         cpu_seconds(machine, items * flops, p.bytes, efficiency, threads, ceiling);
}

}  // namespace tandem::cpu
