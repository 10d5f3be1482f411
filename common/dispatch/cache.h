// Decisions already made by one context, by situation.
#pragma once

#include <cstddef>
#include <vector>

#include "common/dispatch/select.h"

namespace tandem {

/// A situation and what was chosen in it.
template <class Op>
struct Decided {
  Situation<Op> situation;
  Selection<Op> selection;
};

class DecisionCacheBase {
 public:
  virtual ~DecisionCacheBase() = default;
};

/// Few slots and a linear search, the last hit first: a program repeats a handful of problems. Slots never move, so
/// that the last decision can be looked at until the next one is made.
template <class Op>
class DecisionCache final : public DecisionCacheBase {
 public:
  DecisionCache() { slots_.reserve(kSlots); }

  const Decided<Op>* find(const Situation<Op>& situation) {
    if (last_ < slots_.size() && slots_[last_].situation == situation) return &slots_[last_];
    for (std::size_t i = 0; i < slots_.size(); ++i)
      if (slots_[i].situation == situation) {
        last_ = i;
        return &slots_[i];
      }
    return nullptr;
  }

  const Decided<Op>* insert(const Decided<Op>& decided) {
    if (slots_.size() < kSlots) {
      last_ = slots_.size();
      slots_.push_back(decided);
    } else {
      last_ = next_;
      next_ = (next_ + 1) % kSlots;
      slots_[last_] = decided;
    }
    return &slots_[last_];
  }

 private:
  static constexpr std::size_t kSlots = 64;
  std::vector<Decided<Op>> slots_;
  std::size_t last_ = 0;
  std::size_t next_ = 0;
};

}  // namespace tandem
