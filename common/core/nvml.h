// NVIDIA's management library, loaded when somebody asks and never linked: a program then starts on any machine. It
// needs no CUDA, so both the CUDA backend (what a GPU is) and the profiler (what state it is in) read it from here.
#pragma once

#include <optional>
#include <string>

namespace tandem::nvml {

using Device = void*;  // nvmlDevice_t

/// Loaded and initialised, or the reason why not. Constant and usable by several threads at once.
class Library {
 public:
  explicit Library(const char* file);
  ~Library();
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;

  /// "n/a: libnvidia-ml.so.1: cannot open shared object file: ..."; empty when it can be asked.
  const std::string& reason() const { return reason_; }
  /// The GPU at "0000:17:00.0"; null, with the reason in `why`, where there is none.
  Device find(const std::string& bus_id, std::string& why) const;

  /// What a function of the form nvmlReturn_t f(device, unsigned*) answers; with a selector, f(device, int, unsigned*).
  /// Empty when this library has no such function or the device does not answer it.
  std::optional<unsigned> number(const char* function, Device device) const;
  std::optional<unsigned> number(const char* function, Device device, int selector) const;
  /// Bits of nvmlDeviceGetCurrentClocksThrottleReasons.
  std::optional<unsigned long long> throttle_reasons(Device device) const;
  /// Processes that compute on the device and have another number than this one. Inside a container this process
  /// itself can have another number there.
  std::optional<unsigned> other_processes(Device device) const;

 private:
  template <class Function>
  Function symbol(const char* name) const;
  std::string words(int status) const;

  void* handle_ = nullptr;
  bool initialised_ = false;
  std::string reason_;
};

/// The library of this machine, loaded at the first call and kept.
const Library& library();

}  // namespace tandem::nvml
