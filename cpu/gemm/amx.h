// How a set of the vector kernels becomes one of AMX.
#pragma once

#include <algorithm>

#include "common/dispatch/cost.h"
#include "cpu/dot/dot.h"
#include "cpu/gemm/gemm.h"
#include "cpu/gemm/pack_lines.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {

/// With the panels of b and the store of `set`, whose words must be of kGroup values T.
template <class T, int kGroup>
GemmSet amx_set(GemmSet set, const DotTiles& amx) {
  set.mr = amx.mr;
  set.tiles = amx.tiles;
  set.sweep = amx.sweep;
  set.pack_a = pack_lines<T, kGroup>;
  set.a_words = 16;
  set.skinny = nullptr;
  set.skinny_rows = 0;
  set.enter = amx.enter;
  set.leave = amx.leave;
  return set;
}

/// Prior of a product of `batch` items: whole tiles are multiplied, at a part of the ceiling that loads of tiles leave;
/// elements of c go through the store.
inline double amx_seconds(const Machine& machine, std::int64_t m, std::int64_t n, std::int64_t k, std::int64_t batch,
                          int group, double bytes, double Ceilings::*ceiling) {
  constexpr double kEfficiency = 0.45, kCall = 100e-9, kStoreCycles = 0.25;
  const double elements = static_cast<double>(batch) * static_cast<double>(round_up(m, 16) * round_up(n, 32));
  const double flops = 2 * elements * static_cast<double>(round_up(k, std::int64_t{16} * group));
  const int threads = threads_worth(flops / (8 * group), machine.cpu.threads);
  const double cycle = 64 / assumed(machine.ceilings).cpu_flops;
  return kCall + cpu_seconds(machine, flops, bytes, kEfficiency, threads, ceiling) +
         elements * kStoreCycles * cycle / threads;
}

}  // namespace tandem::cpu
