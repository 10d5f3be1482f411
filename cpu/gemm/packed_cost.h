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

/// Whole vectors of columns are multiplied at `efficiency` of the ceiling; what is packed, begun and stored besides
/// takes cycles. They were fitted to 900 single products on Zen 5 (s8 with VNNI and with AVX2, bf16; median error 10 to
/// 12 %); a cycle is that of two multiply-adds of vectors of f32.
inline double packed_seconds(const GemmSet& set, const ProductSize& p, const Machine& machine, double efficiency,
                             double Ceilings::*ceiling) {
  if (is_dots(set, p)) return dots_seconds(set, p, machine);
  constexpr double kCall = 100e-9;
  constexpr double kTile = 140, kStored = 0.1;            // a tile, an element of c
  constexpr double kWordAlong = 0.45, kWordAcross = 0.5;  // a word packed from its values side by side, from rows
  constexpr double kValueAcross = 1, kValueOfRest = 1.5;  // a value packed alone
  constexpr double kStreamed = 9, kStreamedRow = 5, kEdge = 73;  // skinny: a word of k in a block of columns
  const std::int64_t lanes = std::max(set.lanes, 1), words = ceil_div(p.k, set.group), vectors = ceil_div(p.n, lanes);
  const auto count = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
  double cycles = kStored * count(p.m, p.n),
         flops = 2 * count(p.m, (vectors + (p.adds_rows ? 1 : 0)) * lanes) * static_cast<double>(words * set.group);
  if (streams_b(set, p.packed) && p.b == Layout::row && is_skinny_size(set, p.m, p.n, p.k, machine.cpu)) {
    const std::int64_t blocks = ceil_div(p.n, skinny_step(set));
    const std::int64_t edges = (p.n % skinny_step(set) != 0 ? words : 0) + (p.k % set.group != 0 ? blocks : 0);
    cycles += count(words, blocks) * (kStreamed + kStreamedRow * static_cast<double>(p.m)) +
              kEdge * static_cast<double>(edges);
    flops = 0;
  } else {
    cycles += kTile * count(ceil_div(p.m, std::max(set.mr, 1)), ceil_div(p.n, std::max<std::int64_t>(set.nr(), 1)));
    cycles += count(p.m, words) * (p.a == Layout::row ? kWordAlong : kValueAcross * set.group);
    if (!p.packed && p.b == Layout::column)
      cycles += kWordAlong * count(p.n, words);
    else if (!p.packed && lanes == 16)  // has masks
      cycles += kWordAcross * count(words, vectors * lanes);
    else if (!p.packed)
      cycles += static_cast<double>(words) * (kWordAcross * static_cast<double>(p.n / lanes * lanes) +
                                              kValueOfRest * static_cast<double>(p.n % lanes * set.group));
  }
  const auto items = static_cast<double>(p.batch);
  const int threads =
      threads_worth(2 * items * count(p.m, p.n) * static_cast<double>(p.k) / set.group, machine.cpu.threads);
  const double cycle = 4.0 * f32_set(machine.cpu).lanes / assumed(machine.ceilings).cpu_flops;
  return kCall + items * cycles * cycle / threads +
         cpu_seconds(machine, items * flops, p.bytes, efficiency, threads, ceiling);
}

}  // namespace tandem::cpu
