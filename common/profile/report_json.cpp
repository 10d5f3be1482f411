#include "common/profile/read_json.h"
#include "common/profile/report.h"
#include "common/profile/result_fields.h"

namespace tandem::profile {

std::string to_json(const Comparison& comparison) {
  Json json;
  json["schema"] = kComparisonSchema;
  JsonWriter io(json);
  describe_comparison(io, comparison);
  return text_of(json);
}

std::string text_of(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace tandem::profile
