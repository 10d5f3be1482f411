// The JSON that Google Benchmark writes, so that its tools read it: https://github.com/google/benchmark, docs/tools.md.
#include <array>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "common/profile/read_json.h"
#include "common/profile/report.h"

namespace tandem::profile {
namespace {

constexpr double kNanosecond = 1e-9;

/// What its tools pair benchmarks of two files by: unique in a file.
class Names {
 public:
  std::string of(const Row& row, const char* part) {
    const std::string name = fmt::format("{}/{}/{}{}", row.op, row.problem, row.kernel, part);
    const int times = ++seen_[name];
    return times == 1 ? name : fmt::format("{}#{}", name, times);
  }

 private:
  std::map<std::string, int> seen_;
};

Json context_of(const Comparison& c) {
  Json caches = Json::array();
  const CpuInfo& cpu = c.machine.cpu;
  const std::pair<int, std::int64_t> kLevels[] = {{1, cpu.l1d_bytes}, {2, cpu.l2_bytes}, {3, cpu.l3_bytes}};
  for (const auto& [level, bytes] : kLevels)
    caches.push_back(
        {{"type", level == 1 ? "Data" : "Unified"}, {"level", level}, {"size", bytes}, {"num_sharing", 0}});
  Json load = Json::array();
  if (c.noise.load_average >= 0) load.push_back(c.noise.load_average);
  return {{"date", c.date},
          {"executable", "tandem-compare"},
          {"num_cpus", c.noise.online_cpus},
          {"cpu_scaling_enabled", c.noise.governor != "performance" && !c.noise.governor.starts_with("n/a")},
          {"caches", caches},
          {"load_avg", load},
          {"library_build_type", "release"},
          {"tandem_version", c.library},
          {"cpu", cpu.name},
          {"threads", c.roof.threads},
          {"seed", c.seed},
          {"cpu_time", "not measured: it repeats real_time"}};
}

class Family {
 public:
  Family(Json& out, std::string name, std::size_t index, const Row& row)
      : out_(out), name_(std::move(name)), index_(index), row_(row) {}

  void add(const Timing& timing) const {
    for (std::size_t i = 0; i < timing.samples.size(); ++i) {
      Json json = entry("", timing, "iteration", timing.samples[i] / kNanosecond);
      json["repetition_index"] = i;
      json["iterations"] = timing.calls_per_sample;
      out_.push_back(std::move(json));
    }
    const Summary& s = timing.summary;
    const std::array<std::pair<const char*, double>, 3> kTimes = {
        {{"mean", s.mean}, {"median", s.median}, {"stddev", s.cv * s.mean}}};
    for (const auto& [aggregate, seconds] : kTimes) add_aggregate(aggregate, "time", timing, seconds / kNanosecond);
    add_aggregate("cv", "percentage", timing, s.cv);
  }

  void add_error() const {
    Json json = entry("", {}, "iteration", 0);
    json["repetitions"] = 1;
    json["repetition_index"] = 0;
    json["iterations"] = 0;
    json["error_occurred"] = true;
    json["error_message"] = row_.reason;
    out_.push_back(std::move(json));
  }

 private:
  Json entry(const std::string& suffix, const Timing& timing, const char* run_type, double time) const {
    return {{"name", name_ + suffix},  {"family_index", index_}, {"per_family_instance_index", 0},
            {"run_name", name_},       {"run_type", run_type},   {"repetitions", timing.samples.size()},
            {"threads", row_.threads}, {"real_time", time},      {"cpu_time", time},
            {"time_unit", "ns"},       {"label", row_.label}};
  }

  void add_aggregate(const std::string& aggregate, const char* unit, const Timing& timing, double value) const {
    Json json = entry("_" + aggregate, timing, "aggregate", value);
    json["aggregate_name"] = aggregate;
    json["aggregate_unit"] = unit;
    json["iterations"] = timing.samples.size();
    out_.push_back(std::move(json));
  }

  Json& out_;
  std::string name_;
  std::size_t index_;
  const Row& row_;
};

}  // namespace

std::string to_google_benchmark_json(const Comparison& comparison) {
  Json benchmarks = Json::array();
  Names names;
  std::size_t index = 0;
  for (const Row& row : comparison.rows) {
    if (row.time.measured()) Family(benchmarks, names.of(row, ""), index++, row).add(row.time);
    if (row.end_to_end.measured()) Family(benchmarks, names.of(row, "/end_to_end"), index++, row).add(row.end_to_end);
    if (row.status == Status::wrong) Family(benchmarks, names.of(row, ""), index++, row).add_error();
  }
  return text_of({{"context", context_of(comparison)}, {"benchmarks", std::move(benchmarks)}});
}

}  // namespace tandem::profile
