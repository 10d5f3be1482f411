// The judge of a case: the library's own oracle and bound.
#pragma once

#include "common/profile/compare.h"

namespace tandem::profile {

/// Of every operation of the table; the oracles take long to compile, so judge.cpp has them once.
template <class Op>
Judge judge_of(const Case<Op>& problem, std::uint64_t seed);

}  // namespace tandem::profile
