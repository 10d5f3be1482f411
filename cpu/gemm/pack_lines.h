// Packing of a for tiles of AMX, whose rows are cache lines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

namespace tandem::cpu {

/// A PackPanel of T, kGroup of them a word, in another order: 16 words of k of each row after another, then the next 16,
/// filled up with zeros. `width` is ignored.
template <class T, int kGroup>
void pack_lines(const void* in_data, std::int64_t across, std::int64_t along, std::int64_t count, std::int64_t depth,
                std::int64_t /*width*/, void* out_data) {
  constexpr std::int64_t kLine = 16 * kGroup;
  const T* in = static_cast<const T*>(in_data);
  T* out = static_cast<T*>(out_data);
  for (std::int64_t p = 0; p < depth; p += kLine, in += kLine * along) {
    const std::int64_t values = std::min(kLine, depth - p);
    for (std::int64_t i = 0; i < count; ++i, out += kLine) {
      const T* row = in + i * across;
      if (along == 1) {
        std::memcpy(out, row, static_cast<std::size_t>(values) * sizeof(T));
      } else {
        for (std::int64_t v = 0; v < values; ++v) out[v] = row[v * along];
      }
      std::fill(out + values, out + kLine, T{});
    }
  }
}

}  // namespace tandem::cpu
