// A profile as JSON, schema "tandem-profile/1".
#include <tandem/operation_profile.h>

#include "common/profile/read_json.h"
#include "common/profile/result_fields.h"

namespace tandem::profile {
namespace {

Json figure_of(const Figure& figure) {
  return {{"value", figure.value}, {"unit", figure.unit}, {"source", name(figure.source)}, {"how", figure.how}};
}

Json figures_of(const std::vector<NamedFigure>& figures) {
  Json all = Json::object();
  for (const NamedFigure& f : figures) all[f.name] = figure_of(f.figure);
  return all;
}

Json timing_of(const Timing& timing, const std::string& reason) {
  Json json = Json::object();
  JsonWriter io(json);
  describe_timing(io, "", timing);
  json["reason"] = timing.measured() ? "" : reason;
  return json;
}

}  // namespace

std::string to_json(const Profile& p) {
  Json json;
  json["schema"] = "tandem-profile/1";
  JsonWriter io(json);
  describe_run(io, p);
  for (const auto& [key, text] :
       std::initializer_list<std::pair<const char*, const std::string&>>{{"op", p.row.op},
                                                                         {"problem", p.row.problem},
                                                                         {"kernel", p.row.kernel},
                                                                         {"backend", p.row.backend},
                                                                         {"why", p.why},
                                                                         {"operands", p.row.operands}})
    json[key] = text;
  json["operands_in"] = p.resident ? "device memory" : "host memory";
  json["status"] = name(p.row.status);
  json["reason"] = p.row.reason;
  json["bound_ratio"] = p.row.bound_ratio;
  json["max_abs_error"] = p.row.max_abs_error;
  json["compared"] = p.row.compared;
  json["compared_how"] = p.row.method;
  json["wall"] = figure_of(p.wall);
  json["accounted"] = figure_of(p.accounted);
  json["stages"] = Json::array();
  for (const StageTime& stage : p.stages)
    json["stages"].push_back({{"name", stage.name},
                              {"time", figure_of(stage.seconds)},
                              {"on_device", figure_of(stage.on_device)},
                              {"sample_s", stage.samples}});
  json["kernel_hot"] = timing_of(p.row.time, p.row.reason);
  json["kernel_cold"] = timing_of(p.cold, p.cold_reason);
  json["call"] = timing_of(p.call, p.row.reason);
  json["traced_call"] = timing_of(p.traced, p.row.reason);
  json["work"] = figures_of(p.work);
  json["bound_by"] = p.bound_by;
  json["clocks"] = figures_of(p.clocks);
  json["counters"] = figures_of(p.counters);
  json["overhead"] = figures_of(p.overhead);
  return text_of(json);
}

}  // namespace tandem::profile
