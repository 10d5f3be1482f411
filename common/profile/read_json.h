// Results read again: JSON that is not trusted, checked field by field.
#pragma once

#include <string>
#include <string_view>

#include <tandem/report.h>

#include "common/profile/json_io.h"

namespace tandem::profile {

inline constexpr const char* kComparisonSchema = "tandem-compare/1";

/// The tree of a result file of any schema, of at most 64 MiB, 4 million values and 16 levels, no key twice in an
/// object. `source` names it in messages. Throws Error(io_error), one sentence.
Json parse_results(std::string_view text, const std::string& source);

/// "tandem-compare/1"; throws Error(io_error) where the tree has no schema.
std::string schema_of(const Json& results, const std::string& source);

/// The comparison in a tree of that schema; throws Error(io_error) as from_json does.
Comparison comparison_of(const Json& results, const std::string& source);

/// A whole file that may hold results; throws Error(io_error) where it cannot be read or is too large.
std::string load_results(const std::string& path);

/// JSON as all programs write it: indented by one, bytes that are no UTF-8 replaced, a newline at the end.
std::string text_of(const Json& json);

}  // namespace tandem::profile
