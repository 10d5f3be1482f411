// Tensors and views: shapes, strides and memory. Strides count elements, not bytes.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include <tandem/device.h>
#include <tandem/dtype.h>

namespace tandem {

class Context;

inline constexpr int kMaxRank = 8;

/// A short list of 64-bit numbers, one a dimension (at most kMaxRank). No allocation.
class Dims {
 public:
  Dims() = default;
  Dims(std::initializer_list<std::int64_t> values);
  explicit Dims(std::span<const std::int64_t> values);

  int rank() const noexcept { return rank_; }
  bool empty() const noexcept { return rank_ == 0; }
  std::int64_t operator[](int i) const noexcept { return values_[i]; }
  std::int64_t& operator[](int i) noexcept { return values_[i]; }
  const std::int64_t* begin() const noexcept { return values_; }
  const std::int64_t* end() const noexcept { return values_ + rank_; }
  std::int64_t back() const noexcept { return values_[rank_ - 1]; }
  void push_back(std::int64_t value);
  friend bool operator==(const Dims& a, const Dims& b) noexcept;

 private:
  int rank_ = 0;
  std::int64_t values_[kMaxRank] = {};
};

using Shape = Dims;
using Strides = Dims;

/// "2x3x4"; "scalar" for rank 0.
std::string to_string(const Dims& dims);

/// Number of elements. Throws Error(invalid_argument) when a size is negative or there are 2^60 elements or more, whose
/// bytes could not be counted.
std::int64_t element_count(const Shape& shape);

/// Strides of the C order (last dimension contiguous).
Strides row_major(const Shape& shape);

/// Strides of the Fortran order (first dimension contiguous).
Strides column_major(const Shape& shape);

/// A typed, strided window on memory that somebody else owns. Cheap to copy; must not outlive the memory.
class ConstView {
 public:
  ConstView() = default;
  /// Strides must be >= 0 (0 repeats an element). `data` may be null only when the shape holds no element.
  ConstView(const void* data, DType dtype, const Shape& shape, const Strides& strides, Device device = Device::cpu());
  /// Row-major strides.
  ConstView(const void* data, DType dtype, const Shape& shape, Device device = Device::cpu());
  /// A row-major host view of `T` (float, int8_t, uint8_t, int32_t).
  template <class T>
  ConstView(const T* data, const Shape& shape) : ConstView(data, DTypeOf<T>::value, shape) {}

  const void* data() const noexcept { return data_; }
  DType dtype() const noexcept { return dtype_; }
  Device device() const noexcept { return device_; }
  const Shape& shape() const noexcept { return shape_; }
  const Strides& strides() const noexcept { return strides_; }
  int rank() const noexcept { return shape_.rank(); }
  std::int64_t size(int dim) const noexcept { return shape_[dim]; }
  std::int64_t elements() const noexcept { return elements_; }
  bool is_contiguous() const noexcept;  ///< row-major without gaps
  /// True when the elements, in some order of the dimensions, fill their memory without gap or repetition.
  bool is_dense() const noexcept;
  /// Elements from the first to one past the last that the view can reach; 0 for an empty view.
  std::int64_t extent() const noexcept;

  /// The host pointer, checked: throws Error(invalid_argument) when T is not the dtype or the view is on a GPU.
  template <class T>
  const T* as() const {
    check_access(DTypeOf<T>::value);
    return static_cast<const T*>(data_);
  }
  /// The last two dimensions swapped. Throws when the rank is below 2.
  ConstView transposed() const;
  /// Elements begin, begin + step, ... below end of dimension `dim`.
  ConstView slice(int dim, std::int64_t begin, std::int64_t end, std::int64_t step = 1) const;
  /// The same elements under another shape. Throws when the view is not contiguous or the count differs.
  ConstView reshaped(const Shape& shape) const;

 protected:
  void check_access(DType wanted) const;

  const void* data_ = nullptr;
  DType dtype_ = DType::f32;
  Device device_;
  Shape shape_;
  Strides strides_;
  std::int64_t elements_ = 0;
};

/// A ConstView whose elements may be written.
class View : public ConstView {
 public:
  View() = default;
  View(void* data, DType dtype, const Shape& shape, const Strides& strides, Device device = Device::cpu())
      : ConstView(data, dtype, shape, strides, device) {}
  View(void* data, DType dtype, const Shape& shape, Device device = Device::cpu())
      : ConstView(data, dtype, shape, device) {}
  template <class T>
  View(T* data, const Shape& shape) : ConstView(data, shape) {}

  void* data() const noexcept { return const_cast<void*>(data_); }
  template <class T>
  T* as() const {
    return const_cast<T*>(ConstView::as<T>());
  }
  View transposed() const { return View(ConstView::transposed()); }
  View slice(int dim, std::int64_t begin, std::int64_t end, std::int64_t step = 1) const {
    return View(ConstView::slice(dim, begin, end, step));
  }
  View reshaped(const Shape& shape) const { return View(ConstView::reshaped(shape)); }

 private:
  explicit View(const ConstView& view) : ConstView(view) {}
};

/// Owns its elements. Moves, never copies silently: `clone` and `to` say so. Host memory is 64-byte aligned; from 2 MiB
/// on it begins at a multiple of 2 MiB and asks Linux for huge pages (docs/architecture.md).
class Tensor {
 public:
  Tensor() = default;
  /// Uninitialised host memory, row-major. Throws Error(out_of_memory).
  static Tensor empty(const Shape& shape, DType dtype = DType::f32);
  /// Uninitialised host memory with the given dense strides (such as column_major(shape)).
  static Tensor empty(const Shape& shape, const Strides& strides, DType dtype);
  /// Uninitialised memory on any device of the context; device memory is stream-ordered on the context's stream.
  static Tensor empty(Context& ctx, const Shape& shape, DType dtype, Device device);
  static Tensor zeros(const Shape& shape, DType dtype = DType::f32);
  static Tensor full(const Shape& shape, float value);
  /// Copies row-major host data. Throws when the number of values is not that of the shape.
  template <class T>
  static Tensor from(const Shape& shape, std::span<const T> values) {
    return copy_of(shape, DTypeOf<T>::value, values.data(), static_cast<std::int64_t>(values.size()));
  }
  static Tensor from(const Shape& shape, std::initializer_list<float> values) {
    return from(shape, std::span<const float>(values.begin(), values.size()));
  }

  /// What was moved from is empty, as after Tensor().
  Tensor(Tensor&& other) noexcept : memory_(std::move(other.memory_)), view_(std::exchange(other.view_, View())) {}
  Tensor& operator=(Tensor&& other) noexcept {
    Tensor taken(std::move(other));
    std::swap(memory_, taken.memory_);
    std::swap(view_, taken.view_);
    return *this;
  }
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;

  View view() noexcept { return view_; }
  ConstView view() const noexcept { return view_; }
  /// A tensor is a view of itself. A template, so that a ConstView is not also reached through View (-Wconversion).
  template <std::same_as<View> V>
  operator V() noexcept {  // NOLINT
    return view_;
  }
  operator ConstView() const noexcept { return view_; }  // NOLINT

  DType dtype() const noexcept { return view_.dtype(); }
  Device device() const noexcept { return view_.device(); }
  const Shape& shape() const noexcept { return view_.shape(); }
  const Strides& strides() const noexcept { return view_.strides(); }
  std::int64_t elements() const noexcept { return view_.elements(); }
  template <class T>
  T* data() {
    return view_.as<T>();
  }
  template <class T>
  const T* data() const {
    return static_cast<const ConstView&>(view_).as<T>();
  }

  /// A copy on the same device, row-major.
  Tensor clone(Context& ctx) const;
  /// A copy on `device`. To the host it waits for the context's stream; to a GPU it returns when the host data may
  /// be changed.
  Tensor to(Context& ctx, Device device) const;

 private:
  friend struct DeviceMemory;
  static Tensor copy_of(const Shape& shape, DType dtype, const void* values, std::int64_t count);

  std::shared_ptr<void> memory_;  // the deleter knows the device and keeps its stream alive
  View view_;
};

/// The elements of a view of any strides, row-major, on any device of the context. To the host it waits for the
/// context's stream; to a GPU it returns when host data may be changed. Throws Error(invalid_argument) for a view
/// without shape and memory, as Tensor::clone and Tensor::to do.
Tensor copy(Context& ctx, ConstView from, Device device);
/// The same into memory that is there: of from's shape and dtype, with any strides, on any device of the context;
/// whatever lies between its elements stays. No overlap. Device memory that is not copied as one run goes through the
/// host. Throws Error(invalid_argument).
void copy_into(Context& ctx, ConstView from, View to);

}  // namespace tandem
