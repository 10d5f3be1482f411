// Cost of CUDA kernels before anything was measured: work over the device's ceilings, times a stated efficiency.
#pragma once

#include "common/dispatch/kernel.h"

namespace tandem::cuda {

inline int multiprocessors(const Machine& machine) {
  return machine.gpus.empty() || machine.gpus[0].multiprocessors < 1 ? 1 : machine.gpus[0].multiprocessors;
}

/// f32 flop/s of the device. Not measured: 128 multiply-adds a clock and multiprocessor at 1.5 GHz, an assumption.
inline double flops_ceiling(const Machine& machine) {
  return machine.ceilings.gpu_flops > 0 ? machine.ceilings.gpu_flops : multiprocessors(machine) * 128 * 2 * 1.5e9;
}

/// Device memory bytes/s. Not measured: 15 GB/s a multiprocessor, an assumption between an RTX 3090 and an H100.
inline double bytes_ceiling(const Machine& machine) {
  return machine.ceilings.gpu_bytes > 0 ? machine.ceilings.gpu_bytes : multiprocessors(machine) * 15e9;
}

/// Operations a second of the tensor cores on elements of 1 (s8) or 2 (bf16) bytes, dense: multiples of the f32 rate
/// from the data sheets of a T4, A100, A10 and H100 (GeForce cards of 8.6 and 8.9 have half of that in bf16).
inline double tensor_ceiling(int element_bytes, const Machine& machine) {
  const int capability = machine.gpus.empty() ? 0 : machine.gpus[0].compute_capability;
  const double of_bytes = capability >= 90 ? 30 : capability > 80 ? 8 : capability == 80 ? 32 : 16;
  return flops_ceiling(machine) * of_bytes / element_bytes;
}

inline double seconds_for_flops(double flops, double efficiency, const Machine& machine) {
  return flops / (flops_ceiling(machine) * efficiency);
}
inline double seconds_for_bytes(double bytes, double efficiency, const Machine& machine) {
  return bytes / (bytes_ceiling(machine) * efficiency);
}

}  // namespace tandem::cuda
