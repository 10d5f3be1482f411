// The row type of the kernel tables: everything dispatch, tests, comparison and tuning know about a kernel.
//
// A kernel is one file, cpu/kernels/<symbol>.cpp or cuda/kernels/<symbol>.cu, that defines
//     extern const Kernel<Op> kKernel;  // in tandem::cpu::<symbol> or tandem::cuda::<symbol>: seen by the table
//     const Kernel<Op> kKernel = {...};
// and one line TANDEM_KERNEL(Op, <symbol>) in that folder's kernels.def. Its public name is the backend and the
// symbol with the last two underscores as dots: matmul_f32_simd -> cpu.matmul.f32.simd.
#pragma once

#include <cstddef>
#include <cstdint>

#include <tandem/context.h>
#include <tandem/error.h>
#include <tandem/machine.h>

namespace tandem {

class ThreadPool;

/// What a machine must have before `supports` is even asked.
struct Needs {
  IsaLevel isa = IsaLevel::scalar;  // CPU kernels
  bool s8_dot = false;              // CPU kernels: CpuInfo::has_s8_dot()
  bool amx_int8 = false;            // CPU kernels: CpuInfo::has_amx_int8()
  bool amx_bf16 = false;            // CPU kernels: CpuInfo::has_amx_bf16()
  int compute_capability = 0;       // CUDA kernels: 10 * major + minor
  std::int64_t shared_bytes = 0;    // shared memory a block, with opt-in
};

/// How the second operand of a product is stored.
enum class MatrixFormat : std::uint8_t {
  dense,
  sparse24,  // two of each four elements along k, with their places (Sparse24 of b transposed, see tandem/sparse.h)
};

struct Traits {
  bool reference = false;            // chosen only when nothing else is left
  bool deterministic = true;         // same inputs, same bits
  MathMode math = MathMode::strict;  // anything else is refused unless the policy allows exactly that
  bool sparse24 = false;             // takes MatrixFormat::sparse24
  bool dense = false;                // expands a compressed operand and does the work of the dense product
};

/// Where a kernel runs: the host threads it may use, or the stream it must launch on.
struct Queue {
  const Machine* machine = nullptr;  // threads, caches and ISA level of the calling context
  ThreadPool* pool = nullptr;        // null: stay on the calling thread
  void* stream = nullptr;            // a cudaStream_t; null for CPU kernels
};

/// Scratch memory of the size that Kernel::workspace asked for, on the kernel's device; contents undefined;
/// 256-byte aligned.
struct Workspace {
  void* data = nullptr;
  std::size_t bytes = 0;
};

/// Null: yes. Else one static sentence without the kernel's name, such as "needs k <= 8".
using Refusal = const char*;

template <class Op>
struct Kernel {
  using Problem = typename Op::Problem;
  using Args = typename Op::Args;

  Needs needs;
  Traits traits;
  Refusal (*supports)(const Problem&, const Machine&);
  /// Predicted seconds on a warm machine, without copies and launch; of several threads with fork and join.
  double (*cost)(const Problem&, const Machine&);
  std::size_t (*workspace)(const Problem&, const Machine&);
  /// CUDA kernels enqueue and return; CPU kernels return when done. Never throws, allocates or prints.
  Code (*run)(const Args&, const Queue&, Workspace);
};

/// What a kernel says to a problem. An operand in a compressed format reaches only kernels whose traits name it, so
/// that a kernel need not know of formats that it does not take.
template <class Op>
Refusal refusal_of(const Kernel<Op>& kernel, const typename Op::Problem& problem, const Machine& machine) {
  if constexpr (requires { problem.b_format; }) {
    if (problem.b_format == MatrixFormat::sparse24 && !kernel.traits.sparse24) return "needs a dense b";
  }
  return kernel.supports(problem, machine);
}

template <class Op>
Refusal supports_all(const typename Op::Problem&, const Machine&) {
  return nullptr;
}
template <class Op>
std::size_t no_workspace(const typename Op::Problem&, const Machine&) {
  return 0;
}

}  // namespace tandem
