// Memory that runs out at a chosen moment.
#pragma once

#include <new>

#include <tandem/error.h>

namespace tandem::test {

/// For a scope, the n-th allocation of the calling thread (from 0) by operator new or aligned_alloc fails; all others
/// succeed. The test programs replace these functions for this purpose. Not nestable.
class FailAllocation {
 public:
  explicit FailAllocation(long n) noexcept;
  ~FailAllocation();
  FailAllocation(const FailAllocation&) = delete;
  FailAllocation& operator=(const FailAllocation&) = delete;

  /// Whether the n-th allocation has been asked for.
  bool happened() const noexcept;
};

/// Runs `call` with its first allocation failing, then its second, and so on, until one run needs none that fails.
/// `after` runs after each failure, to look at what was left behind. Out of memory must surface as Error(out_of_memory)
/// or std::bad_alloc; anything else escapes. Returns the number of runs in which an allocation failed.
template <class Call, class After>
long fail_every_allocation(const Call& call, const After& after) {
  for (long n = 0;; ++n) {
    bool failed = false;
    {
      const FailAllocation guard(n);
      try {
        call();
      } catch (const Error& error) {
        if (error.code() != Code::out_of_memory || !guard.happened()) throw;
      } catch (const std::bad_alloc&) {
        if (!guard.happened()) throw;
      }
      failed = guard.happened();
    }
    if (!failed) return n;
    after();
  }
}

}  // namespace tandem::test
