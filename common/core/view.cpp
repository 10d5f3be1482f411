// Shapes, strides and views.
#include <algorithm>
#include <limits>

#include <fmt/format.h>
#include <tandem/error.h>
#include <tandem/tensor.h>

namespace tandem {

Dims::Dims(std::initializer_list<std::int64_t> values) : Dims(std::span(values.begin(), values.size())) {}

Dims::Dims(std::span<const std::int64_t> values) {
  for (const std::int64_t value : values) push_back(value);
}

void Dims::push_back(std::int64_t value) {
  if (rank_ == kMaxRank)
    throw Error(Code::invalid_argument, fmt::format("a tensor has at most {} dimensions", kMaxRank));
  values_[rank_++] = value;
}

bool operator==(const Dims& a, const Dims& b) noexcept {
  return a.rank_ == b.rank_ && std::equal(a.begin(), a.end(), b.begin());
}

std::string to_string(const Dims& dims) {
  return dims.empty() ? std::string("scalar") : fmt::format("{}", fmt::join(dims.begin(), dims.end(), "x"));
}

std::int64_t element_count(const Shape& shape) {
  // Negative sizes are refused even beside a zero; the product of the others must fit.
  std::int64_t count = 1;
  bool empty = false, fits = true;
  for (const std::int64_t size : shape) {
    if (size < 0) throw Error(Code::invalid_argument, fmt::format("negative size in shape {}", to_string(shape)));
    if (size == 0)
      empty = true;
    else
      fits = fits && !__builtin_mul_overflow(count, size, &count);
  }
  if (empty) return 0;
  if (!fits || count > std::numeric_limits<std::int64_t>::max() / 8)
    throw Error(Code::invalid_argument,
                fmt::format("shape {} holds more elements than memory can address", to_string(shape)));
  return count;
}

namespace {

/// Of a shape that holds elements this cannot overflow (element_count refuses it); of an empty one nobody uses strides.
std::int64_t next_step(std::int64_t step, std::int64_t size) {
  std::int64_t next = 0;
  if (__builtin_mul_overflow(step, std::max<std::int64_t>(size, 1), &next)) return step;
  return next;
}

}  // namespace

Strides row_major(const Shape& shape) {
  Strides strides = shape;
  std::int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[d] = step;
    step = next_step(step, shape[d]);
  }
  return strides;
}

Strides column_major(const Shape& shape) {
  Strides strides = shape;
  std::int64_t step = 1;
  for (int d = 0; d < shape.rank(); ++d) {
    strides[d] = step;
    step = next_step(step, shape[d]);
  }
  return strides;
}

ConstView::ConstView(const void* data, DType dtype, const Shape& shape, const Strides& strides, Device device)
    : data_(data), dtype_(dtype), device_(device), shape_(shape), strides_(strides), elements_(element_count(shape)) {
  if (dtype > DType::s32 || device.backend > Backend::cuda)
    throw Error(Code::invalid_argument,
                fmt::format("a view of shape {} has dtype {} and backend {}, of which one is unknown", to_string(shape),
                            static_cast<int>(dtype), static_cast<int>(device.backend)));
  if (strides.rank() != shape.rank())
    throw Error(Code::invalid_argument, fmt::format("a view of shape {} needs {} strides, not {}", to_string(shape),
                                                    shape.rank(), strides.rank()));
  std::int64_t reach = 0;
  for (int d = 0; d < shape.rank(); ++d) {
    std::int64_t step = 0;
    if (strides[d] < 0)
      throw Error(Code::invalid_argument, fmt::format("negative stride {} in dimension {}", strides[d], d));
    if (elements_ > 0 &&
        (__builtin_mul_overflow(shape[d] - 1, strides[d], &step) || __builtin_add_overflow(reach, step, &reach) ||
         reach > std::numeric_limits<std::int64_t>::max() / 8))
      throw Error(Code::invalid_argument, fmt::format("strides {} of shape {} reach beyond what memory can address",
                                                      to_string(strides), to_string(shape)));
  }
  if (!data && elements_ > 0)
    throw Error(Code::invalid_argument,
                fmt::format("a view of shape {} has no memory (null pointer)", to_string(shape)));
}

ConstView::ConstView(const void* data, DType dtype, const Shape& shape, Device device)
    : ConstView(data, dtype, shape, (element_count(shape), row_major(shape)), device) {}

bool ConstView::is_contiguous() const noexcept {
  if (elements_ == 0) return true;
  std::int64_t step = 1;
  for (int d = rank() - 1; d >= 0; --d) {
    if (shape_[d] != 1 && strides_[d] != step) return false;
    step *= shape_[d];
  }
  return true;
}

bool ConstView::is_dense() const noexcept {
  // Without repetition and with an extent equal to the count, every element of the extent is used.
  if (elements_ == 0) return true;
  std::int64_t sizes[kMaxRank], steps[kMaxRank];
  int n = 0;
  for (int d = 0; d < rank(); ++d)
    if (shape_[d] != 1) {
      int at = n++;
      for (; at > 0 && steps[at - 1] > strides_[d]; --at) {
        steps[at] = steps[at - 1];
        sizes[at] = sizes[at - 1];
      }
      steps[at] = strides_[d];
      sizes[at] = shape_[d];
    }
  std::int64_t step = 1;
  for (int i = 0; i < n; ++i) {
    if (steps[i] != step) return false;
    step *= sizes[i];
  }
  return true;
}

std::int64_t ConstView::extent() const noexcept {
  if (elements_ == 0) return 0;
  std::int64_t last = 0;
  for (int d = 0; d < rank(); ++d) last += (shape_[d] - 1) * strides_[d];
  return last + 1;
}

void ConstView::check_access(DType wanted) const {
  if (dtype_ != wanted)
    throw Error(Code::invalid_argument, fmt::format("a view of {} was accessed as {}", name(dtype_), name(wanted)));
  if (!device_.is_cpu())
    throw Error(Code::invalid_argument,
                fmt::format("memory on {} was accessed from the host; copy it with to(ctx, Device::cpu())",
                            to_string(device_)));
}

ConstView ConstView::transposed() const {
  if (rank() < 2)
    throw Error(Code::invalid_argument,
                fmt::format("transposed() needs two dimensions, not shape {}", to_string(shape_)));
  ConstView view = *this;
  std::swap(view.shape_[rank() - 1], view.shape_[rank() - 2]);
  std::swap(view.strides_[rank() - 1], view.strides_[rank() - 2]);
  return view;
}

ConstView ConstView::slice(int dim, std::int64_t begin, std::int64_t end, std::int64_t step) const {
  if (dim < 0 || dim >= rank() || begin < 0 || end < begin || end > shape_[dim] || step < 1)
    throw Error(Code::invalid_argument,
                fmt::format("slice({}, {}, {}, {}) does not fit shape {}", dim, begin, end, step, to_string(shape_)));
  Shape shape = shape_;
  Strides strides = strides_;
  shape[dim] = begin == end ? 0 : (end - begin - 1) / step + 1;
  if (shape[dim] > 1) strides[dim] = next_step(strides[dim], step);
  const auto* bytes = static_cast<const char*>(data_);
  if (element_count(shape) > 0) bytes += begin * strides_[dim] * static_cast<std::int64_t>(size_of(dtype_));
  return ConstView(bytes, dtype_, shape, strides, device_);
}

ConstView ConstView::reshaped(const Shape& shape) const {
  if (!is_contiguous())
    throw Error(Code::invalid_argument,
                fmt::format("a view of shape {} and strides {} cannot be reshaped without a copy: it is not contiguous",
                            to_string(shape_), to_string(strides_)));
  if (element_count(shape) != elements_)
    throw Error(Code::invalid_argument,
                fmt::format("shape {} cannot become {}: {} elements are not {}", to_string(shape_), to_string(shape),
                            elements_, element_count(shape)));
  return ConstView(data_, dtype_, shape, row_major(shape), device_);
}

}  // namespace tandem
