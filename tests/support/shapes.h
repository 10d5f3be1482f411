// Sizes at which loops go wrong, and their combinations.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace tandem::test {

/// Sorted, without repetition: 0, 1, the primes 2, 3, 5, 7, 13, 31 and 67, and tile - 1, tile, tile + 1 of each tile;
/// nothing above `limit`.
std::vector<std::int64_t> edge_sizes(std::span<const std::int64_t> tiles, std::int64_t limit);

/// low, low + 1, ..., high.
std::vector<std::int64_t> all_sizes(std::int64_t low, std::int64_t high);

/// Every combination of one size from each list, the last list varying fastest.
template <std::size_t N>
std::vector<std::array<std::int64_t, N>> combinations(const std::array<std::vector<std::int64_t>, N>& lists) {
  std::vector<std::array<std::int64_t, N>> out(1);
  for (std::size_t d = 0; d < N; ++d) {
    std::vector<std::array<std::int64_t, N>> longer;
    longer.reserve(out.size() * lists[d].size());
    for (const auto& head : out) {
      for (const std::int64_t size : lists[d]) {
        longer.push_back(head);
        longer.back()[d] = size;
      }
    }
    out = std::move(longer);
  }
  return out;
}

}  // namespace tandem::test
