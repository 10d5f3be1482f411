// Which GPUs this process can use. Asking makes no CUDA context: that costs a tenth of a second and device memory, and
// a program may stay on the CPU.
#include <cuda_runtime.h>

#include "common/core/device_api.h"
#include "common/core/nvml.h"
#include "cuda/status.h"

namespace tandem::gpu {
namespace {

/// The lowest architecture that device code was compiled for.
constexpr int lowest_built() {
  constexpr int built[] = {__CUDA_ARCH_LIST__};
  int lowest = built[0];
  for (const int arch : built) lowest = arch < lowest ? arch : lowest;
  return lowest / 10;
}

std::string attribute_error(cudaError_t error) { return "the device cannot be asked: " + words(error); }

/// What may change under a program that stays the same. Nothing of it is needed to compute: what does not answer stays
/// zero or empty.
void describe_surroundings(int device, GpuInfo& gpu) {
  char bus_id[32] = "";
  if (cudaDeviceGetPCIBusId(bus_id, sizeof bus_id, device) == cudaSuccess) gpu.bus_id = bus_id;
  (void)cudaDriverGetVersion(&gpu.driver_version);
  (void)cudaRuntimeGetVersion(&gpu.runtime_version);
  (void)cudaGetLastError();
  std::string why;
  const nvml::Library& library = nvml::library();
  const nvml::Device known = library.find(gpu.bus_id, why);
  if (!known) return;
  gpu.power_limit_watts = library.number("nvmlDeviceGetEnforcedPowerLimit", known).value_or(0) * 1e-3;
  gpu.pcie_generation = static_cast<int>(library.number("nvmlDeviceGetMaxPcieLinkGeneration", known).value_or(0));
  gpu.pcie_width = static_cast<int>(library.number("nvmlDeviceGetMaxPcieLinkWidth", known).value_or(0));
}

/// Fills `gpu`; else says why the device cannot be used.
std::string describe(int device, GpuInfo& gpu) {
  cudaDeviceProp properties;
  cudaError_t error = cudaGetDeviceProperties(&properties, device);
  if (error != cudaSuccess) return attribute_error(error);
  int mode = 0;
  error = cudaDeviceGetAttribute(&mode, cudaDevAttrComputeMode, device);
  if (error != cudaSuccess) return attribute_error(error);
  gpu.name = properties.name;
  gpu.index = device;
  gpu.compute_capability = 10 * properties.major + properties.minor;
  gpu.multiprocessors = properties.multiProcessorCount;
  gpu.memory_bytes = static_cast<std::int64_t>(properties.totalGlobalMem);
  gpu.l2_bytes = properties.l2CacheSize;
  gpu.shared_bytes_per_block = static_cast<std::int64_t>(properties.sharedMemPerBlockOptin);
  describe_surroundings(device, gpu);
  if (mode == cudaComputeModeProhibited) return gpu.name + " is in a mode that prohibits computing";
  if (gpu.compute_capability < lowest_built()) {
    const auto version = [](int capability) {
      return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
    };
    return gpu.name + " has compute capability " + version(gpu.compute_capability) + ", this build needs at least " +
           version(lowest_built());
  }
  return {};
}

Devices find() {
  Devices devices;
  if (!enter()) {
    devices.no_gpu_reason = kForkedReason;
    return devices;
  }
  if (lost()) {
    devices.no_gpu_reason = "CUDA was lost earlier: " + lost_reason();
    return devices;
  }
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    (void)cudaGetLastError();  // not to be found by a later check
    devices.no_gpu_reason = words(error);
    return devices;
  }
  if (count == 0) devices.no_gpu_reason = "no CUDA device";
  for (int device = 0; device < count; ++device) {
    GpuInfo gpu;
    std::string reason = describe(device, gpu);
    if (reason.empty())
      devices.gpus.push_back(std::move(gpu));
    else if (devices.no_gpu_reason.empty())
      devices.no_gpu_reason = std::move(reason);
  }
  if (!devices.gpus.empty()) devices.no_gpu_reason.clear();
  (void)cudaGetLastError();
  return devices;
}

}  // namespace

Devices query() noexcept {
  try {
    return find();
  } catch (...) {  // no memory for the answer
    return {};
  }
}

}  // namespace tandem::gpu
