// What a transpose past the caches takes at a time.
#pragma once

#include <cstdint>

namespace tandem::cpu {

// Of a column of x, read side by side; of a y whose rows do not begin with lines, taller and so wide.
constexpr std::int64_t kStripBytes = 128, kTallStripBytes = 512, kWideBytes = 256;

}  // namespace tandem::cpu
