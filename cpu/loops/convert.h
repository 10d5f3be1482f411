// What the conversions between f32 and the types of 16 bits share outside of the vector code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "common/dispatch/cost.h"
#include "common/dispatch/kernel.h"
#include "common/ops/convert.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu {

inline constexpr std::int64_t kConvertPerThread = 16384;  // elements that take about a microsecond

inline double convert_cost(const ConvertProblem& p, const Machine& machine) {
  const double weight = p.contiguous ? 3 : 60;
  return cpu_seconds(machine, weight * Convert::flops(p), Convert::bytes(p), 1,
                     threads_worth(p.elements, kConvertPerThread, machine.cpu.threads));
}

/// Calls convert(x, y, count, stream) for runs of unit stride, on the threads of the queue.
template <class In, class Out, class F>
void convert_shares(const ConvertArgs& args, const Queue& queue, F convert) {
  const auto* x = static_cast<const In*>(args.x);
  auto* y = static_cast<Out*>(args.y);
  const std::int64_t elements = args.loops.elements;
  const bool contiguous = args.loops.contiguous();
  const bool stream =
      contiguous && bypass_caches(*queue.machine, elements * static_cast<std::int64_t>(sizeof(In) + sizeof(Out)));
  for_shares(queue, elements, 64, kConvertPerThread, [&](std::int64_t begin, std::int64_t end) {
    if (contiguous) return convert(x + begin, y + begin, static_cast<std::size_t>(end - begin), stream);
    for_unit_runs(args.loops, x, y, begin, end, [&](const In* from, Out* to, std::int64_t count) {
      convert(from, to, static_cast<std::size_t>(count), false);
    });
  });
}

/// Of a reference: y = convert(x), element by element.
template <class In, class Out, class F>
void convert_each(const ConvertArgs& args, F convert) {
  for (std::int64_t i = 0; i < args.loops.elements; ++i) {
    std::int64_t at[2];
    args.loops.offsets(i, args.loops.rank, at);
    static_cast<Out*>(args.y)[at[1]] = convert(static_cast<const In*>(args.x)[at[0]]);
  }
}
inline double convert_each_cost(const ConvertProblem& p, const Machine& machine) {
  return cpu_seconds(machine, Convert::flops(p), Convert::bytes(p), 0.01, 1);
}

}  // namespace tandem::cpu
