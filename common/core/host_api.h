// What the rest of the library needs from the CPU side, free of SIMD types: what this CPU and the operating system
// allow, and how fast it is. cpu/backend.cpp implements it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <tandem/dtype.h>
#include <tandem/machine.h>

namespace tandem::cpu {

/// Name, ISA level (CPUID and XGETBV), usable threads (affinity mask and cgroup quota) and cache sizes.
CpuInfo query();

// `threads` threads run together where more than one is asked for: the work of all over the time of the slowest. The
// best of several rounds in about `seconds`, after what is needed to prepare.

/// flop/s of independent f32 multiply-adds in registers.
double measure_fma(IsaLevel level, double seconds, int threads = 1);
/// Operations/s (2 for a product and its sum) of s8 or bf16 in registers, with the best instruction there is for them:
/// of dot products, or what they are widened for.
double measure_dot(const CpuInfo& cpu, DType dtype, double seconds, int threads = 1);
/// Bytes/s read plus written by threads that each copy `bytes` within a buffer of twice that size, through the caches
/// or past them, whichever is faster.
double measure_copy(IsaLevel level, std::size_t bytes, double seconds, int threads = 1);
/// Bytes/s read by threads that each sum `bytes`.
double measure_read(IsaLevel level, std::size_t bytes, double seconds, int threads = 1);
/// Bytes/s written by threads that each fill `bytes`, through the caches or past them, whichever is faster.
double measure_write(IsaLevel level, std::size_t bytes, double seconds, int threads = 1);

/// The three in one buffer of `bytes` a thread, whose pages are made once; the copy is of half of it.
struct MemoryRates {
  double copy = 0, read = 0, write = 0;
};
MemoryRates measure_memory(IsaLevel level, std::size_t bytes, double seconds, int threads = 1);

/// How the fast kernel of a type wants b, [k, n], when it is packed once for many products: panels of so many columns,
/// so many bytes in all. Panel 0: there is no such kernel here, or it takes b as it is. f32, bf16 and s8.
struct PackedLayout {
  std::int64_t panel = 0;
  std::size_t bytes = 0;
};
PackedLayout packed_layout(const CpuInfo& cpu, DType dtype, std::int64_t k, std::int64_t n);
/// Packs b, whose element (p, j) is at b + p * row + j * col elements, for a type that packed_layout() knows. `out` has
/// its bytes and is 64-byte aligned.
void pack_b(const CpuInfo& cpu, DType dtype, std::int64_t k, std::int64_t n, const void* b, std::int64_t row,
            std::int64_t col, void* out);

/// Fills the cpu_ fields of `ceilings`, about 20 ms.
void measure(const CpuInfo& cpu, Ceilings& ceilings);

/// matrix = left diag(values) right^T, row-major; with most = min(rows, cols), left is [rows, most], right [cols,
/// most], the values fall. Not empty, finite.
struct Svd {
  std::vector<double> left, values, right;
};
Svd thin_svd(const float* matrix, std::int64_t rows, std::int64_t cols);

}  // namespace tandem::cpu
