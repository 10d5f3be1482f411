// Walking the strided iteration space of an elementwise operation (Loops<N>, the last operand being the result).
#pragma once

#include <algorithm>
#include <cstdint>

#include "common/ops/operand.h"

namespace tandem::cpu {

/// The offsets of all operands, element by element in row-major order of the loops.
template <int N>
class Walker {
 public:
  Walker(const Loops<N>& loops, std::int64_t index) noexcept : loops_(loops) {
    for (int d = loops.rank - 1; d >= 0; --d) {
      at_[d] = index % loops.shape[d];
      index /= loops.shape[d];
      for (int i = 0; i < N; ++i) offset_[i] += at_[d] * loops.strides[i][d];
    }
  }
  std::int64_t offset(int operand) const noexcept { return offset_[operand]; }
  void next() noexcept {
    for (int d = loops_.rank - 1; d >= 0; --d) {
      for (int i = 0; i < N; ++i) offset_[i] += loops_.strides[i][d];
      if (++at_[d] < loops_.shape[d]) return;
      for (int i = 0; i < N; ++i) offset_[i] -= at_[d] * loops_.strides[i][d];
      at_[d] = 0;
    }
  }

 private:
  const Loops<N>& loops_;
  std::int64_t at_[kMaxRank] = {};
  std::int64_t offset_[N] = {};
};

/// run(offsets, count) for every piece of an innermost row in [begin, end) of the linear index. rank >= 1.
template <int N, class F>
void for_rows(const Loops<N>& loops, std::int64_t begin, std::int64_t end, F run) {
  const std::int64_t inner = loops.shape[loops.rank - 1];
  while (begin < end) {
    std::int64_t at[N];
    loops.offsets(begin, loops.rank, at);
    const std::int64_t count = std::min(end - begin, inner - begin % inner);
    run(at, count);
    begin += count;
  }
}

/// Elements of one piece that strided operands are gathered into and scattered from.
constexpr std::int64_t kPiece = 256;

/// run(from, to, count) for runs of unit stride that cover [begin, end) of the linear index: rows that are so in both
/// operands as they are, others in pieces by way of buffers. rank >= 1.
template <class In, class Out, class Run>
void for_unit_runs(const Loops<2>& loops, const In* x, Out* y, std::int64_t begin, std::int64_t end, Run run) {
  constexpr std::int64_t kShort = 16;
  const int last = loops.rank - 1;
  if (loops.strides[0][last] == 1 && loops.strides[1][last] == 1 && loops.shape[last] >= kShort)
    return for_rows(loops, begin, end,
                    [&](const std::int64_t(&at)[2], std::int64_t count) { run(x + at[0], y + at[1], count); });
  alignas(64) In in[kPiece];
  alignas(64) Out out[kPiece];
  Walker<2> from(loops, begin), to(loops, begin);
  while (begin < end) {
    const std::int64_t count = std::min(kPiece, end - begin);
    for (std::int64_t i = 0; i < count; ++i, from.next()) in[i] = x[from.offset(0)];
    run(in, out, count);
    for (std::int64_t i = 0; i < count; ++i, to.next()) y[to.offset(1)] = out[i];
    begin += count;
  }
}

inline void gather(const float* from, float* to, std::int64_t step, std::int64_t count) noexcept {
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * step];
}

}  // namespace tandem::cpu
