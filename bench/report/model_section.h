// The sections of a report on a model, as HTML.
#pragma once

#include <string>

#include "bench/model/result.h"

namespace tandem::report {

/// What the variants of a model gain and lose: pictures and a table.
std::string model_sections(const models::Result& result);

}  // namespace tandem::report
