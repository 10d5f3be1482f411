// The table of kernels: every row of cpu/kernels.def, then every row of cuda/kernels.def. The public call, explain,
// the tests, the comparison and the tuner all walk this table; nothing else knows which kernels exist.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/dispatch/kernel.h"

namespace tandem {

template <class Op>
struct Entry {
  std::string name;  // "cpu.matmul.f32.simd"
  Backend backend = Backend::cpu;
  const Kernel<Op>* kernel = nullptr;  // null: not built
};

/// "cpu" + "matmul_f32_simd" -> "cpu.matmul.f32.simd": the last two underscores become dots.
std::string kernel_name(Backend backend, std::string_view symbol);

/// Why a row has no kernel.
inline constexpr const char* kNotBuilt = "not built: this library was configured without a CUDA toolkit";

namespace cpu {
template <class Op>
std::vector<Entry<Op>> rows();
}
namespace cuda {
template <class Op>
std::vector<Entry<Op>> rows();
}

/// All entries of an operation, best first within a backend, CPU first.
template <class Op>
std::span<const Entry<Op>> table() {
  static const std::vector<Entry<Op>> entries = [] {
    std::vector<Entry<Op>> all = cpu::rows<Op>();
    for (Entry<Op>& entry : cuda::rows<Op>()) all.push_back(std::move(entry));
    return all;
  }();
  return entries;
}

// Compiled once, in instances.cpp.
#define TANDEM_OP(Op) \
  struct Op;          \
  extern template std::span<const Entry<Op>> table<Op>();
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem
