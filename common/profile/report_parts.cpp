#include "common/profile/report_parts.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/gpu_state.h"

namespace tandem::profile {

namespace {

constexpr std::pair<const char*, double MemoryLevel::*> kMemoryRates[] = {
    {"copy", &MemoryLevel::copy_bytes}, {"read", &MemoryLevel::read_bytes}, {"write", &MemoryLevel::write_bytes}};

}  // namespace

std::string factor(double x) { return std::isnan(x) ? "" : fmt::format("{:.2f}x", x); }

std::string spread_cell(const Timing& timing) {
  const TimeUnit unit = unit_for(timing.summary.median);
  return fmt::format("{} .. {}", significant(timing.summary.p25 / unit.seconds),
                     significant(timing.summary.p75 / unit.seconds));
}

std::string_view above_mark(double ceiling_fraction) {
  constexpr double kScatter = 0.03;
  return ceiling_fraction > 1 + kScatter ? "above the ceiling" : "";
}

std::string above_ceilings(std::span<const Row> rows) {
  const auto above =
      std::count_if(rows.begin(), rows.end(), [](const Row& row) { return !above_mark(row.ceiling_fraction).empty(); });
  if (above == 0) return "";
  return fmt::format("{} above the ceiling: it was measured too low, or part of the data stays in the cache above",
                     above == 1 ? "1 row is" : fmt::format("{} rows are", above));
}

std::string csv_text(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string csv_number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : ""; }

std::string timing_columns(const std::string& prefix) {
  std::string text;
  for (const char* column : {"median_s", "p25_s", "p75_s", "min_s", "p95_s", "p99_s", "median_95_low_s",
                             "median_95_high_s", "cv", "mad_s", "samples", "calls_per_sample", "stop"})
    text += (text.empty() ? "" : ",") + prefix + column;
  return text;
}

std::string timing_cells(const Timing& timing) {
  if (!timing.measured()) return ",,,,,,,,,,0,,";
  const Summary& s = timing.summary;
  std::string text;
  for (const double value :
       {s.median, s.p25, s.p75, s.min, s.p95, s.p99, s.median_95.low, s.median_95.high, s.cv, s.mad})
    text += csv_number(value) + ",";
  return text + fmt::format("{},{},{}", timing.samples.size(), timing.calls_per_sample, name(timing.stop));
}

std::string markdown_cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return out;
}

std::string run_header(const RunFacts& c, const Style& style) {
  const Paint paint{style.colour};
  const CpuInfo& cpu = c.machine.cpu;
  std::string text =
      paint.bold(fmt::format("tandem {}  {}, {}, {} of {} CPUs, L1 {}, L2 {}, L3 {}", c.library, cpu.name,
                             name(cpu.isa), c.roof.threads, c.noise.online_cpus, kibibytes(cpu.l1d_bytes),
                             kibibytes(cpu.l2_bytes), kibibytes(cpu.l3_bytes))) +
      "\n";
  if (c.machine.gpus.empty()) text += fmt::format("no GPU: {}\n", c.machine.no_gpu_reason);
  for (const GpuInfo& gpu : c.machine.gpus)
    text += fmt::format(
        "GPU {}: {}, compute capability {}.{}, FMA {} TFLOP/s, memory {} GB/s, host to device {} GB/s, back {} GB/s\n",
        gpu.index, gpu.name, gpu.compute_capability / 10, gpu.compute_capability % 10,
        significant(c.machine.ceilings.gpu_flops / 1e12), significant(c.machine.ceilings.gpu_bytes / 1e9),
        significant(c.machine.ceilings.h2d_bytes / 1e9), significant(c.machine.ceilings.d2h_bytes / 1e9));
  text += fmt::format(
      "measured ceilings, {} thread{}: FMA {} GFLOP/s (one thread {}), s8 dot {} Gop/s, bf16 dot {} GFLOP/s",
      c.roof.threads, c.roof.threads == 1 ? "" : "s", significant(c.roof.flops_all / 1e9),
      significant(c.roof.flops_one / 1e9), significant(c.roof.s8_all / 1e9), significant(c.roof.bf16_all / 1e9));
  for (const auto& [way, rate] : kMemoryRates) {
    text += fmt::format("; {}", way);
    for (const MemoryLevel& level : c.roof.levels)
      text += fmt::format(" {} {}", level.name, significant(level.*rate / 1e9));
  }
  text += " GB/s\n";
  const auto brief = [](const std::string& fact) { return fact.empty() || fact.starts_with("n/a") ? "n/a" : fact; };
  text += paint.dim(fmt::format(
              "load {:.2f}, virtualised {}, governor {}, turbo {}, quota {}, huge pages {}, clock tick {}, seed {}",
              c.noise.load_average, brief(c.noise.virtualised), brief(c.noise.governor), brief(c.noise.turbo),
              brief(c.noise.cpu_quota), brief(c.noise.huge_pages), duration(c.timer.tick_seconds), c.seed)) +
          "\n";
  for (std::size_t i = 0; i < c.gpus_before.size(); ++i)
    text += paint.dim(fmt::format("GPU {}: {}", c.machine.gpus[i].index, to_text(c.gpus_before[i]))) + "\n";
  if (c.noise.load_average > 0.5 * c.noise.usable_cpus)
    text +=
        paint.red(fmt::format("the machine is busy (load {:.1f}, {} CPUs): figures scatter and ceilings are too low",
                              c.noise.load_average, c.noise.usable_cpus)) +
        "\n";
  return text + "\n";
}

std::string run_time(const RunFacts& c) {
  std::string text = fmt::format("{:.1f} s", c.seconds);
  if (c.during.stolen_seconds > 0.01 * c.seconds)
    text += fmt::format("; the hypervisor took {:.1f} CPU-seconds meanwhile", c.during.stolen_seconds);
  for (std::size_t i = 0; i < c.gpus_after.size(); ++i)
    text += fmt::format("; GPU {} then: {}", c.machine.gpus[i].index, to_text(c.gpus_after[i]));
  return text;
}

std::string markdown_header(const RunFacts& c) {
  std::string text = fmt::format("{}, {}, {} threads, library {}, {}, seed {}.\n", c.machine.cpu.name,
                                 name(c.machine.cpu.isa), c.roof.threads, c.library, c.date, c.seed);
  if (c.machine.gpus.empty()) text += fmt::format("No GPU: {}.\n", c.machine.no_gpu_reason);
  for (const GpuInfo& gpu : c.machine.gpus) text += fmt::format("GPU {}: {}.\n", gpu.index, gpu.name);
  text += fmt::format(
      "\nCeilings measured in this run: FMA {} GFLOP/s, s8 dot {} Gop/s, bf16 dot {} GFLOP/s; in GB/s:\n",
      significant(c.roof.flops_all / 1e9), significant(c.roof.s8_all / 1e9), significant(c.roof.bf16_all / 1e9));
  text += "\n| | copy | read | write |\n|---|---|---|---|\n";
  for (const MemoryLevel& level : c.roof.levels)
    text += fmt::format("| {} | {} | {} | {} |\n", level.name, significant(level.copy_bytes / 1e9),
                        significant(level.read_bytes / 1e9), significant(level.write_bytes / 1e9));
  return text;
}

}  // namespace tandem::profile
