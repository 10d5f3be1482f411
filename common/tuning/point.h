// From measurements to the points of a table: what the operations and kernels of this library say of them.
#pragma once

#include <optional>
#include <span>

#include "common/dispatch/select.h"
#include "common/tuning/table.h"

namespace tandem::tuning {

/// What `measured` says, as a point of a table; nothing for a problem that the operation or the kernel does not take.
template <class Op>
std::optional<Point> point_of(const Measurement& measured, const Entry<Op>& entry, const Machine& machine) {
  const auto problem = problem_of_text<Op>(measured.op, measured.problem);
  if (!problem || !entry.kernel || refusal_of(*entry.kernel, *problem, machine)) return std::nullopt;
  Machine then = machine;
  if (measured.threads > 0) then.cpu.threads = measured.threads;
  return Point{
      measured, Op::print(*problem), Op::flops(*problem), Op::bytes(*problem), entry.kernel->cost(*problem, then), {}};
}

/// The table of what was measured, over all operations. Measurements of kernels or problems that this library does not
/// know are left out.
Table make_table(std::span<const Measurement> measured, const Machine& machine, bool stale = false);

}  // namespace tandem::tuning
