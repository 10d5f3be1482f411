#include "common/io/elements.h"

#include <algorithm>
#include <bit>
#include <vector>

namespace tandem::io {
namespace {

static_assert(std::endian::native == std::endian::little, "elements go to and from files as they lie in memory");

// Through a block of memory. `width` is the size of an element.
void write_strided(const ConstView& view, std::size_t width, AtomicFile& file) {
  constexpr std::size_t kBlockBytes = std::size_t{1} << 18;
  std::vector<char> block;
  block.reserve(kBlockBytes + width);
  const char* base = static_cast<const char*>(view.data());
  const int last = view.rank() - 1;
  Dims index = view.shape();
  std::fill_n(&index[0], view.rank(), 0);
  for (std::int64_t written = 0; written < view.elements(); written += view.size(last)) {
    std::int64_t offset = 0;
    for (int d = 0; d < last; ++d) offset += index[d] * view.strides()[d];
    for (std::int64_t i = 0; i < view.size(last); ++i) {
      const char* element = base + (offset + i * view.strides()[last]) * static_cast<std::int64_t>(width);
      block.insert(block.end(), element, element + width);
      if (block.size() >= kBlockBytes) {
        file.write(block.data(), block.size());
        block.clear();
      }
    }
    for (int d = last - 1; d >= 0 && ++index[d] == view.size(d); --d) index[d] = 0;
  }
  file.write(block.data(), block.size());
}

}  // namespace

void write_elements(const ConstView& view, AtomicFile& file) {
  const std::size_t width = size_of(view.dtype());
  if (view.is_contiguous())
    file.write(view.data(), static_cast<std::size_t>(view.elements()) * width);
  else
    write_strided(view, width, file);
}

}  // namespace tandem::io
