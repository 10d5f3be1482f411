// The measured ceilings that a comparison holds its kernels against.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <tandem/dtype.h>
#include <tandem/machine.h>

namespace tandem::profile {

/// A place that data can be in, and the bytes/s that all threads together reach there.
struct MemoryLevel {
  std::string_view name;      ///< "L1", "L2", "L3" or "DRAM"
  std::int64_t capacity = 0;  ///< working sets up to so many bytes count as held here, all threads together
  double copy_bytes = 0;      ///< read + written
  double read_bytes = 0;
};

/// What the host's threads can do at once: measured with all of them running, not multiplied up.
struct Roof {
  int threads = 0;
  double flops_one = 0;  ///< f32 multiply-adds, 2 flops each, of one thread
  double flops_all = 0;
  double s8_all = 0;    ///< sums of products of 8-bit integers, 2 operations each
  double bf16_all = 0;  ///< the same of bf16
  std::array<MemoryLevel, 4> levels;

  /// The fastest level that holds a working set.
  const MemoryLevel& level_of(double bytes) const;
};

/// Takes about half a second. The machine says how many threads, and which instruction sets may be used.
Roof measure_roof(const CpuInfo& cpu);

/// The least time that a problem can take, and what sets it.
struct Bound {
  double seconds = 0;
  /// "FMA", "s8 dot", "bf16 dot", "copy L2", "read DRAM", "device memory"; empty when no ceiling was measured.
  std::string by;
  double value = 0;  ///< that ceiling, in flop/s or bytes/s
  bool flops = false;
};

/// What a problem asks of a machine. `writes` is the part of the bytes that is written.
struct Work {
  double flops = 0;
  double bytes = 0;
  double written_bytes = 0;
  bool rate_is_flops = false;
  double dense_flops = 0;         ///< the work of the dense product, where an operand is compressed; 0: none is
  DType arithmetic = DType::f32;  ///< what is multiplied: f32, s8 (u8 too) or bf16
};

/// The roofline: the larger of flops at the arithmetic ceiling and bytes at that of the level which holds them. Where a
/// quarter or more of the traffic is written the copy ceiling counts, else the read ceiling. Operations told in bytes/s
/// are held against bandwidth alone. Between one and four times the last cache level the two ceilings are mixed.
Bound host_bound(const Work& work, const Roof& roof);
Bound device_bound(const Work& work, const Ceilings& ceilings);

}  // namespace tandem::profile
