// CSV and Markdown.
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "common/profile/format.h"
#include "common/profile/report.h"

namespace tandem::profile {
namespace {

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\n\r") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + "\"";
}

std::string number(double value) { return std::isfinite(value) ? fmt::format("{:.9g}", value) : ""; }

/// The figures of a timing, empty where nothing was measured.
std::string timing_cells(const Timing& timing) {
  if (!timing.measured()) return ",,,,,0";
  const Summary& s = timing.summary;
  return fmt::format("{},{},{},{},{},{}", number(s.median), number(s.p25), number(s.p75), number(s.min), number(s.p95),
                     timing.samples.size());
}

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : c == '\n' ? " " : std::string(1, c);
  return out;
}

std::string factor(double x) { return std::isnan(x) ? "" : fmt::format("{:.2f}x", x); }

std::string markdown_row(const Row& row) {
  const std::string kernel =
      row.kernel == kAuto ? "auto: " + row.ran : row.kernel + (row.reference ? " (reference)" : "");
  if (row.status != Status::ok || !row.time.measured())
    return fmt::format("| {} | {} | | | | | | {} |\n", cell(kernel),
                       row.status == Status::wrong ? "**WRONG**" : name(row.status), cell(row.reason));
  const TimeUnit unit = unit_for(row.time.summary.median);
  return fmt::format("| {} | {} | {} .. {} | {} | {} {} | {} | {} | {:.2g} |\n", cell(kernel),
                     duration(row.time.summary.median), significant(row.time.summary.p25 / unit.seconds),
                     significant(row.time.summary.p75 / unit.seconds),
                     row.end_to_end.measured() ? duration(row.end_to_end.summary.median) : "", significant(row.rate),
                     row.rate_unit, percent(row.ceiling_fraction), factor(row.speedup_vs_reference), row.bound_ratio);
}

}  // namespace

std::string to_csv(const Comparison& c) {
  std::string text =
      "op,problem,label,kernel,ran,backend,status,reason,threads,median_s,p25_s,p75_s,min_s,p95_s,samples,"
      "end_to_end_median_s,end_to_end_p25_s,end_to_end_p75_s,end_to_end_min_s,end_to_end_p95_s,end_to_end_samples,"
      "rate,rate_unit,ceiling_by,ceiling_fraction,bound_ratio,max_abs_error,speedup_vs_reference,"
      "end_to_end_speedup_vs_reference,chosen_by_dispatch,predicted_s,regret,reproduce\n";
  for (const Row& row : c.rows)
    text += fmt::format("{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}\n", row.op,
                        quoted(row.problem), quoted(row.label), row.kernel, row.ran, row.backend, name(row.status),
                        quoted(row.reason), row.threads, timing_cells(row.time), timing_cells(row.end_to_end),
                        number(row.rate), row.rate_unit, row.ceiling.by, number(row.ceiling_fraction),
                        number(row.bound_ratio), number(row.max_abs_error), number(row.speedup_vs_reference),
                        number(row.end_to_end_speedup_vs_reference), row.chosen, number(row.predicted_seconds),
                        number(row.regret), quoted(row.reproduce));
  return text;
}

std::string to_markdown(const Comparison& c) {
  std::string text =
      fmt::format("# Comparison of kernels\n\n{}, {}, {} threads, library {}, {}, seed {}.\n", c.machine.cpu.name,
                  name(c.machine.cpu.isa), c.roof.threads, c.library, c.date, c.seed);
  if (c.machine.gpus.empty()) text += fmt::format("No GPU: {}.\n", c.machine.no_gpu_reason);
  for (const GpuInfo& gpu : c.machine.gpus) text += fmt::format("GPU {}: {}.\n", gpu.index, gpu.name);
  text +=
      fmt::format("\nCeilings measured in this run, in GB/s: FMA {} GFLOP/s\n", significant(c.roof.flops_all / 1e9));
  text += "\n| | copy | read |\n|---|---|---|\n";
  for (const MemoryLevel& level : c.roof.levels)
    text += fmt::format("| {} | {} | {} |\n", level.name, significant(level.copy_bytes / 1e9),
                        significant(level.read_bytes / 1e9));
  for (const std::span<const Row> rows : by_problem(c.rows)) {
    const Row& first = rows.front();
    text += fmt::format("\n## {} {}\n\n", first.op, first.problem);
    if (!first.label.empty()) text += fmt::format("{}. ", first.label);
    text += fmt::format("Operands: {}.\n\n", first.operands);
    text += "| kernel | median | p25 .. p75 | end to end | rate | of the ceiling | speed-up | error / bound |\n";
    text += "|---|---|---|---|---|---|---|---|\n";
    for (const Row* row : in_order(rows)) text += markdown_row(*row);
  }
  if (!c.statements.empty()) text += "\n## Results\n\n";
  for (const Statement& s : c.statements) text += fmt::format("- {}: {}\n", s.name, s.text);
  return text;
}

}  // namespace tandem::profile
