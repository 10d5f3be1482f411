#include "tests/support/guarded_buffer.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#if defined(__SANITIZE_ADDRESS__)
#define TANDEM_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TANDEM_TEST_ASAN 1
#endif
#endif
#ifdef TANDEM_TEST_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace tandem::test {
namespace {

constexpr std::byte kPoison{0xff};
constexpr std::byte kSlack{0xa5};

std::size_t page_bytes() {
  static const std::size_t bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  return bytes;
}

void forbid(std::span<std::byte> slack) {
#ifdef TANDEM_TEST_ASAN
  __asan_poison_memory_region(slack.data(), slack.size());
#else
  static_cast<void>(slack);
#endif
}

void allow(std::span<std::byte> slack) {
#ifdef TANDEM_TEST_ASAN
  __asan_unpoison_memory_region(slack.data(), slack.size());
#else
  static_cast<void>(slack);
#endif
}

std::size_t first_changed(std::span<std::byte> slack) {
  allow(slack);
  const auto changed = std::find_if(slack.begin(), slack.end(), [](std::byte b) { return b != kSlack; });
  const auto index = static_cast<std::size_t>(changed - slack.begin());
  forbid(slack);
  return index;
}

[[noreturn]] void fail(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace

GuardedBuffer::GuardedBuffer(std::size_t bytes, Flush flush, std::size_t offset) : bytes_(bytes) {
  const std::size_t page = page_bytes();
  const std::size_t inner = std::max<std::size_t>((bytes + offset + page - 1) / page, 1) * page;
  mapped_ = inner + 2 * page;
  void* pages = ::mmap(nullptr, mapped_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (pages == MAP_FAILED) fail("mmap");
  pages_ = static_cast<std::byte*>(pages);
  if (::mprotect(pages_ + page, inner, PROT_READ | PROT_WRITE) != 0) {
    ::munmap(pages, mapped_);
    fail("mprotect");
  }
  data_ = flush == Flush::to_end ? pages_ + page + inner - bytes - offset : pages_ + page + offset;
  for (const auto slack : {slack_before(), slack_after()}) {
    std::fill(slack.begin(), slack.end(), kSlack);
    forbid(slack);
  }
  poison();
}

GuardedBuffer::~GuardedBuffer() {
  if (pages_ == nullptr) return;
  allow({pages_ + page_bytes(), mapped_ - 2 * page_bytes()});
  ::munmap(pages_, mapped_);
}

GuardedBuffer::GuardedBuffer(GuardedBuffer&& other) noexcept
    : pages_(std::exchange(other.pages_, nullptr)),
      mapped_(std::exchange(other.mapped_, 0)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

std::span<std::byte> GuardedBuffer::slack_before() const noexcept { return {pages_ + page_bytes(), data_}; }

std::span<std::byte> GuardedBuffer::slack_after() const noexcept {
  return {data_ + bytes_, pages_ + mapped_ - page_bytes()};
}

void GuardedBuffer::poison() noexcept { std::fill_n(data_, bytes_, kPoison); }

void GuardedBuffer::make_read_only() {
  if (::mprotect(pages_ + page_bytes(), mapped_ - 2 * page_bytes(), PROT_READ) != 0) fail("mprotect");
}

std::string GuardedBuffer::damage() const {
  const auto before = slack_before();
  const auto after = slack_after();
  // Nearest to the data first: that is where a loop that ran too far began.
  if (const std::size_t i = first_changed(after); i < after.size()) {
    return "byte " + std::to_string(i) + " after the data was written";
  }
  if (const std::size_t i = first_changed(before); i < before.size()) {
    return "byte " + std::to_string(before.size() - i) + " before the data was written";
  }
  return {};
}

GuardedTensor::GuardedTensor(DType dtype, const Shape& shape, const Strides& strides, Flush flush, std::size_t offset)
    : dtype_(dtype),
      shape_(shape),
      strides_(strides),
      buffer_(static_cast<std::size_t>(ConstView(this, dtype, shape, strides).extent()) * size_of(dtype), flush,
              offset) {
  is_gap_.assign(buffer_.bytes() / size_of(dtype), 1);
  const std::int64_t count = element_count(shape);
  for (std::int64_t element = 0; element < count; ++element) {
    std::int64_t rest = element, place = 0;
    for (int d = shape.rank() - 1; d >= 0; --d) {
      place += rest % shape[d] * strides[d];
      rest /= shape[d];
    }
    is_gap_[static_cast<std::size_t>(place)] = 0;
  }
  remember_gaps();
}

void GuardedTensor::remember_gaps() { before_.assign(reinterpret_cast<const char*>(buffer_.data()), buffer_.bytes()); }

std::string GuardedTensor::damage() const {
  const std::size_t width = size_of(dtype_);
  for (std::size_t i = 0; i < is_gap_.size(); ++i) {
    if (is_gap_[i] != 0 && std::memcmp(before_.data() + i * width, buffer_.data() + i * width, width) != 0) {
      return "the gap at element " + std::to_string(i) + " of the memory was written";
    }
  }
  return buffer_.damage();
}

Strides padded_strides(const Shape& shape, std::int64_t padding) {
  Strides strides = row_major(shape);
  std::int64_t step = 1;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    strides[d] = step;
    step *= std::max<std::int64_t>(shape[d], 1);
    if (d == shape.rank() - 1) step += padding;
  }
  return strides;
}

}  // namespace tandem::test
