// What a machine has: its processor, its GPUs and the measured ceilings of both. Kernels decide from this alone, so
// a made-up Machine is enough to test or to ask what would be chosen elsewhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tandem {

/// Clusters of instruction sets: sse4 = up to SSE4.2; avx2 = AVX2, FMA, F16C, BMI2; avx512 = AVX-512 F, BW, CD, DQ, VL.
/// `scalar` is the baseline of the architecture. What sums products of small numbers comes with no level: see CpuInfo.
enum class IsaLevel : std::uint8_t { scalar, sse4, avx2, avx512 };

/// "scalar", "sse4", "avx2" or "avx512".
std::string_view name(IsaLevel level) noexcept;

/// The inverse of name(). Throws Error(invalid_argument).
IsaLevel parse_isa_level(std::string_view text);

/// The host processor, as far as the operating system lets this process use it.
struct CpuInfo {
  std::string name = "unknown";
  IsaLevel isa = IsaLevel::scalar;  ///< allowed by CPUID and XGETBV, capped by TANDEM_ISA_MAX
  bool avx512_vnni = false;         ///< sums of products of bytes in 512 bits; used where isa is avx512
  bool avx_vnni = false;            ///< the same in 256 bits; used where isa is avx2 or avx512
  bool avx512_bf16 = false;         ///< sums of products of bf16; used where isa is avx512
  bool amx_int8 = false;            ///< products of tiles of bytes; used where isa is avx512
  bool amx_bf16 = false;            ///< the same of bf16
  int threads = 1;                  ///< usable at once: affinity mask, cgroup quota, then the context's setting
  std::int64_t l1d_bytes = 32 << 10;
  std::int64_t l2_bytes = 512 << 10;
  std::int64_t l3_bytes = 8 << 20;  ///< last level, as seen by one core; equal to l2_bytes when there is none

  /// An instruction that sums products of u8 and s8, within `isa`.
  bool has_s8_dot() const noexcept {
    return (avx512_vnni && isa == IsaLevel::avx512) || (avx_vnni && isa >= IsaLevel::avx2);
  }
  /// One that sums products of bf16, within `isa`.
  bool has_bf16_dot() const noexcept { return avx512_bf16 && isa == IsaLevel::avx512; }
  /// Instructions that multiply tiles of u8 or s8 with s8, within `isa`.
  bool has_amx_int8() const noexcept { return amx_int8 && isa == IsaLevel::avx512; }
  /// The same of bf16.
  bool has_amx_bf16() const noexcept { return amx_bf16 && isa == IsaLevel::avx512; }
};

/// One NVIDIA GPU.
struct GpuInfo {
  std::string name = "unknown";
  int index = 0;
  int compute_capability = 0;  ///< 10 * major + minor: 90 for an H100
  int multiprocessors = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t l2_bytes = 0;
  std::int64_t shared_bytes_per_block = 0;  ///< with opt-in
  // What may change under a program that stays the same; zero or empty where it cannot be told.
  std::string bus_id;            ///< "0000:17:00.0"
  int driver_version = 0;        ///< of the CUDA that the driver serves: 1000 * major + 10 * minor
  int runtime_version = 0;       ///< of the CUDA runtime, written likewise
  double power_limit_watts = 0;  ///< enforced
  int pcie_generation = 0;       ///< of the link as it could be
  int pcie_width = 0;            ///< lanes
};

/// Seconds of one copy between host and device by its size, measured at sizes four times apart.
struct CopyCurve {
  static constexpr std::size_t kPoints = 9;
  static constexpr std::int64_t bytes_at(std::size_t point) { return std::int64_t{4096} << (2 * point); }

  std::array<double, kPoints> seconds{};  ///< of 4 KiB, 16 KiB, ... 256 MiB; zero: not measured

  bool measured() const noexcept { return seconds.back() > 0; }
  /// Linear between neighbours and beyond the last ones, never below the first. Only for a measured curve.
  double at(std::int64_t bytes) const noexcept;
};

/// Speeds that bound every kernel, in flop/s, bytes/s and seconds. Measured once a process (see
/// Context::machine()); zero means "not measured".
struct Ceilings {
  double cpu_flops = 0;         ///< f32 multiply-adds (2 flops each) of one thread
  double cpu_s8_ops = 0;        ///< sums of products of 8-bit integers (2 operations each) of one thread, the best way
  double cpu_bf16_flops = 0;    ///< sums of products of bf16 (2 flops each) of one thread, the best way
  double cpu_l2_bytes = 0;      ///< read + written bytes/s of one thread, data in L2
  double cpu_l3_bytes = 0;      ///< the same, data in the last-level cache and not in L2
  double cpu_dram_bytes = 0;    ///< the same, data above the last-level cache, 64 MiB at most
  double cpu_fork_seconds = 0;  ///< one empty parallel region on all threads
  double gpu_flops = 0;         ///< f32 multiply-adds of the whole device
  double gpu_s8_ops = 0;        ///< sums of products of 8-bit integers on tensor cores, 2 operations each
  double gpu_bf16_flops = 0;    ///< the same of bf16, 2 flops each
  double gpu_bytes = 0;         ///< device memory, read + written
  double launch_seconds = 0;    ///< one kernel launch until it starts
  double copy_seconds = 0;      ///< latency of one host-device copy
  double h2d_bytes = 0;         ///< host to device, pageable memory through pinned staging
  double d2h_bytes = 0;         ///< device to host
  double wait_seconds = 0;      ///< until the host knows that the device has finished
  double allocate_seconds = 0;  ///< device memory from the pool, and giving it back
  CopyCurve h2d_pageable, d2h_pageable;  ///< through pinned staging; take the place of latency and rate
  CopyCurve h2d_pinned, d2h_pinned;      ///< from and to pinned memory; for reports: no prediction reads them
};

struct Machine {
  CpuInfo cpu;
  std::vector<GpuInfo> gpus;
  std::string no_gpu_reason;  ///< why `gpus` is empty, in the driver's words where there is one
  Ceilings ceilings;
};

}  // namespace tandem
