// How much a call would have to move between host and device.
#pragma once

#include <cstdint>

namespace tandem {

/// What would have to be moved to run on one backend: inputs before the kernel, the result after it.
struct Copies {
  std::int64_t in_bytes = 0;
  std::int64_t out_bytes = 0;
  int in_count = 0;
  int out_count = 0;
  // The part of what goes in that serves `reuse` calls once it was brought; told apart only where that is above 1.
  std::int64_t kept_bytes = 0;
  int kept_count = 0;
  float reuse = 1;
  friend bool operator==(const Copies&, const Copies&) = default;

  std::int64_t bytes() const { return in_bytes + out_bytes; }
};

}  // namespace tandem
