// Walking the elements of an operation with scales and zero points as runs that the vector code takes.
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/ops/quantize.h"
#include "common/ops/requantize.h"
#include "cpu/loops/integers.h"
#include "cpu/loops/shares.h"
#include "cpu/loops/walk.h"

namespace tandem::cpu {

/// Elements that take about a microsecond: below twice that one thread is faster.
constexpr std::int64_t kElementsPerThread = 16384;
/// Runs shorter than that are gathered: calling for each costs more.
constexpr std::int64_t kShortRun = 8;

/// A strided piece of an operation's elements in buffers: input, scale, zero point. Bytes of either signedness are
/// moved as In and Out.
template <class In, class Out>
struct GatheredPiece {
  alignas(64) In in[kPiece];
  alignas(64) float scales[kPiece];
  alignas(64) std::int32_t zero_points[kPiece];
  alignas(64) Out out[kPiece];
};

/// f(in, scales, out, count, stream) for runs that cover the elements of `args`; In and Out have the size of the
/// input's and the result's elements.
template <class In, class Out, class F>
void for_scaled_runs(const QuantizeArgs& args, const Queue& queue, F f) {
  const Loops<4>& loops = args.loops;
  const auto* in = static_cast<const In*>(args.in);
  auto* out = static_cast<Out*>(args.out);
  const int last = loops.rank - 1;
  const auto inner = [&](int operand) { return loops.rank == 0 ? 1 : loops.strides[operand][last]; };
  const std::int64_t length = loops.rank == 0 ? 1 : loops.shape[last];
  const bool runs = inner(0) == 1 && inner(3) == 1 && (loops.rank == 0 || (inner(1) <= 1 && inner(2) <= 1)) &&
                    (length >= kShortRun || loops.rank <= 1);
  ScaleRun scales;
  scales.low = args.range.low;
  scales.scale_each = loops.rank > 0 && inner(1) != 0;
  scales.zero_each = loops.rank > 0 && inner(2) != 0 && args.zero_points != nullptr;
  const bool stream =
      runs && length >= 4096 &&
      bypass_caches(*queue.machine, loops.elements * static_cast<std::int64_t>(sizeof(In) + sizeof(Out)));

  const auto run_of = [&](const std::int64_t(&at)[4]) {
    ScaleRun run = scales;
    run.scales = args.scales + at[1];
    run.zero_points = args.zero_points ? args.zero_points + at[2] : nullptr;
    return run;
  };
  const auto strided = [&](std::int64_t begin, std::int64_t end) {
    GatheredPiece<In, Out> piece;
    ScaleRun run = scales;
    run.scales = piece.scales;
    run.zero_points = args.zero_points ? piece.zero_points : nullptr;
    run.scale_each = true;
    run.zero_each = args.zero_points != nullptr;
    Walker<4> from(loops, begin), to(loops, begin);
    while (begin < end) {
      const std::int64_t count = std::min(kPiece, end - begin);
      for (std::int64_t i = 0; i < count; ++i, from.next()) {
        piece.in[i] = in[from.offset(0)];
        piece.scales[i] = args.scales[from.offset(1)];
        if (args.zero_points) piece.zero_points[i] = args.zero_points[from.offset(2)];
      }
      f(piece.in, run, piece.out, count, false);
      for (std::int64_t i = 0; i < count; ++i, to.next()) out[to.offset(3)] = piece.out[i];
      begin += count;
    }
  };
  if (loops.elements == 0) return;
  for_shares(queue, loops.elements, 64, kElementsPerThread, [&](std::int64_t begin, std::int64_t end) {
    if (!runs) return strided(begin, end);
    if (loops.rank == 0) {
      const std::int64_t first[4] = {};
      return f(in, run_of(first), out, std::int64_t{1}, false);
    }
    for_rows(loops, begin, end, [&](const std::int64_t(&at)[4], std::int64_t count) {
      f(in + at[0], run_of(at), out + at[3], count, stream);
    });
  });
}

/// The same walk for operations with one more operand beside input and result, seen as scales.
inline QuantizeArgs as_scaled(const RequantizeArgs& args) {
  QuantizeArgs scaled;
  scaled.dtype = args.dtype;
  scaled.scales = args.multipliers;
  scaled.in = args.acc;
  scaled.out = args.q;
  scaled.range = args.range;
  scaled.loops.rank = args.loops.rank;
  scaled.loops.elements = args.loops.elements;
  std::copy_n(args.loops.shape, kMaxRank, scaled.loops.shape);
  std::copy_n(args.loops.strides[0], kMaxRank, scaled.loops.strides[0]);
  std::copy_n(args.loops.strides[1], kMaxRank, scaled.loops.strides[1]);
  std::copy_n(args.loops.strides[2], kMaxRank, scaled.loops.strides[3]);
  return scaled;
}

}  // namespace tandem::cpu
