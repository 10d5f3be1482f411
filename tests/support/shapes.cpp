#include "tests/support/shapes.h"

#include <algorithm>
#include <numeric>

namespace tandem::test {

std::vector<std::int64_t> edge_sizes(std::span<const std::int64_t> tiles, std::int64_t limit) {
  std::vector<std::int64_t> sizes = {0, 1, 2, 3, 5, 7, 13, 31, 67};
  for (const std::int64_t tile : tiles) sizes.insert(sizes.end(), {tile - 1, tile, tile + 1});
  std::erase_if(sizes, [&](std::int64_t size) { return size < 0 || size > limit; });
  std::sort(sizes.begin(), sizes.end());
  sizes.erase(std::unique(sizes.begin(), sizes.end()), sizes.end());
  return sizes;
}

std::vector<std::int64_t> all_sizes(std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(high - low + 1));
  std::iota(sizes.begin(), sizes.end(), low);
  return sizes;
}

}  // namespace tandem::test
