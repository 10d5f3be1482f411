// The machine and what might have disturbed the run.
#include <cmath>

#include <fmt/format.h>

#include "bench/report/html.h"
#include "bench/report/sections.h"
#include "common/profile/format.h"
#include "common/profile/gpu_state.h"

namespace tandem::report {
namespace {

class Facts {
 public:
  explicit Facts(const char* title) : text_(fmt::format("<div class=\"facts\"><h3>{}</h3><dl>\n", title)) {}
  Facts& add(std::string_view name, std::string_view value) {
    text_ += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", esc(name), esc(value));
    return *this;
  }
  std::string done() const { return text_ + "</dl></div>\n"; }

 private:
  std::string text_;
};

std::string giga(double per_second, const char* unit) {
  return per_second > 0 ? fmt::format("{} {}", number_text(per_second / 1e9), unit) : "n/a: not measured";
}

/// In GB/s.
std::string rate(double per_second) { return per_second > 0 ? number_text(per_second / 1e9) : "n/a"; }

std::string processor(const RunFacts& f) {
  const CpuInfo& cpu = f.machine.cpu;
  Facts facts("Machine");
  facts.add("processor", cpu.name)
      .add("instruction set", name(cpu.isa))
      .add("threads", fmt::format("{} of {} CPUs", f.roof.threads, f.noise.online_cpus))
      .add("caches", fmt::format("L1 {}, L2 {}, L3 {}", profile::kibibytes(cpu.l1d_bytes),
                                 profile::kibibytes(cpu.l2_bytes), profile::kibibytes(cpu.l3_bytes)));
  for (const GpuInfo& gpu : f.machine.gpus)
    facts.add(fmt::format("GPU {}", gpu.index),
              fmt::format("{}, compute capability {}.{}, {} multiprocessors, {}", gpu.name, gpu.compute_capability / 10,
                          gpu.compute_capability % 10, gpu.multiprocessors,
                          bytes_text(static_cast<double>(gpu.memory_bytes))));
  if (f.machine.gpus.empty()) facts.add("GPU", "none: " + f.machine.no_gpu_reason);
  return facts.done();
}

std::string ceilings(const RunFacts& f) {
  Facts facts("Ceilings, measured with all threads");
  facts.add("f32 multiply-adds", giga(f.roof.flops_all, "GFLOP/s"))
      .add("of one thread", giga(f.roof.flops_one, "GFLOP/s"))
      .add("products of bytes", giga(f.roof.s8_all, "Gop/s"))
      .add("products of bf16", giga(f.roof.bf16_all, "GFLOP/s"));
  for (const profile::MemoryLevel& level : f.roof.levels)
    facts.add(level.name, fmt::format("copy {}, read {}, write {} GB/s", rate(level.copy_bytes), rate(level.read_bytes),
                                      rate(level.write_bytes)));
  if (f.machine.ceilings.gpu_flops > 0) facts.add("GPU multiply-adds", giga(f.machine.ceilings.gpu_flops, "GFLOP/s"));
  if (f.machine.ceilings.gpu_bytes > 0) facts.add("GPU memory", giga(f.machine.ceilings.gpu_bytes, "GB/s"));
  return facts.done();
}

std::string noise(const RunFacts& f) {
  const auto known = [](double value, const char* unit) {
    return std::isfinite(value) ? number_text(value) + unit : std::string("n/a: cannot be read");
  };
  Facts facts("What might disturb");
  facts.add("load at the start", known(f.noise.load_average, ""))
      .add("governor", f.noise.governor)
      .add("turbo", f.noise.turbo)
      .add("SMT", f.noise.smt)
      .add("quota of the control group", f.noise.cpu_quota)
      .add("virtualised", f.noise.virtualised)
      .add("huge pages", f.noise.huge_pages.empty() ? "n/a: an older result" : f.noise.huge_pages)
      .add("taken by the hypervisor", known(f.during.stolen_seconds, " CPU-seconds"))
      .add("involuntary switches", known(f.during.involuntary_switches, ""));
  const auto gpus = [&](const char* when, const std::vector<profile::GpuState>& states) {
    for (std::size_t i = 0; i < states.size(); ++i)
      facts.add(fmt::format("GPU {} {}", f.machine.gpus[i].index, when), profile::to_text(states[i]));
  };
  gpus("before", f.gpus_before);
  gpus("after", f.gpus_after);
  return facts.done();
}

std::string run(const RunFacts& f) {
  return Facts("Run")
      .add("date", f.date)
      .add("library", f.library)
      .add("took", seconds_text(f.seconds))
      .add("time a row", seconds_text(f.min_seconds))
      .add("seed", std::to_string(f.seed))
      .add("tick of the clock", seconds_text(f.timer.tick_seconds))
      .add("reading the clock", seconds_text(f.timer.read_seconds))
      .done();
}

}  // namespace

std::string machine_section(const RunFacts& f) {
  return section("machine", "Machine and noise", "",
                 "<div class=\"factgrid\">" + processor(f) + ceilings(f) + noise(f) + run(f) + "</div>\n");
}

}  // namespace tandem::report
