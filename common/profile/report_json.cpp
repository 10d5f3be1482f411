#include "common/profile/report.h"
#include "common/profile/report_json_parts.h"

namespace tandem::profile {
namespace {

Json row_of(const Row& row) {
  Json json = {
      {"op", row.op},           {"problem", row.problem}, {"kernel", row.kernel},     {"ran", row.ran},
      {"backend", row.backend}, {"label", row.label},     {"operands", row.operands}, {"status", name(row.status)},
      {"reason", row.reason},   {"threads", row.threads}};
  put_timing(json, "", row.time);
  if (row.end_to_end.measured()) put_timing(json, "end_to_end_", row.end_to_end);
  json["flops"] = row.work.flops;
  json["bytes"] = row.work.bytes;
  json["dense_flops"] = row.work.dense_flops > 0 ? Json(row.work.dense_flops) : Json();
  json["rate"] = row.rate;
  json["rate_unit"] = row.rate_unit;
  json["ceiling_by"] = row.ceiling.by;
  json["ceiling"] = row.ceiling.value > 0 ? Json(row.ceiling.value / 1e9) : Json();
  json["ceiling_unit"] = row.ceiling.flops ? "GFLOP/s" : "GB/s";
  json["ceiling_fraction"] = row.ceiling_fraction;
  json["bound_ratio"] = row.bound_ratio;
  json["max_abs_error"] = row.max_abs_error;
  json["compared"] = row.compared;
  json["saturated"] = row.can_saturate ? Json(row.saturated) : Json();
  json["compared_how"] = row.method;
  json["reference"] = row.reference;
  json["speedup_vs_reference"] = row.speedup_vs_reference;
  json["end_to_end_speedup_vs_reference"] = row.end_to_end_speedup_vs_reference;
  json["dense"] = row.dense;
  json["theoretical_speedup_vs_dense"] = row.theoretical_speedup;
  json["speedup_vs_dense"] = row.speedup_vs_dense;
  json["chosen_by_dispatch"] = row.chosen;
  json["predicted_s"] = row.predicted_seconds;
  json["predicted_end_to_end_s"] = row.predicted_end_to_end_seconds;
  json["regret"] = row.regret;
  json["reproduce"] = row.reproduce;
  return json;
}

}  // namespace

std::string to_json(const Comparison& c) {
  Json json;
  json["schema"] = "tandem-compare/1";
  put_run(json, c);
  json["rows"] = Json::array();
  for (const Row& row : c.rows) json["rows"].push_back(row_of(row));
  json["statements"] = Json::array();
  for (const Statement& s : c.statements) {
    Json figures = Json::object();
    for (const auto& [key, value] : s.figures) figures[key] = value;
    json["statements"].push_back({{"name", s.name}, {"text", s.text}, {"figures", figures}});
  }
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace tandem::profile
