// The sets of the fast kernels, which packed panels are made for as well. Those of floats are defined in their kernel's
// file, those of bytes in int_sets.cpp.
#pragma once

#include "cpu/gemm/gemm.h"

namespace tandem::cpu {

const GemmSet& f32_set(const CpuInfo& cpu);
/// Where the CPU has an instruction for it; panels of b do not depend on the type of a.
GemmSet s8_set(const CpuInfo& cpu, bool a_is_unsigned);
/// Bytes widened to 16 bits, for CPUs with AVX2.
GemmSet s16_set(bool a_is_unsigned);
GemmSet bf16_set(const CpuInfo& cpu);

}  // namespace tandem::cpu
