#include <tandem/npy.h>

#include <algorithm>

#include <fmt/format.h>
#include <tandem/error.h>

#include "common/io/elements.h"
#include "common/io/file.h"
#include "common/io/npy_header.h"

namespace tandem {
namespace {

bool is_column_major(const ConstView& view) {
  std::int64_t expected = 1;
  for (int d = 0; d < view.rank(); ++d) {
    if (view.size(d) != 1 && view.strides()[d] != expected) return false;
    expected *= view.size(d);
  }
  return true;
}

}  // namespace

Tensor load_npy(const std::string& path, std::int64_t max_bytes) {
  const io::InputFile file(path);
  std::string start(std::min<std::uint64_t>(file.size(), io::kNpyMaxPreamble + io::kNpyMaxHeader), '\0');
  file.read(0, start.data(), start.size());
  const io::NpyHeader header = io::parse_npy_header(start, path);
  const std::int64_t bytes = io::npy_data_bytes(header, path);
  const std::int64_t present = static_cast<std::int64_t>(file.size() - header.data_offset);
  if (bytes != present) {
    throw Error(Code::io_error, fmt::format("{}: shape {} of {} needs {} bytes of data, the file holds {}", path,
                                            to_string(header.shape), name(header.dtype), bytes, present));
  }
  if (bytes > max_bytes) {
    throw Error(Code::io_error, fmt::format("{}: {} bytes of data are above the limit of {}", path, bytes, max_bytes));
  }
  Tensor tensor = header.fortran_order ? Tensor::empty(header.shape, column_major(header.shape), header.dtype)
                                       : Tensor::empty(header.shape, header.dtype);
  file.read(header.data_offset, tensor.view().data(), static_cast<std::size_t>(bytes));
  return tensor;
}

void save_npy(const std::string& path, const ConstView& view) {
  if (view.rank() == 0 && view.elements() == 0)
    throw Error(Code::invalid_argument,
                fmt::format("save_npy: the view for {} is empty, without shape or memory", path));
  if (!view.device().is_cpu()) {
    throw Error(Code::invalid_argument, fmt::format("save_npy: the view for {} is on {}; bring it to the host first",
                                                    path, to_string(view.device())));
  }
  const bool fortran_order = !view.is_contiguous() && is_column_major(view);
  const std::string header = io::print_npy_header({view.dtype(), view.shape(), fortran_order, 0}, path);
  io::AtomicFile file(path);
  file.write(header.data(), header.size());
  if (fortran_order)  // memory order
    file.write(view.data(), static_cast<std::size_t>(view.elements()) * size_of(view.dtype()));
  else
    io::write_elements(view, file);
  file.commit();
}

}  // namespace tandem
