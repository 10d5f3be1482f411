#include "common/profile/gpu_state.h"

#include <array>
#include <cmath>
#include <utility>

#include <fmt/format.h>

namespace tandem::profile {
namespace {

constexpr int kClockSm = 1, kClockMemory = 2, kTemperatureGpu = 0;  // of NVML

double or_absent(std::optional<unsigned> value, double unit = 1) { return value ? *value * unit : kAbsent; }

std::string cell(double value) { return std::isnan(value) ? "n/a" : fmt::format("{:.0f}", value); }

}  // namespace

std::string throttle_words(unsigned long long reasons) {
  constexpr std::array<std::pair<unsigned long long, const char*>, 8> kNames = {{{0x2, "application clocks"},
                                                                                 {0x4, "power cap"},
                                                                                 {0x8, "hardware slowdown"},
                                                                                 {0x10, "sync boost"},
                                                                                 {0x20, "temperature (software)"},
                                                                                 {0x40, "temperature (hardware)"},
                                                                                 {0x80, "power brake"},
                                                                                 {0x100, "display clocks"}}};
  std::string text;
  unsigned long long known = 0x1;  // idle
  for (const auto& [bit, name] : kNames) {
    known |= bit;
    if ((reasons & bit) != 0) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  if (const unsigned long long rest = reasons & ~known; rest != 0)
    text += fmt::format("{}bits {:#x}", text.empty() ? "" : ", ", rest);
  return text.empty() ? "no" : text;
}

GpuState read_gpu_state(const GpuInfo& gpu, const nvml::Library& library) {
  GpuState state;
  const nvml::Device device = library.find(gpu.bus_id, state.reason);
  state.slowed = state.persistence = state.reason;
  if (!device) return state;
  state.sm_mhz = or_absent(library.number("nvmlDeviceGetClockInfo", device, kClockSm));
  state.memory_mhz = or_absent(library.number("nvmlDeviceGetClockInfo", device, kClockMemory));
  state.sm_max_mhz = or_absent(library.number("nvmlDeviceGetMaxClockInfo", device, kClockSm));
  state.memory_max_mhz = or_absent(library.number("nvmlDeviceGetMaxClockInfo", device, kClockMemory));
  state.temperature_celsius = or_absent(library.number("nvmlDeviceGetTemperature", device, kTemperatureGpu));
  state.power_watts = or_absent(library.number("nvmlDeviceGetPowerUsage", device), 1e-3);
  state.other_processes = or_absent(library.other_processes(device));
  const auto reasons = library.throttle_reasons(device);
  state.slowed = reasons ? throttle_words(*reasons) : "n/a: NVML does not tell";
  const auto persistence = library.number("nvmlDeviceGetPersistenceMode", device);
  state.persistence = !persistence ? "n/a: NVML does not tell" : *persistence != 0 ? "on" : "off";
  return state;
}

std::string to_text(const GpuState& s) {
  if (!s.reason.empty()) return s.reason;
  return fmt::format("SM {} of {} MHz, memory {} of {} MHz, {} C, {} W, slowed: {}, persistence {}, other processes {}",
                     cell(s.sm_mhz), cell(s.sm_max_mhz), cell(s.memory_mhz), cell(s.memory_max_mhz),
                     cell(s.temperature_celsius), cell(s.power_watts), s.slowed, s.persistence,
                     cell(s.other_processes));
}

}  // namespace tandem::profile
