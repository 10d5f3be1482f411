// Products with b in 2:4 storage by kernels for a dense b: b transposed is expanded into the workspace first.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "common/core/host_api.h"
#include "common/core/thread_pool.h"
#include "common/dispatch/kernel.h"
#include "common/ops/matmul.h"
#include "common/ops/quantized_matmul.h"
#include "cpu/gemm/int_dots.h"
#include "cpu/gemm/threads.h"

namespace tandem::cpu {

/// The four elements of a group. In registers: elements stored one by one and loaded together would have to wait.
template <class Bits>
inline void expand_group24(Bits first, Bits second, unsigned places, Bits (&group)[4]) {
  const unsigned p = places & 3, q = places >> 2 & 3;
  if constexpr (sizeof(Bits) < 4) {
    using Word = std::conditional_t<sizeof(Bits) == 1, std::uint32_t, std::uint64_t>;
    constexpr unsigned kBits = 8 * sizeof(Bits);
    const Word word = static_cast<Word>(first) << (kBits * p) | static_cast<Word>(second) << (kBits * q);
    std::memcpy(group, &word, sizeof word);
  } else {
    std::uint64_t words[2] = {};
    const auto put = [&](Bits value, unsigned place) {
      const std::uint64_t shifted = static_cast<std::uint64_t>(value) << (place % 2 * 32);
      const std::uint64_t upper = std::uint64_t{0} - (place / 2);
      words[0] |= shifted & ~upper;
      words[1] |= shifted & upper;
    };
    put(first, p);
    put(second, q);
    std::memcpy(group, words, sizeof words);
  }
}

/// Rows [rows.begin, rows.end) of the dense matrix [n, k], row-major; T has the size of an element.
template <class T>
void expand24(const Sparse24Rows& b, std::int64_t k, Share rows, T* dense) {
  using Bits = std::conditional_t<sizeof(T) == 1, std::uint8_t,
                                  std::conditional_t<sizeof(T) == 2, std::uint16_t, std::uint32_t>>;
  static_assert(sizeof(Bits) == sizeof(T));
  const auto* all = static_cast<const unsigned char*>(b.values);
  for (std::int64_t j = rows.begin; j < rows.end; ++j) {
    const unsigned char* values = all + static_cast<std::size_t>(j * 2 * b.groups) * sizeof(T);
    const std::uint8_t* metadata = b.metadata + j * b.metadata_bytes();
    T* out = dense + j * k;
    const auto expand = [&](std::int64_t g, Bits(&group)[4]) {
      Bits pair[2];
      std::memcpy(pair, values + static_cast<std::size_t>(2 * g) * sizeof(T), sizeof pair);
      expand_group24<Bits>(pair[0], pair[1], metadata[g / 2] >> (g % 2 * 4), group);
    };
    Bits group[4];
    for (std::int64_t g = 0; g < k / 4; ++g) {
      expand(g, group);
      std::memcpy(out + 4 * g, group, sizeof group);
    }
    if (k % 4 == 0) continue;
    expand(k / 4, group);
    std::memcpy(out + k / 4 * 4, group, static_cast<std::size_t>(k % 4) * sizeof(T));
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

/// Bytes of the expanded matrix, up to where something else may begin.
template <class T>
std::size_t dense_bytes(std::int64_t n, std::int64_t k) {
  return (static_cast<std::size_t>(n) * static_cast<std::size_t>(k) * sizeof(T) + 255) / 256 * 256;
}
/// 0 when b is dense.
template <class T, class Problem>
std::size_t expanded_bytes(const Problem& p) {
  return p.b_format == MatrixFormat::dense ? 0 : dense_bytes<T>(p.n, p.k);
}

/// Calls dense(args, queue, workspace) with b dense, and expanded by all threads before if it comes in 2:4 storage.
/// kReadsPanels: where panels of b came, `dense` reads them and nothing else of a b whose columns are not side by side;
/// the expansion is then left out.
template <class T, bool kReadsPanels = false, class Args, class Dense>
Code with_dense_b(Args args, const Queue& queue, Workspace workspace, Dense dense) {
  if (args.b24.values == nullptr && args.b24.groups == 0) return dense(args, queue, workspace);
  T* expanded = static_cast<T*>(workspace.data);
  const std::size_t used = dense_bytes<T>(args.n, args.k);
  const auto multiply = [&] {
    args.b24 = {};
    args.b.data = reinterpret_cast<decltype(args.b.data)>(expanded);
    args.b.row = 1;
    args.b.col = args.k;
    return dense(args, queue, {static_cast<char*>(workspace.data) + used, workspace.bytes - used});
  };
  if constexpr (kReadsPanels) {
    constexpr DType kDType = sizeof(T) == 1 ? DType::s8 : DType::bf16;
    // With one value of k, b expanded lies by rows as well, and few rows of bf16 read such a b beside its panels; few
    // columns of integers are read there too.
    const bool beside = args.k == 1 || (kDType == DType::s8 && reads_b_beside_panels(args.m, args.n));
    if (!beside && args.packed_b && args.packed_panel > 0 &&
        args.packed_panel == packed_layout(queue.machine->cpu, kDType, args.k, args.n).panel)
      return multiply();
  }
  const auto part = [&](int t, int count) { expand24(args.b24, args.k, share_of(args.n, 1, t, count), expanded); };
  constexpr double kElementsPerThread = 32e3;  // some 20 us of work
  if (queue.pool && static_cast<double>(args.n) * static_cast<double>(args.k) > kElementsPerThread)
    queue.pool->run(queue.machine->cpu.threads, part);
  else
    part(0, 1);
  return multiply();
}

/// A kernel that expands b and multiplies with the kernel kDense, which reads panels of b where they came. T has the
/// size of an element; kPicoseconds is what the expansion takes for one on one thread.
template <class Op, class T, const Kernel<Op>& kDense, int kPicoseconds>
struct Dense24 {
  using Problem = typename Op::Problem;

  static Refusal supports(const Problem& p, const Machine& machine) {
    if (const Refusal reason = kDense.supports(dense_problem(p), machine)) return reason;
    return p.b_format == MatrixFormat::sparse24 ? nullptr : "needs b in 2:4 storage";
  }
  static double cost(const Problem& p, const Machine& machine) {
    constexpr double kCall = 100e-9, kColumn = 7e-9;  // beyond the product's, and beginning a column of b
    const double columns = static_cast<double>(p.n), elements = columns * static_cast<double>(p.k);
    const int threads = threads_worth(10 * elements, machine.cpu.threads);
    return kCall + kDense.cost(dense_problem(p), machine) + fork_seconds(machine, threads) +
           (kColumn * columns + kPicoseconds * 1e-12 * elements) / threads;
  }
  static std::size_t workspace(const Problem& p, const Machine& machine) {
    return expanded_bytes<T>(p) + kDense.workspace(dense_problem(p), machine);
  }
  static Code run(const typename Op::Args& args, const Queue& queue, Workspace workspace) {
    // Few rows of f32 read b itself, beside its panels, whatever its strides.
    return with_dense_b<T, sizeof(T) < sizeof(float)>(args, queue, workspace, kDense.run);
  }
  static constexpr Kernel<Op> row(Needs needs) {
    return {.needs = needs,
            .traits = {.sparse24 = true, .dense = true},
            .supports = supports,
            .cost = cost,
            .workspace = workspace,
            .run = run};
  }
};

}  // namespace tandem::cpu
