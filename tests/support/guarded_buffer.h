// Memory with an inaccessible page on either side, for operands that a kernel must not leave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include <tandem/tensor.h>

namespace tandem::test {

/// Which guard page the data touches. The other side has slack up to a page, whose bytes are checked by damage().
enum class Flush : std::uint8_t { to_end, to_start };

/// `bytes` bytes between two pages that cannot be read or written: one byte beyond the flush side faults, and damage()
/// finds writes into the slack on the other side. With to_end the start has whatever alignment the size leaves (that of
/// an element at least, when the size is a multiple of it); with to_start it is that of a page plus `offset`. Under
/// AddressSanitizer reads of the slack are reported too.
class GuardedBuffer {
 public:
  /// `offset` moves the data away from the flush side, for alignment tests; those bytes become slack as well.
  explicit GuardedBuffer(std::size_t bytes, Flush flush = Flush::to_end, std::size_t offset = 0);
  ~GuardedBuffer();
  GuardedBuffer(GuardedBuffer&& other) noexcept;
  GuardedBuffer& operator=(GuardedBuffer&&) = delete;
  GuardedBuffer(const GuardedBuffer&) = delete;
  GuardedBuffer& operator=(const GuardedBuffer&) = delete;

  std::byte* data() const noexcept { return data_; }
  std::size_t bytes() const noexcept { return bytes_; }
  /// The whole elements of type T that fit, from the start of the data.
  template <class T>
  std::span<T> as() const noexcept {
    return {reinterpret_cast<T*>(data_), bytes_ / sizeof(T)};
  }

  /// Sets every byte of the data to 0xff: NaN in every float type, -1 in the signed ones. New buffers are poisoned.
  void poison() noexcept;
  /// From now on a write to the data faults. For inputs.
  void make_read_only();
  /// Empty when no byte of the slack was written, else a sentence with the first one that was.
  std::string damage() const;

 private:
  std::span<std::byte> slack_before() const noexcept;
  std::span<std::byte> slack_after() const noexcept;

  std::byte* pages_ = nullptr;  // the mapping, guard pages included
  std::size_t mapped_ = 0;
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// A view with any strides whose memory is exactly its extent in a GuardedBuffer. Elements and gaps start poisoned.
class GuardedTensor {
 public:
  GuardedTensor(DType dtype, const Shape& shape, const Strides& strides, Flush flush = Flush::to_end,
                std::size_t offset = 0);
  /// Row-major without gaps.
  GuardedTensor(DType dtype, const Shape& shape, Flush flush = Flush::to_end, std::size_t offset = 0)
      : GuardedTensor(dtype, shape, row_major(shape), flush, offset) {}

  View view() const { return View(buffer_.data(), dtype_, shape_, strides_); }
  GuardedBuffer& buffer() noexcept { return buffer_; }
  /// The memory in order of address, gaps included; T has the size of an element.
  template <class T>
  std::span<T> memory() const noexcept {
    return buffer_.as<T>();
  }
  /// Empty when neither the slack nor a gap between the elements was written, else a sentence. Gaps are compared with
  /// what they held at the last call of remember_gaps(), or at construction.
  std::string damage() const;
  /// Takes what the gaps hold now as untouched; call it after filling memory().
  void remember_gaps();

 private:
  DType dtype_;
  Shape shape_;
  Strides strides_;
  GuardedBuffer buffer_;
  std::string before_;  // all bytes of the buffer
  std::string is_gap_;  // one char an element of memory: 1 where the view does not reach
};

/// row_major(shape) with `padding` more elements between consecutive rows (the last dimension stays contiguous).
Strides padded_strides(const Shape& shape, std::int64_t padding);

}  // namespace tandem::test
