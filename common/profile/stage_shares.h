// Which part of a call each moment of it belongs to.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <string_view>

#include <tandem/trace.h>

namespace tandem::profile {

/// Parts of a call, in its order.
enum class Part : std::uint8_t {
  select,
  allocate,
  host_to_device,
  workspace,
  launch,     ///< the host puts the kernel on the stream
  fork_join,  ///< host threads: not even the slowest works
  kernel,
  device_to_host,
  wait,  ///< the device is done, and the host does not know yet
  other,
};
inline constexpr std::size_t kParts = 10;
std::string_view name(Part part);

struct Shares {
  std::array<double, kParts> seconds{};    ///< they add up to `wall`
  std::array<double, kParts> on_device{};  ///< from event to event; 0: nothing was there
  double wall = 0;

  double operator[](Part part) const { return seconds[static_cast<std::size_t>(part)]; }
};

/// Of one call: `call` is the span of all of it, `stages` those within. Copies on the device go before launching, that
/// before the kernel on the device, that before waiting, and all before what the host does at that moment, of which the
/// innermost counts.
Shares shares_of(const trace::Span& call, std::span<const trace::Span> stages);

}  // namespace tandem::profile
