#include <tandem/safetensors.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/io/elements.h"
#include "common/io/file.h"
#include "common/io/safetensors_header.h"

namespace tandem {
namespace {

// Where a dtype comes in a file: the order of the safetensors package, which keeps large elements aligned.
std::size_t rank_of(DType dtype) {
  constexpr std::array kOrder = {DType::f32, DType::s32, DType::bf16, DType::f16, DType::s8, DType::u8};
  return static_cast<std::size_t>(std::find(kOrder.begin(), kOrder.end(), dtype) - kOrder.begin());
}

using Named = const std::pair<const std::string, ConstView>*;

std::vector<Named> in_order(const std::map<std::string, ConstView>& tensors) {
  std::vector<Named> order;
  order.reserve(tensors.size());
  for (const auto& tensor : tensors) order.push_back(&tensor);
  std::sort(order.begin(), order.end(), [](Named a, Named b) {
    return std::pair(rank_of(a->second.dtype()), std::string_view(a->first)) <
           std::pair(rank_of(b->second.dtype()), std::string_view(b->first));
  });
  return order;
}

}  // namespace

SafetensorsFile load_safetensors(const std::string& path, std::int64_t max_bytes) {
  const io::InputFile file(path);
  std::string start(std::min<std::uint64_t>(file.size(), io::kSafetensorsPreamble), '\0');
  file.read(0, start.data(), start.size());
  std::string text(io::safetensors_header_length(start, file.size(), path), '\0');
  file.read(io::kSafetensorsPreamble, text.data(), text.size());
  const std::uint64_t data = io::kSafetensorsPreamble + text.size();
  io::SafetensorsHeader header = io::parse_safetensors_header(text, file.size() - data, path);
  const auto bytes = static_cast<std::int64_t>(file.size() - data);
  if (bytes > max_bytes)
    throw Error(Code::io_error, fmt::format("{}: {} bytes of data are above the limit of {}", path, bytes, max_bytes));
  SafetensorsFile out;
  for (const auto& [name, entry] : header.tensors) {
    Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
    file.read(data + static_cast<std::uint64_t>(entry.begin), tensor.view().data(),
              static_cast<std::size_t>(entry.end - entry.begin));
    out.tensors.emplace(name, std::move(tensor));
  }
  out.metadata = std::move(header.metadata);
  return out;
}

void save_safetensors(const std::string& path, const std::map<std::string, ConstView>& tensors,
                      const std::map<std::string, std::string>& metadata) {
  const std::vector<Named> order = in_order(tensors);
  io::SafetensorsHeader header{{}, metadata};
  std::int64_t end = 0;
  for (const Named tensor : order) {
    const auto& [name, view] = *tensor;
    if (view.rank() == 0 && view.elements() == 0)
      throw Error(
          Code::invalid_argument,
          fmt::format("save_safetensors: tensor '{}' for {} is an empty view, without shape or memory", name, path));
    if (!view.device().is_cpu())
      throw Error(Code::invalid_argument, fmt::format("save_safetensors: tensor '{}' for {} is on {}; bring it to the "
                                                      "host first",
                                                      name, path, to_string(view.device())));
    const std::int64_t begin = end;
    std::int64_t bytes = 0;
    if (__builtin_mul_overflow(view.elements(), static_cast<std::int64_t>(size_of(view.dtype())), &bytes) ||
        __builtin_add_overflow(begin, bytes, &end))
      throw Error(Code::invalid_argument,
                  fmt::format("save_safetensors: the tensors for {} pass 2^63 - 1 bytes", path));
    header.tensors.emplace(name, io::SafetensorsEntry{view.dtype(), view.shape(), begin, end});
  }
  const std::string start = io::print_safetensors_header(header, path);
  io::AtomicFile file(path);
  file.write(start.data(), start.size());
  for (const Named tensor : order) io::write_elements(tensor->second, file);
  file.commit();
}

}  // namespace tandem
