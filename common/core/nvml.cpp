#include "common/core/nvml.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

namespace tandem::nvml {
namespace {

// The binary interface as NVIDIA documents it; its header is not needed to build.
using Status = int;
constexpr Status kSuccess = 0, kInsufficientSize = 7;

struct ProcessInfo {  // nvmlProcessInfo_t of the functions ending in _v2 and _v3
  unsigned process;
  unsigned long long used_bytes;
  unsigned gpu_instance, compute_instance;
};

}  // namespace

template <class Function>
Function Library::symbol(const char* name) const {
  return handle_ ? reinterpret_cast<Function>(dlsym(handle_, name)) : nullptr;
}

std::string Library::words(int status) const {
  const auto text = symbol<const char* (*)(Status)>("nvmlErrorString");
  return text ? text(status) : "NVML error " + std::to_string(status);
}

Library::Library(const char* file) {
  handle_ = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!handle_) {
    const char* error = dlerror();
    reason_ = std::string("n/a: ") + (error ? error : file);
    return;
  }
  const auto init = symbol<Status (*)()>("nvmlInit_v2");
  if (!init) {
    reason_ = std::string("n/a: ") + file + " has no nvmlInit_v2";
    return;
  }
  const Status status = init();
  initialised_ = status == kSuccess;
  if (!initialised_) reason_ = "n/a: nvmlInit_v2: " + words(status);
}

Library::~Library() {
  if (initialised_)
    if (const auto shutdown = symbol<Status (*)()>("nvmlShutdown")) (void)shutdown();
  if (handle_) dlclose(handle_);
}

Device Library::find(const std::string& bus_id, std::string& why) const {
  why = reason_;
  if (!initialised_) return nullptr;
  const auto find = symbol<Status (*)(const char*, Device*)>("nvmlDeviceGetHandleByPciBusId_v2");
  Device device = nullptr;
  if (!find) {
    why = "n/a: NVML has no nvmlDeviceGetHandleByPciBusId_v2";
  } else if (const Status status = find(bus_id.c_str(), &device); status != kSuccess) {
    why = "n/a: NVML about " + bus_id + ": " + words(status);
    device = nullptr;
  }
  return device;
}

std::optional<unsigned> Library::number(const char* function, Device device) const {
  const auto ask = symbol<Status (*)(Device, unsigned*)>(function);
  unsigned value = 0;
  if (!ask || !device || ask(device, &value) != kSuccess) return std::nullopt;
  return value;
}

std::optional<unsigned> Library::number(const char* function, Device device, int selector) const {
  const auto ask = symbol<Status (*)(Device, int, unsigned*)>(function);
  unsigned value = 0;
  if (!ask || !device || ask(device, selector, &value) != kSuccess) return std::nullopt;
  return value;
}

std::optional<unsigned long long> Library::throttle_reasons(Device device) const {
  const auto ask = symbol<Status (*)(Device, unsigned long long*)>("nvmlDeviceGetCurrentClocksThrottleReasons");
  unsigned long long value = 0;
  if (!ask || !device || ask(device, &value) != kSuccess) return std::nullopt;
  return value;
}

std::optional<unsigned> Library::other_processes(Device device) const {
  const auto ask = symbol<Status (*)(Device, unsigned*, ProcessInfo*)>("nvmlDeviceGetComputeRunningProcesses_v3");
  if (!ask || !device) return std::nullopt;
  std::vector<ProcessInfo> processes(64);
  for (int attempt = 0; attempt < 3; ++attempt) {
    auto count = static_cast<unsigned>(processes.size());
    const Status status = ask(device, &count, processes.data());
    if (status == kSuccess)
      return static_cast<unsigned>(
          std::count_if(processes.begin(), processes.begin() + count,
                        [](const ProcessInfo& p) { return p.process != static_cast<unsigned>(getpid()); }));
    if (status != kInsufficientSize) break;
    processes.resize(count + 16u);
  }
  return std::nullopt;
}

const Library& library() {
  static const Library loaded("libnvidia-ml.so.1");
  return loaded;
}

}  // namespace tandem::nvml
