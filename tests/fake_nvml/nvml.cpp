// A management library with one GPU at 0000:17:00.0, whose state is made up. TANDEM_FAKE_NVML_FAIL makes it refuse.
#include <unistd.h>

#include <cstdlib>
#include <cstring>

namespace {

constexpr int kSuccess = 0, kNotFound = 6, kInsufficientSize = 7, kDriverNotLoaded = 9;
int only_device;

struct ProcessInfo {
  unsigned process;
  unsigned long long used_bytes;
  unsigned gpu_instance, compute_instance;
};

int answer(unsigned* value, unsigned what) {
  *value = what;
  return kSuccess;
}

}  // namespace

extern "C" {

int nvmlInit_v2() { return std::getenv("TANDEM_FAKE_NVML_FAIL") ? kDriverNotLoaded : kSuccess; }
int nvmlShutdown() { return kSuccess; }
const char* nvmlErrorString(int status) {
  return status == kNotFound ? "Not Found" : status == kDriverNotLoaded ? "Driver Not Loaded" : "Other";
}
int nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, void** device) {
  if (std::strcmp(bus_id, "0000:17:00.0") != 0) return kNotFound;
  *device = &only_device;
  return kSuccess;
}
int nvmlDeviceGetEnforcedPowerLimit(void*, unsigned* value) { return answer(value, 700000); }
int nvmlDeviceGetPowerUsage(void*, unsigned* value) { return answer(value, 71500); }
int nvmlDeviceGetClockInfo(void*, int clock, unsigned* value) { return answer(value, clock == 1 ? 1755 : 2619); }
int nvmlDeviceGetMaxClockInfo(void*, int clock, unsigned* value) { return answer(value, clock == 1 ? 1980 : 2619); }
int nvmlDeviceGetTemperature(void*, int, unsigned* value) { return answer(value, 34); }
int nvmlDeviceGetPersistenceMode(void*, unsigned* value) { return answer(value, 1); }
int nvmlDeviceGetCurrentClocksThrottleReasons(void*, unsigned long long* value) {
  *value = 0x1 | 0x4 | 0x20;
  return kSuccess;
}
/// This process and 99 others: more than a first guess holds.
int nvmlDeviceGetComputeRunningProcesses_v3(void*, unsigned* count, ProcessInfo* processes) {
  const unsigned there = 100, room = *count;
  *count = there;
  if (room < there) return kInsufficientSize;
  for (unsigned i = 0; i < there; ++i)
    processes[i] = {i == 42 ? static_cast<unsigned>(getpid()) : 4000000u + i, 1, ~0u, ~0u};
  return kSuccess;
}

}  // extern "C"
