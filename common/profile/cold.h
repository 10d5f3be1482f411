// Calls that find nothing of their data in the caches.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <tandem/context.h>

#include "common/profile/measure.h"

namespace tandem::profile {

/// What drives earlier work out of the caches of one context's processors. On the host its threads together write four
/// times the last cache levels of the processors that they may run on; on the GPU a copy of twice its L2 does it, which
/// also keeps the stream busy until the kernel behind it is enqueued, so that no launch is timed.
class ColdCaches {
 public:
  explicit ColdCaches(Context& ctx) : ctx_(ctx) {}

  /// Single calls of a kernel of a backend, each with that before it, untimed; on the host by its clock, on the GPU
  /// from event to event. The memory is taken when it is first asked for, and lives as long as what is returned. Throws
  /// Error(out_of_memory), Error(unavailable) where the device does not tell the size of its L2.
  Timed timed(std::string name, Backend backend, std::function<void()> call);

 private:
  class DeviceFlush;
  Context& ctx_;
  std::function<void()> host_;
  std::shared_ptr<DeviceFlush> device_;
};

/// measure() for such calls: most of the time goes into emptying the caches, and few samples are taken.
std::vector<Samples> measure_cold(std::span<const Timed> calls, MeasureOptions how);

}  // namespace tandem::profile
