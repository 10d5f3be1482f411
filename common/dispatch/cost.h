// The cost prior: predicted seconds from measured ceilings, until a measurement replaces it.
#pragma once

#include <algorithm>
#include <cstdint>

#include <tandem/machine.h>

namespace tandem {

/// Ceilings with stand-ins for those not measured, so that a prediction always exists: a plain 3 GHz AVX2 core and
/// a middling GPU. Only their ratios matter then, and explain() calls the rung "prior" either way.
inline Ceilings assumed(Ceilings c) {
  const auto fill = [](double& value, double stand_in) {
    if (!(value > 0)) value = stand_in;
  };
  fill(c.cpu_flops, 80e9);
  fill(c.cpu_s8_ops, c.cpu_flops);
  fill(c.cpu_bf16_flops, c.cpu_flops);
  fill(c.cpu_l2_bytes, 80e9);
  fill(c.cpu_l3_bytes, c.cpu_l2_bytes / 2);
  fill(c.cpu_dram_bytes, 20e9);
  fill(c.cpu_fork_seconds, 1e-6);
  fill(c.gpu_flops, 10e12);
  fill(c.gpu_bytes, 500e9);
  fill(c.launch_seconds, 4e-6);
  fill(c.copy_seconds, 10e-6);
  fill(c.h2d_bytes, 8e9);
  fill(c.d2h_bytes, 8e9);
  return c;
}

/// Bytes/s that CPU kernels on `threads` threads move where all their data is `bytes`: that of the first level that
/// holds them, each thread having an L2 for its share, else of memory (whose rate two threads can double; no more is
/// assumed).
inline double cpu_rate(const Machine& machine, double bytes, int threads) {
  const Ceilings c = assumed(machine.ceilings);
  if (bytes <= static_cast<double>(machine.cpu.l2_bytes) * threads) return c.cpu_l2_bytes * threads;
  if (bytes <= static_cast<double>(machine.cpu.l3_bytes)) return c.cpu_l3_bytes * threads;
  return c.cpu_dram_bytes * std::min(threads, 2);
}

/// Seconds to begin and end a parallel region.
inline double fork_seconds(const Machine& machine, int threads) {
  return threads > 1 ? assumed(machine.ceilings).cpu_fork_seconds : 0;
}

/// Seconds of a CPU kernel that reaches `efficiency` of an arithmetic ceiling on `threads` threads and moves `bytes`:
/// the larger of the two, and the region of several threads. `ceiling` is that of f32 multiply-adds or of other
/// arithmetic.
inline double cpu_seconds(const Machine& machine, double flops, double bytes, double efficiency, int threads,
                          double Ceilings::*ceiling = &Ceilings::cpu_flops) {
  const Ceilings c = assumed(machine.ceilings);
  return fork_seconds(machine, threads) +
         std::max(flops / (c.*ceiling * efficiency * threads), bytes / cpu_rate(machine, bytes, threads));
}

/// Seconds of a CUDA kernel that reaches `efficiency` of the arithmetic ceiling and `bandwidth` of the memory ceiling.
inline double gpu_seconds(const Machine& machine, double flops, double bytes, double efficiency, double bandwidth) {
  const Ceilings c = assumed(machine.ceilings);
  return std::max(flops / (c.gpu_flops * efficiency), bytes / (c.gpu_bytes * bandwidth));
}

}  // namespace tandem
