// Products with b in 2:4 storage by kernels for a dense b: b transposed is expanded into the workspace first.
#pragma once

#include <cstdint>

#include "common/core/thread_pool.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "common/ops/quantized_matmul.h"

namespace tandem::cpu {

/// Rows [rows.begin, rows.end) of the dense matrix [n, k], row-major; T has the size of an element.
template <class T>
void expand24(const Sparse24Rows& b, std::int64_t k, Share rows, T* dense) {
  for (std::int64_t j = rows.begin; j < rows.end; ++j) {
    const T* values = static_cast<const T*>(b.values) + j * 2 * b.groups;
    const std::uint8_t* metadata = b.metadata + j * b.metadata_bytes();
    T* out = dense + j * k;
    const std::int64_t whole = k / 4;
    for (std::int64_t g = 0; g < b.groups; ++g, out += 4, values += 2) {
      const unsigned places = metadata[g / 2] >> (g % 2 * 4);
      T group[4] = {};
      group[places & 3] = values[0];
      group[places >> 2 & 3] = values[1];
      for (std::int64_t place = 0; place < (g < whole ? 4 : k % 4); ++place) out[place] = group[place];
    }
  }
}

inline MatmulProblem dense_problem(MatmulProblem p) {
  if (p.b_format != MatrixFormat::dense) p.b = Layout::column;
  p.b_format = MatrixFormat::dense;
  return p;
}
inline QuantizedMatmulProblem dense_problem(QuantizedMatmulProblem p) {
  if (p.b_format != MatrixFormat::dense) p.b_layout = Layout::column;
  p.b_format = MatrixFormat::dense;
  return p;
}

/// Bytes of the expanded matrix; 0 when b is dense.
template <class T, class Problem>
std::size_t expanded_bytes(const Problem& p) {
  if (p.b_format == MatrixFormat::dense) return 0;
  return (static_cast<std::size_t>(p.n) * static_cast<std::size_t>(p.k) * sizeof(T) + 255) / 256 * 256;
}

/// Calls dense(args, queue, workspace) with b dense, and expanded by all threads before if it comes in 2:4 storage.
template <class T, class Args, class Dense>
Code with_dense_b(Args args, const Queue& queue, Workspace workspace, Dense dense) {
  if (args.b24.values == nullptr && args.b24.groups == 0) return dense(args, queue, workspace);
  T* expanded = static_cast<T*>(workspace.data);
  const auto part = [&](int t, int count) { expand24(args.b24, args.k, share_of(args.n, 1, t, count), expanded); };
  constexpr double kElementsPerThread = 32e3;  // some 20 us of work
  if (queue.pool && static_cast<double>(args.n) * static_cast<double>(args.k) > kElementsPerThread)
    queue.pool->run(queue.machine->cpu.threads, part);
  else
    part(0, 1);
  const std::size_t used =
      (static_cast<std::size_t>(args.n) * static_cast<std::size_t>(args.k) * sizeof(T) + 255) / 256 * 256;
  args.b24 = {};
  args.b.data = reinterpret_cast<decltype(args.b.data)>(expanded);
  args.b.row = 1;
  args.b.col = args.k;
  return dense(args, queue, {static_cast<char*>(workspace.data) + used, workspace.bytes - used});
}

}  // namespace tandem::cpu
