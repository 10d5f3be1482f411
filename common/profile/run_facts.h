// Begin and end of a program that measures.
#pragma once

#include <cstdint>

#include <tandem/profile.h>

namespace tandem::profile {

/// Reads the machine's state and measures its ceilings.
RunFacts begin_run(const Machine& machine, std::uint64_t seed, double min_seconds);
/// Fills `during` and `seconds` in.
void finish_run(RunFacts& facts);

}  // namespace tandem::profile
