// From which size on one side is faster than the other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/explain.h>

#include "common/dispatch/question.h"

namespace tandem {

/// The sizes of a problem text (the numbers after ':' and 'x', before any ',', '*' or '@'), growing together in steps.
/// In each step the largest grows by the power of two, up to 32, that divides it, and the others keep their ratio to it
/// as far as the powers of two that divide them allow. A size of 1 stays, unless all are 1.
class Scaling {
 public:
  explicit Scaling(std::string_view text);
  /// Whether there are sizes, none of them 0. If not, nothing else may be asked.
  bool grows() const { return !sizes_.empty(); }
  /// The problem text after `steps` steps from nothing, >= 1.
  std::string at(std::int64_t steps) const;
  /// The largest size there over what it is in the text.
  double scale(std::int64_t steps) const;
  /// So many steps that the largest size is still below 2^31.
  std::int64_t last() const;

 private:
  struct Size {
    std::int64_t value, unit;
  };
  std::int64_t largest() const { return sizes_[largest_].value; }

  std::string before_, after_;
  std::vector<Size> sizes_;
  std::size_t largest_ = 0;
};

/// The least step of 1 .. last at which holds(step), which is taken to hold from there on: by doubling, then bisection
/// to within `tolerance` of it. 0: at none.
template <class Holds>
std::int64_t first_step(std::int64_t last, double tolerance, Holds holds) {
  std::int64_t below = 0, at = 1;
  while (!holds(at)) {
    if (at >= last) return 0;
    below = at;
    at = std::min(2 * at, last);
  }
  while (at - below > 1 && static_cast<double>(at) > (1 + tolerance) * static_cast<double>(below)) {
    const std::int64_t middle = below + (at - below) / 2;
    (holds(middle) ? at : below) = middle;
  }
  return at;
}

/// Seconds of the two sides, with their errors as fractions.
struct Duel {
  double cpu = profile::kAbsent, cuda = profile::kAbsent;
  double cpu_error = profile::kAbsent, cuda_error = profile::kAbsent;

  bool cuda_is_faster() const { return cuda < cpu; }
  bool cuda_may_be_faster() const { return cuda * (1 - cuda_error) < cpu * (1 + cpu_error); }
  bool cuda_is_surely_faster() const { return cuda * (1 + cuda_error) < cpu * (1 - cpu_error); }
};

/// Steps, 0 where there is none.
struct FirstSteps {
  std::int64_t from = 0, possibly = 0, surely = 0;
};

template <class DuelAt>
FirstSteps first_steps(std::int64_t last, double tolerance, DuelAt duel_at) {
  return {first_step(last, tolerance, [&](std::int64_t step) { return duel_at(step).cuda_is_faster(); }),
          first_step(last, tolerance, [&](std::int64_t step) { return duel_at(step).cuda_may_be_faster(); }),
          first_step(last, tolerance, [&](std::int64_t step) { return duel_at(step).cuda_is_surely_faster(); })};
}

/// The best candidate that may run on a side, or null.
const Candidate* best_on(const Decision& decision, Backend backend);
/// Whole calls of the best candidates, as the question places the operands.
Duel duel_of(const Decision& decision);
/// The same for calls of the problem at one size, from host memory.
SidesAt predicted_sides(Context& ctx, const Question& question);

/// Seconds a call, over so many calls on the same operands.
Duel duel_between(const SidesAt& sides, Placement placement, int calls);

/// The most steps of a problem whose operands take at most `max_bytes`; 0: there is none.
std::int64_t steps_within(const Question& question, const Scaling& scaling, std::int64_t max_bytes);
/// What the operands may take when nobody says: the memory of the GPU.
std::int64_t device_bytes(const Machine& machine);

/// The least CallOptions::expected_reuse, up to 2^20, at which something holds for the two sides; 0: none.
std::int64_t first_reuse(Context& ctx, const Question& question, bool (Duel::*holds)() const);

}  // namespace tandem
