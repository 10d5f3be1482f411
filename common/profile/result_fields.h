// The fields of results, once for writing and reading: one line a field, "key in JSON" <-> member. `R` is the struct,
// const when it is written.
//
// A NEW FIELD of Row, Timing or RunFacts is one line here (`io.later`: files that do not have it stay readable) and one
// in docs/profiling.md; tests/unit/read_json_test.cpp then holds writer and reader against each other.
// `EnumNames` gets a line for a new enumeration, which needs a function name().
#pragma once

#include <string>

#include <tandem/profile.h>

#include "common/profile/json_io.h"
#include "common/profile/roof.h"

namespace tandem::profile {

template <>
struct EnumNames<Status> {
  static constexpr int count = 3;
};
template <>
struct EnumNames<Stop> {
  static constexpr int count = 6;
};
template <>
struct EnumNames<Verdict> {
  static constexpr int count = 5;
};
template <>
struct EnumNames<IsaLevel> {
  static constexpr int count = 4;
};
template <>
struct EnumNames<DType> {
  static constexpr int count = 6;
};

/// The figures of a timing, each key with a prefix; null where nothing was measured.
template <class Io, class T>
void describe_timing(Io& io, const std::string& prefix, T& timing) {
  const auto figure = [&](const char* key, auto& value) { io(prefix + key, Seconds{value, timing.measured()}); };
  auto& s = timing.summary;
  figure("median_s", s.median);
  figure("p25_s", s.p25);
  figure("p75_s", s.p75);
  figure("min_s", s.min);
  figure("p95_s", s.p95);
  figure("p99_s", s.p99);
  figure("median_95_low_s", s.median_95.low);
  figure("median_95_high_s", s.median_95.high);
  io(prefix + "cv", Known{s.cv, timing.measured(), kAbsent});
  io.later(prefix + "mad_s", Seconds{s.mad, timing.measured()});
  io(prefix + "calls_per_sample", timing.calls_per_sample);
  io(prefix + "stop", timing.stop);
  io(prefix + "sample_s", timing.samples);
  io(prefix + "samples", SizeOf{timing.samples});  // after the list that it counts
  io.later(prefix + "sample_place", timing.places);
}

/// A timing that only some rows have.
template <class Io, class T>
void describe_timing_if_measured(Io& io, const std::string& prefix, T& timing) {
  if (io.when(prefix + "median_s", timing.measured())) describe_timing(io, prefix, timing);
}

/// One kernel against another; `which` is "reference" or "best".
template <class Io, class E>
void describe_effect(Io& io, const std::string& which, E& effect) {
  io.later("verdict_vs_" + which, effect.verdict);
  io.later("ratio_vs_" + which, effect.ratio);
  io.later("ratio_vs_" + which + "_low", effect.ratio_95.low);
  io.later("ratio_vs_" + which + "_high", effect.ratio_95.high);
  io.later("p_vs_" + which, effect.p_value);
  io.later("smallest_effect_vs_" + which, effect.smallest_effect);
  io.later("samples_vs_" + which, effect.samples);
}

template <class Io, class R>
void describe_row(Io& io, R& row) {
  io("op", row.op);
  io("problem", row.problem);
  io("kernel", row.kernel);
  io("ran", row.ran);
  io("backend", row.backend);
  io("label", row.label);
  io("operands", row.operands);
  io("status", row.status);
  io("reason", row.reason);
  io("threads", row.threads);
  describe_timing(io, "", row.time);
  describe_timing_if_measured(io, "end_to_end_", row.end_to_end);
  describe_timing_if_measured(io, "cold_", row.cold);
  io("flops", row.work.flops);
  io("bytes", row.work.bytes);
  io("written_bytes", row.work.written_bytes);
  io("arithmetic", row.work.arithmetic);
  io("dense_flops", Known{row.work.dense_flops, row.work.dense_flops > 0});
  io("rate", row.rate);
  io("rate_unit", row.rate_unit);
  io("ceiling_by", row.ceiling.by);
  io("ceiling", Giga{row.ceiling.value});
  io("ceiling_unit", Either{row.ceiling.flops, arithmetic_unit(row.work), "GB/s", "GFLOP/s"});
  io("ceiling_fraction", row.ceiling_fraction);
  io("bound_ratio", row.bound_ratio);
  io("max_abs_error", row.max_abs_error);
  io("compared", row.compared);
  io("saturated", Counted{row.can_saturate, row.saturated});
  io("compared_how", row.method);
  io("reference", row.reference);
  io("speedup_vs_reference", row.speedup_vs_reference);
  io("end_to_end_speedup_vs_reference", row.end_to_end_speedup_vs_reference);
  describe_effect(io, "reference", row.vs_reference);
  describe_effect(io, "best", row.vs_best);
  io.later("drift", row.drift);
  io("dense", row.dense);
  io("theoretical_speedup_vs_dense", row.theoretical_speedup);
  io("speedup_vs_dense", row.speedup_vs_dense);
  io("chosen_by_dispatch", row.chosen);
  io("predicted_s", row.predicted_seconds);
  io("predicted_end_to_end_s", row.predicted_end_to_end_seconds);
  io("regret", row.regret);
  io("reproduce", row.reproduce);
}

template <class Io, class G>
void describe_gpu(Io& io, G& gpu) {
  io("name", gpu.name);
  io("index", gpu.index);
  io("compute_capability", gpu.compute_capability);
  io("multiprocessors", gpu.multiprocessors);
  io("memory_bytes", gpu.memory_bytes);
  io.later("bus_id", gpu.bus_id);
  io.later("driver_version", Known{gpu.driver_version, gpu.driver_version > 0});
  io.later("runtime_version", Known{gpu.runtime_version, gpu.runtime_version > 0});
  io.later("power_limit_watts", Known{gpu.power_limit_watts, gpu.power_limit_watts > 0});
  io.later("pcie_generation", Known{gpu.pcie_generation, gpu.pcie_generation > 0});
  io.later("pcie_width", Known{gpu.pcie_width, gpu.pcie_width > 0});
}

template <class Io, class S>
void describe_gpu_state(Io& io, S& state) {
  io("sm_mhz", state.sm_mhz);
  io("sm_max_mhz", state.sm_max_mhz);
  io("memory_mhz", state.memory_mhz);
  io("memory_max_mhz", state.memory_max_mhz);
  io("temperature_celsius", state.temperature_celsius);
  io("power_watts", state.power_watts);
  io("other_processes", state.other_processes);
  io("slowed", state.slowed);
  io("persistence", state.persistence);
  io("reason", state.reason);
}

template <class Io, class R>
void describe_ceilings(Io& io, R& run) {
  io.remark("source", "measured at the start of this run, all threads at once");
  io("fma_flops_s", run.roof.flops_all);
  io("fma_flops_s_one_thread", run.roof.flops_one);
  io("s8_dot_ops_s", run.roof.s8_all);
  io("bf16_dot_flops_s", run.roof.bf16_all);
  io.list("memory", run.roof.levels, [](auto& level_io, auto& level) {
    level_io("name", OneOf{level.name, {"L1", "L2", "L3", "DRAM"}});
    level_io("capacity_bytes", level.capacity);
    level_io("copy_bytes_s", level.copy_bytes);
    level_io("read_bytes_s", level.read_bytes);
    level_io.later("write_bytes_s", level.write_bytes);
  });
  auto& measured = run.machine.ceilings;
  io("gpu_fma_flops_s", Known{measured.gpu_flops, measured.gpu_flops > 0});
  io("gpu_bytes_s", Known{measured.gpu_bytes, measured.gpu_bytes > 0});
  const auto later = [&](const char* key, auto& value) { io.later(key, Known{value, value > 0}); };
  later("gpu_s8_ops_s", measured.gpu_s8_ops);
  later("gpu_bf16_flops_s", measured.gpu_bf16_flops);
  later("h2d_bytes_s", measured.h2d_bytes);
  later("d2h_bytes_s", measured.d2h_bytes);
  later("launch_s", measured.launch_seconds);
  later("wait_s", measured.wait_seconds);
  later("allocate_s", measured.allocate_seconds);
}

template <class Io, class R>
void describe_noise(Io& io, R& run) {
  io("load_average", run.noise.load_average);
  io("governor", run.noise.governor);
  io("turbo", run.noise.turbo);
  io("smt", run.noise.smt);
  io("cpu_quota", run.noise.cpu_quota);
  io("virtualised", run.noise.virtualised);
  io.later("huge_pages", run.noise.huge_pages);
  io("stolen_cpu_seconds", run.during.stolen_seconds);
  io("involuntary_context_switches", run.during.involuntary_switches);
  const auto states = [&](const char* key, auto& of_gpus) {
    if (io.when(key, true)) io.list(key, of_gpus, [](auto& gpu_io, auto& state) { describe_gpu_state(gpu_io, state); });
  };
  states("gpus_before", run.gpus_before);
  states("gpus_after", run.gpus_after);
}

template <class Io, class R>
void describe_machine(Io& io, R& run) {
  auto& cpu = run.machine.cpu;
  io("cpu", cpu.name);
  io("isa", cpu.isa);
  io("threads", run.roof.threads);
  io("online_cpus", run.noise.online_cpus);
  io("usable_cpus", run.noise.usable_cpus);
  io("l1d_bytes", cpu.l1d_bytes);
  io("l2_bytes", cpu.l2_bytes);
  io("l3_bytes", cpu.l3_bytes);
  io.list("gpus", run.machine.gpus, [](auto& gpu_io, auto& gpu) { describe_gpu(gpu_io, gpu); });
  io("no_gpu_reason", run.machine.no_gpu_reason);
  io.object("ceilings", [&](auto& inner) { describe_ceilings(inner, run); });
  io.object("noise", [&](auto& inner) { describe_noise(inner, run); });
  io.object("timer", [&](auto& inner) {
    inner("tick_s", run.timer.tick_seconds);
    inner("reading_s", run.timer.read_seconds);
    inner.later("empty_call_s", run.timer.call_seconds);
  });
}

/// What the results of all programs begin with.
template <class Io, class R>
void describe_run(Io& io, R& run) {
  io("library", run.library);
  io("date", run.date);
  io.object("machine", [&](auto& inner) { describe_machine(inner, run); });
  io("seed", run.seed);
  io("min_time_s", run.min_seconds);
  io("interrupted", run.interrupted);
  io("seconds", run.seconds);
}

template <class Io, class C>
void describe_comparison(Io& io, C& comparison) {
  describe_run(io, comparison);
  io.list("rows", comparison.rows, [](auto& row_io, auto& row) { describe_row(row_io, row); });
  io.list("statements", comparison.statements, [](auto& inner, auto& statement) {
    inner("name", statement.name);
    inner("text", statement.text);
    inner.pairs("figures", statement.figures);
  });
}

}  // namespace tandem::profile
