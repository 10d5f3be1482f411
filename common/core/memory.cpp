// Host memory.
#include "common/core/memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>

#include <fmt/format.h>
#include <tandem/error.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace tandem {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Asks for huge pages under the whole ones of them in the memory, where the system gives them to those who ask only. The
// rest keeps small ones, so that nothing is touched that was not asked for. On a virtual machine, where what is not in
// the TLB takes a walk through two sets of tables, a product of 2048 cubed gains a tenth and more.
void ask_for_huge_pages(void* memory, std::size_t bytes) {
#if defined(__linux__) && defined(MADV_HUGEPAGE)
  madvise(memory, bytes / kHugePage * kHugePage, MADV_HUGEPAGE);  // refused: the memory is as good, and slower
#else
  (void)memory, (void)bytes;
#endif
}

}  // namespace

std::shared_ptr<void> allocate_host(std::size_t bytes, std::size_t alignment, const char* what) {
  const bool large = bytes >= kHugePage;
  if (large) alignment = std::max(alignment, kHugePage);
  const std::size_t rounded = std::max(bytes + alignment - 1 - (bytes + alignment - 1) % alignment, alignment);
  void* memory = rounded >= bytes ? std::aligned_alloc(alignment, rounded) : nullptr;
  if (!memory) throw Error(Code::out_of_memory, fmt::format("{}: the host has no room for {} bytes", what, bytes));
  if (large) ask_for_huge_pages(memory, bytes);
  try {
    return std::shared_ptr<void>(memory, std::free);
  } catch (const std::bad_alloc&) {  // shared_ptr has freed the memory
    throw Error(Code::out_of_memory, fmt::format("{}: the host has no room for {} bytes", what, bytes));
  }
}

}  // namespace tandem
