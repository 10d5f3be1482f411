// Machines that do not exist.
#pragma once

#include <tandem/machine.h>

namespace tandem::test {

/// Four AVX-512 threads and no GPU.
inline Machine plain_machine() {
  Machine m;
  m.cpu.name = "made-up CPU";
  m.cpu.isa = IsaLevel::avx512;
  m.cpu.threads = 4;
  m.no_gpu_reason = "no CUDA-capable device is detected";
  m.ceilings.cpu_flops = 100e9;
  m.ceilings.cpu_l2_bytes = 100e9;
  m.ceilings.cpu_l3_bytes = 50e9;
  m.ceilings.cpu_dram_bytes = 20e9;
  m.ceilings.cpu_fork_seconds = 1e-6;
  return m;
}

/// The same with a GPU whose arithmetic is a thousand times as fast, behind a link that is not.
inline Machine gpu_machine_with(double link_bytes, int compute_capability = 90) {
  Machine m = plain_machine();
  m.no_gpu_reason.clear();
  GpuInfo gpu;
  gpu.name = "made-up GPU";
  gpu.compute_capability = compute_capability;
  gpu.multiprocessors = 100;
  gpu.memory_bytes = std::int64_t{80} << 30;
  gpu.l2_bytes = 50 << 20;
  gpu.shared_bytes_per_block = 100 << 10;
  m.gpus.push_back(gpu);
  m.ceilings.gpu_flops = 100e12;
  m.ceilings.gpu_bytes = 3e12;
  m.ceilings.launch_seconds = 5e-6;
  m.ceilings.copy_seconds = 10e-6;
  m.ceilings.h2d_bytes = link_bytes;
  m.ceilings.d2h_bytes = link_bytes;
  return m;
}

}  // namespace tandem::test
