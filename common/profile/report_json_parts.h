// Pieces that the JSON of all programs is made of.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "common/profile/run_facts.h"
#include "common/profile/timing.h"

namespace tandem::profile {

using Json = nlohmann::ordered_json;  // NaN and infinities are written as null

/// "library", "date", "machine", "seed", "min_time_s", "interrupted", "seconds".
void put_run(Json& json, const RunFacts& facts);
/// The figures of a timing, each key with a prefix; null where nothing was measured.
void put_timing(Json& json, const std::string& prefix, const Timing& timing);

}  // namespace tandem::profile
