// Where data lives and where kernels run.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tandem {

/// A family of kernels: those for the host processor and those for NVIDIA GPUs.
enum class Backend : std::uint8_t { cpu, cuda };

/// "cpu" or "cuda".
std::string_view name(Backend backend) noexcept;

/// The inverse of name(). Throws Error(invalid_argument).
Backend parse_backend(std::string_view text);

/// A memory space: host memory (`Device::cpu()`) or the memory of one GPU (`Device::cuda(0)`).
struct Device {
  Backend backend = Backend::cpu;
  int index = 0;

  static constexpr Device cpu() noexcept { return {Backend::cpu, 0}; }
  static constexpr Device cuda(int index = 0) noexcept { return {Backend::cuda, index}; }
  constexpr bool is_cpu() const noexcept { return backend == Backend::cpu; }
  friend constexpr bool operator==(Device, Device) noexcept = default;
};

/// "cpu" or "cuda:0".
std::string to_string(Device device);

/// Accepts "cpu", "cuda" (index 0) and "cuda:N". Throws Error(invalid_argument).
Device parse_device(std::string_view text);

}  // namespace tandem
