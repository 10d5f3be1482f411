#include "common/profile/report_json_parts.h"

namespace tandem::profile {
namespace {

Json machine_of(const RunFacts& c) {
  Json gpus = Json::array();
  for (const GpuInfo& gpu : c.machine.gpus)
    gpus.push_back({{"name", gpu.name},
                    {"index", gpu.index},
                    {"compute_capability", gpu.compute_capability},
                    {"multiprocessors", gpu.multiprocessors},
                    {"memory_bytes", gpu.memory_bytes}});
  Json levels = Json::array();
  for (const MemoryLevel& level : c.roof.levels)
    levels.push_back({{"name", level.name}, {"copy_bytes_s", level.copy_bytes}, {"read_bytes_s", level.read_bytes}});
  const Ceilings& measured = c.machine.ceilings;
  return {
      {"cpu", c.machine.cpu.name},
      {"isa", name(c.machine.cpu.isa)},
      {"threads", c.roof.threads},
      {"online_cpus", c.noise.online_cpus},
      {"usable_cpus", c.noise.usable_cpus},
      {"l1d_bytes", c.machine.cpu.l1d_bytes},
      {"l2_bytes", c.machine.cpu.l2_bytes},
      {"l3_bytes", c.machine.cpu.l3_bytes},
      {"gpus", gpus},
      {"no_gpu_reason", c.machine.no_gpu_reason},
      {"ceilings",
       {{"source", "measured at the start of this run, all threads at once"},
        {"fma_flops_s", c.roof.flops_all},
        {"fma_flops_s_one_thread", c.roof.flops_one},
        {"s8_dot_ops_s", c.roof.s8_all},
        {"bf16_dot_flops_s", c.roof.bf16_all},
        {"memory", levels},
        {"gpu_fma_flops_s", measured.gpu_flops > 0 ? Json(measured.gpu_flops) : Json()},
        {"gpu_bytes_s", measured.gpu_bytes > 0 ? Json(measured.gpu_bytes) : Json()}}},
      {"noise",
       {{"load_average", c.noise.load_average},
        {"governor", c.noise.governor},
        {"turbo", c.noise.turbo},
        {"smt", c.noise.smt},
        {"cpu_quota", c.noise.cpu_quota},
        {"virtualised", c.noise.virtualised},
        {"stolen_cpu_seconds", c.during.stolen_seconds},
        {"involuntary_context_switches", c.during.involuntary_switches}}},
      {"timer", {{"tick_s", c.timer.tick_seconds}, {"reading_s", c.timer.read_seconds}}},
  };
}

}  // namespace

void put_run(Json& json, const RunFacts& c) {
  json["library"] = c.library;
  json["date"] = c.date;
  json["machine"] = machine_of(c);
  json["seed"] = c.seed;
  json["min_time_s"] = c.min_seconds;
  json["interrupted"] = c.interrupted;
  json["seconds"] = c.seconds;
}

void put_timing(Json& json, const std::string& prefix, const Timing& timing) {
  const auto number = [&](double value) { return timing.measured() ? Json(value) : Json(); };
  const Summary& s = timing.summary;
  json[prefix + "median_s"] = number(s.median);
  json[prefix + "p25_s"] = number(s.p25);
  json[prefix + "p75_s"] = number(s.p75);
  json[prefix + "min_s"] = number(s.min);
  json[prefix + "p95_s"] = number(s.p95);
  json[prefix + "p99_s"] = number(s.p99);
  json[prefix + "median_95_low_s"] = number(s.median_95.low);
  json[prefix + "median_95_high_s"] = number(s.median_95.high);
  json[prefix + "cv"] = number(s.cv);
  json[prefix + "samples"] = timing.samples.size();
  json[prefix + "calls_per_sample"] = timing.calls_per_sample;
  json[prefix + "stop"] = name(timing.stop);
  json[prefix + "sample_s"] = timing.samples;
}

}  // namespace tandem::profile
