#include "tests/support/failing_allocations.h"

#include <cerrno>
#include <cstddef>
#include <cstdlib>

namespace tandem::test {
namespace {

constexpr long kNever = -1;
thread_local long until_failure = kNever;  // allocations before the one that fails
thread_local bool failure_happened = false;

bool must_fail() noexcept {
  if (until_failure == kNever) return false;
  if (until_failure-- > 0) return false;
  failure_happened = true;  // until_failure is kNever now
  return true;
}

void* allocate_aligned(std::size_t bytes, std::size_t alignment) noexcept {
  void* memory = nullptr;
  if (must_fail() || ::posix_memalign(&memory, alignment, bytes) != 0) return nullptr;
  return memory;
}

void* allocate(std::size_t bytes) noexcept { return must_fail() ? nullptr : std::malloc(bytes == 0 ? 1 : bytes); }

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

FailAllocation::FailAllocation(long n) noexcept {
  failure_happened = false;
  until_failure = n;
}

FailAllocation::~FailAllocation() { until_failure = kNever; }

bool FailAllocation::happened() const noexcept { return failure_happened; }

}  // namespace tandem::test

using tandem::test::allocate;
using tandem::test::allocate_aligned;
using tandem::test::or_throw;

// The array and nothrow forms of the library call these.
void* operator new(std::size_t bytes) { return or_throw(allocate(bytes)); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(allocate_aligned(bytes, static_cast<std::size_t>(alignment)));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept { return allocate(bytes); }
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return allocate_aligned(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" void* aligned_alloc(std::size_t alignment, std::size_t bytes) noexcept {
  void* memory = allocate_aligned(bytes, alignment);
  if (memory == nullptr) errno = ENOMEM;
  return memory;
}
