// Prior of products that are dot products along k.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "cpu/gemm/int_dots.h"
#include "cpu/gemm/plan.h"
#include "cpu/gemm/sets.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {

/// A product as the priors of this folder see it.
struct ProductSize {
  std::int64_t m = 0, n = 0, k = 0, batch = 1;
  Layout a = Layout::row, b = Layout::row;
  double bytes = 0;
  bool packed = false;        // panels of b come with the call
  bool adds_rows = false;     // b has zero points: they need the sums of the rows of a
  bool adds_columns = false;  // a has zero points, or is shifted: they need the sums of the columns of b
};

inline bool is_dots(const GemmSet& set, const ProductSize& p) {
  const bool a_along = p.a == Layout::row || p.k == 1, b_along = p.b == Layout::column || p.n == 1;
  return takes_int_dots(set.int_dots, {p.m, p.n, p.k, a_along, b_along, p.packed}) ||
         (!p.packed && takes_dots(set, p.m, p.n, p.k, a_along, b_along));
}

/// Cycles, fitted to 450 products on a Xeon (median errors of 5 to 16 %): a step along k of one of the many, more for
/// each of the few; a sum; one of the many; a value of the few copied from side by side, and from afar. Reading is done
/// meanwhile. A cycle is that of two multiply-adds of vectors of f32.
inline double dots_seconds(const GemmSet& set, const ProductSize& p, const Machine& machine) {
  struct Cycles {
    double step, step_of_few, sum, many, copied, copied_from_afar;
  };
  constexpr double kCall = 40e-9;
  constexpr Cycles kF32{1.6, 0.95, 0.4, 2.9, 0, 1.1}, kBf16{2.3, 1.3, 3.6, 0, 0.9, 1.7};
  constexpr Cycles kS8{0.9, 0.65, 5.2, 0.5, 0.4, 1.5}, kS16{0.2, 0.85, 4.3, 1, 0.4, 1.5};
  const Cycles& c = set.takes_words() ? kF32 : set.element == 2 ? kBf16 : set.group == 4 ? kS8 : kS16;
  const bool columns = few_are_columns(p.m, p.n);
  const auto few = static_cast<double>(std::min(p.m, p.n)), many = static_cast<double>(std::max(p.m, p.n));
  const std::int64_t span = set.int_dots.kernels != nullptr ? set.int_dots.span
                            : set.takes_words()             ? set.lanes
                                                            : 2 * set.lanes;
  const bool from_afar = columns ? p.b != Layout::column && p.n > 1 : p.a != Layout::row;
  const auto items = static_cast<double>(p.batch), steps = static_cast<double>(ceil_div(p.k, span));
  const double cycles = many * (steps * (c.step + c.step_of_few * few) + c.sum * few + c.many) +
                        few * static_cast<double>(p.k) * (from_afar ? c.copied_from_afar : c.copied);
  const int threads = threads_worth(2 * items * few * many * static_cast<double>(p.k) / set.group, machine.cpu.threads);
  const double cycle = 4.0 * f32_set(machine.cpu).lanes / assumed(machine.ceilings).cpu_flops;
  return kCall + std::max(items * cycles * cycle / threads, cpu_seconds(machine, 0, p.bytes, 1, threads));
}

}  // namespace tandem::cpu
