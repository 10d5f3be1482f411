// How a set of the vector kernels becomes one of AMX.
#pragma once

#include <algorithm>

#include "common/dispatch/cost.h"
#include "cpu/dot/dot.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/packed_cost.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {

/// With the panels of b and the store of `set`.
inline GemmSet amx_set(GemmSet set, const DotTiles& amx) {
  set.mr = amx.mr;
  set.tiles = amx.tiles;
  set.sweep = amx.sweep;
  set.pack_a = set.pack_lines;
  set.dots = nullptr;
  set.int_dots = {};
  set.skinny = nullptr;
  set.skinny_rows = 0;
  set.enter = amx.enter;
  set.leave = amx.leave;
  return set;
}

/// Whole tiles of 16 x 16 are multiplied at a part of the ceiling that loads of tiles leave; the rest takes cycles,
/// fitted to 1350 single products on a Xeon with AMX (s8, u8, bf16; median error 11 to 15 % on others). `packs_a`:
/// even where a lies by rows.
inline double amx_seconds(const ProductSize& p, const Machine& machine, int group, bool packs_a,
                          double Ceilings::*ceiling) {
  constexpr double kEfficiency = 0.5, kCall = 230e-9;
  constexpr double kBlock = 180, kStored = 6.5, kStoredPart = 7;     // 32 x 32 sums; a vector of a row, one not whole
  constexpr double kLineOfA = 3.2, kPackedLine = 15.5, kRest = 8.5;  // 64 bytes of a row, what is left of k of one
  constexpr double kTurnedWords = 26;                                // words of 32 rows of an a in columns
  // Of b: a word packed from its values side by side, a row of words of a panel; a byte beyond half of L2.
  constexpr double kWordAlong = 0.69, kRowAcross = 17.3, kFarByte = 0.03, kRowAddedUp = 12;
  const std::int64_t tile = kTileSide, words = ceil_div(p.k, group), steps = ceil_div(words, tile);
  const auto count = [](std::int64_t a, std::int64_t b) { return static_cast<double>(a) * static_cast<double>(b); };
  const std::int64_t in_place = packs_a || p.a != Layout::row ? 0
                                : p.m % (2 * tile) == tile    ? p.m
                                                              : p.m / (2 * tile) * (2 * tile);
  const std::int64_t bands = ceil_div(p.m, 2 * tile), blocks = ceil_div(p.n, 2 * tile);
  double cycles =
      kBlock * count(bands, blocks) + kStored * count(p.m, ceil_div(p.n, tile)) +
      kLineOfA * count(2 * tile * bands, steps) +
      (p.a == Layout::row ? kPackedLine * count(p.m - in_place, steps) : kTurnedWords * count(bands, words));
  if (p.n % tile != 0) cycles += kStoredPart * static_cast<double>(p.m);
  if (p.k % (tile * group) != 0) cycles += kRest * static_cast<double>(in_place);
  if (!p.packed) {
    const std::int64_t bytes = kWord * p.n * words;
    cycles += kFarByte * static_cast<double>(std::max<std::int64_t>(bytes - machine.cpu.l2_bytes / 2, 0));
  }
  if (!p.packed && (p.b == Layout::column || p.n == 1))
    cycles += kWordAlong * count(p.n, words);
  else if (!p.packed)
    cycles += kRowAcross * count(blocks, words);
  if (!p.packed && p.adds_columns) cycles += kRowAddedUp * count(blocks, words);
  const auto items = static_cast<double>(p.batch);
  const double flops =
      2 * items * count(round_up(p.m, tile), round_up(p.n, tile)) * static_cast<double>(steps * tile * group);
  const int threads =
      threads_worth(2 * items * count(p.m, p.n) * static_cast<double>(p.k) / group, machine.cpu.threads);
  const double cycle = 64 / assumed(machine.ceilings).cpu_flops;
  return kCall + items * cycles * cycle / threads + cpu_seconds(machine, flops, p.bytes, kEfficiency, threads, ceiling);
}

}  // namespace tandem::cpu
