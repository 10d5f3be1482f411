// Schema "tandem-roofline/1": docs/profiling.md describes it.
#include <tandem/version.h>

#include "common/profile/read_json.h"
#include "common/profile/result_fields.h"
#include "common/profile/roofline.h"

namespace tandem::profile {
namespace {

Json lines_of(const std::vector<CeilingLine>& lines) {
  Json json = Json::array();
  for (const CeilingLine& line : lines) json.push_back({{"name", line.name}, {"rate", line.rate}});
  return json;
}

Json points_of(const std::vector<RooflinePoint>& points) {
  Json json = Json::array();
  for (const RooflinePoint& point : points)
    json.push_back({{"kernel", point.kernel},
                    {"problem", point.problem},
                    {"end_to_end", point.whole_call},
                    {"flops_per_byte", point.intensity},
                    {"flops_s", point.flops},
                    {"ceiling_by", point.limit},
                    {"ceiling_fraction", point.fraction}});
  return json;
}

Json copies_of(const Ceilings& ceilings) {
  Json json = Json::object();
  for (const NamedCurve& named : curves_of(ceilings)) {
    Json points = Json::array();
    for (std::size_t i = 0; i < CopyCurve::kPoints; ++i)
      if (named.curve->seconds[i] > 0)
        points.push_back({{"bytes", CopyCurve::bytes_at(i)}, {"seconds", named.curve->seconds[i]}});
    json[named.key] = std::move(points);
  }
  return json;
}

}  // namespace

std::string rooflines_json(const Comparison& comparison, std::span<const Roofline> all) {
  Json json;
  json["schema"] = "tandem-roofline/1";
  JsonWriter io(json);
  describe_run(io, comparison);
  json["rooflines"] = Json::array();
  for (const Roofline& roofline : all)
    json["rooflines"].push_back({{"title", roofline.title},
                                 {"flops_ceilings", lines_of(roofline.flops)},
                                 {"bytes_ceilings", lines_of(roofline.bytes)},
                                 {"points", points_of(roofline.points)}});
  json["copies"] = copies_of(comparison.machine.ceilings);
  json["rows"] = Json::array();
  for (const Row& row : comparison.rows) {
    Json& inner = json["rows"].emplace_back(Json::object());
    JsonWriter row_io(inner);
    describe_row(row_io, row);
  }
  return text_of(json);
}

}  // namespace tandem::profile
