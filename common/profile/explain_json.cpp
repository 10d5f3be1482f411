// Explanations as JSON, and the machine in one read again.
#include <tandem/error.h>
#include <tandem/explain.h>
#include <tandem/version.h>

#include "common/profile/ceilings_fields.h"
#include "common/profile/read_json.h"
#include "common/profile/result_fields.h"

namespace tandem {
namespace {

using profile::JsonWriter;

constexpr const char* kSchema = "tandem-explain/1";

template <class Io, class C>
void describe_cpu(Io& io, C& cpu) {
  io("name", cpu.name);
  io("isa", cpu.isa);
  io("avx512_vnni", cpu.avx512_vnni);
  io("avx_vnni", cpu.avx_vnni);
  io("avx512_bf16", cpu.avx512_bf16);
  io("amx_int8", cpu.amx_int8);
  io("amx_bf16", cpu.amx_bf16);
  io("threads", cpu.threads);
  io("l1d_bytes", cpu.l1d_bytes);
  io("l2_bytes", cpu.l2_bytes);
  io("l3_bytes", cpu.l3_bytes);
}

/// All that predictions and refusals are made of.
template <class Io, class M>
void describe_whole_machine(Io& io, M& machine) {
  io.object("cpu", [&](auto& inner) { describe_cpu(inner, machine.cpu); });
  io.list("gpus", machine.gpus, [](auto& inner, auto& gpu) {
    profile::describe_gpu(inner, gpu);
    inner("l2_bytes", gpu.l2_bytes);
    inner("shared_bytes_per_block", gpu.shared_bytes_per_block);
  });
  io("no_gpu_reason", machine.no_gpu_reason);
  io.object("ceilings", [&](auto& inner) { profile::describe_speeds(inner, machine.ceilings); });
}

void write_candidate(JsonWriter& io, const Candidate& c) {
  io("kernel", c.kernel);
  io("accepted", c.accepted);
  io("verdict", c.verdict);
  const auto seconds = [&](const char* key, double value) { io(key, profile::Known{value, c.accepted}); };
  seconds("predicted_s", c.seconds);
  seconds("kernel_s", c.kernel_seconds);
  seconds("copy_in_s", c.copy_in_seconds);
  seconds("copy_out_s", c.copy_out_seconds);
  seconds("launch_s", c.launch_seconds);
  seconds("wait_s", c.wait_seconds);
  seconds("allocate_s", c.allocate_seconds);
  io("rung", std::string(c.accepted ? name(c.rung) : ""));
  seconds("error", c.error);
}

void write_decision(JsonWriter& io, const Decision& d) {
  io("op", d.op);
  io("problem", d.problem);
  io("kernel", d.kernel);
  io("backend", std::string(name(d.backend)));
  io("predicted_s", d.predicted_seconds);
  io("rung", std::string(name(d.rung)));
  io("error", d.error);
  io("threads", d.threads);
  io("why", d.why);
  io("model", d.model);
  io("expected_reuse", d.expected_reuse);
  io.list("operands", d.operands, [](JsonWriter& inner, const Place& operand) {
    inner("name", operand.name);
    inner("device", to_string(operand.device));
    inner("bytes", operand.bytes);
    inner("result", operand.result);
  });
  io.list("candidates", d.candidates, [](JsonWriter& inner, const Candidate& c) { write_candidate(inner, c); });
}

void write_break_even(JsonWriter& io, const BreakEven& b) {
  io("op", b.op);
  io("problem", b.problem);
  io("source", std::string(b.measured ? "measured" : "predicted"));
  io("interrupted", b.interrupted);
  io("reason", b.reason);
  io("smallest", b.smallest);
  io("largest", b.largest);
  io.list("crossings", b.crossings, [](JsonWriter& inner, const Crossing& c) {
    inner("placement", c.placement);
    inner("calls", c.calls);
    inner("from", c.from);
    inner("possibly", c.possibly);
    inner("surely", c.surely);
    inner("scale", c.scale.from);
    inner("scale_possibly", c.scale.possibly);
    inner("scale_surely", c.scale.surely);
    inner("reason", c.reason);
  });
  io("reuse", b.reuse.from);
  io("reuse_possibly", b.reuse.possibly);
  io("reuse_surely", b.reuse.surely);
  io("reuse_reason", b.reuse_reason);
  io.list("sizes", b.sizes, [](JsonWriter& inner, const SidesAt& s) {
    inner("problem", s.problem);
    inner("cpu", s.cpu);
    inner("cuda", s.cuda);
    inner("cpu_s", s.cpu_seconds);
    inner("cuda_s", s.cuda_seconds);
    inner("cuda_moved_s", s.cuda_moved_seconds);
    inner("cpu_error", s.cpu_error);
    inner("cuda_error", s.cuda_error);
  });
}

void write_analysis(JsonWriter& io, const Analysis& a) {
  profile::describe_run(io, a);
  io("fastest", a.fastest);
  io("regret", a.regret);
  io.list("trials", a.trials, [](JsonWriter& inner, const Trial& trial) {
    inner("measured_s", trial.seconds);
    inner("measured_kernel_s", trial.kernel_seconds);
    inner("measured_moving_s", trial.moving_seconds);
    inner("off_by", trial.off_by);
    inner.object("predicted", [&](JsonWriter& io2) { write_candidate(io2, trial.predicted); });
    inner.object("row", [&](JsonWriter& io2) { profile::describe_row(io2, trial.row); });
  });
}

/// What kernels divide by.
void check_machine(const profile::JsonReader& io, const Machine& machine) {
  const auto at_least_one = [&](const char* key, std::int64_t value) {
    if (value < 1) io.refuse(key, "is " + std::to_string(value) + ", expected 1 or more");
  };
  const CpuInfo& cpu = machine.cpu;
  at_least_one("machine.cpu.threads", cpu.threads);
  if (cpu.threads > 1024)
    io.refuse("machine.cpu.threads", "is " + std::to_string(cpu.threads) + ", expected up to 1024");
  at_least_one("machine.cpu.l1d_bytes", cpu.l1d_bytes);
  at_least_one("machine.cpu.l2_bytes", cpu.l2_bytes);
  at_least_one("machine.cpu.l3_bytes", cpu.l3_bytes);
  for (const GpuInfo& gpu : machine.gpus) {
    at_least_one("machine.gpus.multiprocessors", gpu.multiprocessors);
    at_least_one("machine.gpus.memory_bytes", gpu.memory_bytes);
  }
}

}  // namespace

std::string to_json(const Explanation& e) {
  profile::Json json;
  json["schema"] = kSchema;
  JsonWriter io(json);
  io("library", std::string(version()));
  io("question", e.question);
  io.object("machine", [&](JsonWriter& inner) { describe_whole_machine(inner, e.machine); });
  io.object("decision", [&](JsonWriter& inner) { write_decision(inner, e.decision); });
  if (e.break_even) io.object("break_even", [&](JsonWriter& inner) { write_break_even(inner, *e.break_even); });
  if (e.analysis) io.object("analysis", [&](JsonWriter& inner) { write_analysis(inner, *e.analysis); });
  return profile::text_of(json);
}

Machine machine_from_json(std::string_view text, const std::string& source) {
  const profile::Json json = profile::parse_results(text, source);
  if (const std::string schema = profile::schema_of(json, source); schema != kSchema)
    throw Error(Code::io_error, source + ": schema '" + schema + "' holds no whole machine, '" + kSchema + "' does");
  Machine machine;
  profile::JsonReader io(json, source, "");
  io.object("machine", [&](profile::JsonReader& inner) { describe_whole_machine(inner, machine); });
  check_machine(io, machine);
  return machine;
}

}  // namespace tandem
