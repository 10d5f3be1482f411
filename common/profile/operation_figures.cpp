#include "common/profile/operation_figures.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "common/profile/roof.h"
#include "common/profile/timer.h"

namespace tandem::profile {
namespace {

Figure absent(std::string unit, std::string why) {
  if (why.starts_with("n/a: ")) why.erase(0, 5);  // the source says it
  return {kAbsent, std::move(unit), Source::absent, std::move(why)};
}

/// A figure that needs others: absent, with the reason, where one of them is.
Figure derived(double value, std::string unit, std::string formula, const std::string& why_not) {
  if (!std::isfinite(value)) return absent(std::move(unit), why_not);
  return {value, std::move(unit), Source::derived, std::move(formula)};
}

/// Additions that each need the one before: one a cycle on every processor that this runs on.
double chained_additions(int count) {
  std::uint64_t sum = 0, step = 1;
  for (int i = 0; i < count; i += 16) {
#pragma GCC unroll 16
    for (int u = 0; u < 16; ++u) {
      sum += step;
      asm volatile("" : "+r"(sum), "+r"(step));
    }
  }
  return static_cast<double>(sum);
}

/// What only the arithmetic, or only the memory, would take.
Bound bound_by_part(const Profile& p, bool arithmetic) {
  Work work = p.row.work;
  work.rate_is_flops = arithmetic;
  if (arithmetic) work.bytes = work.written_bytes = 0;
  return p.row.backend == "cpu" ? host_bound(work, p.roof) : device_bound(work, p.machine.ceilings);
}

void add_work(Profile& p) {
  const Work& work = p.row.work;
  const auto add = [&](const char* name, Figure figure) { p.work.push_back({name, std::move(figure)}); };
  const bool timed = p.row.time.measured();
  const double seconds = timed ? p.row.time.summary.median : kAbsent;
  const std::string untimed = "the kernel was not timed";
  const bool counts = work.flops > 0;
  const std::string no_flops = "the operation only moves data", unit = arithmetic_unit(work);
  add("flops", derived(counts ? work.flops : kAbsent, work.arithmetic == DType::s8 ? "op" : "flop",
                       "counted from the problem, a multiply-add as two", no_flops));
  add("bytes", derived(work.bytes, "byte", "each operand once, as the problem says", ""));
  const double intensity = counts ? work.flops / work.bytes : kAbsent;
  add("intensity", derived(intensity, "flop/byte", "flops / bytes", no_flops));
  add("rate", derived(counts ? work.flops / seconds / 1e9 : kAbsent, unit, "flops / median of the kernel alone",
                      counts ? untimed : no_flops));
  add("bandwidth", derived(work.bytes / seconds / 1e9, "GB/s", "bytes / median of the kernel alone", untimed));

  const Bound arithmetic = bound_by_part(p, true), memory = bound_by_part(p, false);
  const bool has_arithmetic = counts && arithmetic.flops && arithmetic.value > 0, has_memory = memory.value > 0;
  const std::string unmeasured = "this ceiling is not measured here";
  if (has_arithmetic)
    add("arithmetic ceiling", {arithmetic.value / 1e9, unit, Source::measured,
                               fmt::format("{} of all threads, at the start of this run", arithmetic.by)});
  else
    add("arithmetic ceiling", absent(unit, counts ? unmeasured : no_flops));
  if (has_memory)
    add("memory ceiling",
        {memory.value / 1e9, "GB/s", Source::measured, fmt::format("{}, where the operands fit", memory.by)});
  else
    add("memory ceiling", absent("GB/s", unmeasured));
  const double ridge = has_arithmetic && has_memory ? arithmetic.value / memory.value : kAbsent;
  add("ridge", derived(ridge, "flop/byte", "arithmetic ceiling / memory ceiling", "one of the ceilings is not there"));
  const Bound& ceiling = p.row.ceiling;
  const double least = ceiling.value > 0 ? ceiling.seconds : kAbsent;
  add("least time",
      derived(least, "s",
              has_arithmetic && work.rate_is_flops ? "max(flops / arithmetic ceiling, bytes / memory ceiling)"
                                                   : "bytes / memory ceiling",
              unmeasured));
  add("reached", derived(least / seconds, "1", "least time / median of the kernel alone",
                         std::isfinite(least) ? untimed : unmeasured));
  p.bound_by = !(ceiling.value > 0) ? "not known: no ceiling was measured for it"
               : ceiling.flops      ? fmt::format("arithmetic ({})", ceiling.by)
                                    : fmt::format("memory ({})", ceiling.by);
  const double cold = p.cold.measured() ? p.cold.summary.median : kAbsent;
  add("cold over hot", derived(cold / seconds, "1", "median with cold caches / median of the kernel alone",
                               timed ? p.cold_reason : untimed));
  if (std::isfinite(p.row.predicted_end_to_end_seconds))
    add("predicted call",
        {p.row.predicted_end_to_end_seconds, "s", Source::modelled, "the selection's model, operands in host memory"});
  else
    add("predicted call", absent("s", "the kernel cannot run here"));
}

void add_gpu_clocks(Profile& p) {
  const auto add = [&](const char* when, const std::vector<GpuState>& states) {
    if (states.empty()) return;
    const GpuState& state = states.front();
    const std::string why_not = state.reason.empty() ? "NVML does not tell" : state.reason;
    const auto figure = [&](double value, double scale, const char* unit) {
      return std::isfinite(value) ? Figure{value * scale, unit, Source::measured, "NVML; slowed: " + state.slowed}
                                  : absent(unit, why_not);
    };
    p.clocks.push_back({fmt::format("SM, {}", when), figure(state.sm_mhz, 1e6, "Hz")});
    p.clocks.push_back({fmt::format("GPU memory, {}", when), figure(state.memory_mhz, 1e6, "Hz")});
    p.clocks.push_back({fmt::format("temperature, {}", when), figure(state.temperature_celsius, 1, "C")});
  };
  add("before", p.gpus_before);
  add("after", p.gpus_after);
}

void add_overhead(Profile& p) {
  const auto add = [&](const char* name, Figure figure) { p.overhead.push_back({name, std::move(figure)}); };
  add("reading the clock", {p.timer.read_seconds, "s", Source::measured, "median of 2000 readings in a row"});
  add("step of the clock", {p.timer.tick_seconds, "s", Source::measured, "the least difference of two readings"});
  add("recording stages", derived(p.traced.measured() ? p.traced.summary.median - p.call.summary.median : kAbsent, "s",
                                  "median of traced calls - median of calls as they are", "no call was timed"));
}

}  // namespace

std::string_view name(Source source) {
  constexpr std::string_view kNames[] = {"measured", "derived", "modelled", "n/a"};
  return kNames[static_cast<std::size_t>(source)];
}

ClockReadings read_clocks() {
  constexpr int kAdditions = 1 << 16;
  double best = 0;
  for (int round = 0; round < 5; ++round) {
    const double begin = now();
    const double done = chained_additions(kAdditions);
    best = std::max(best, done / (now() - begin));
  }
  return {{best, "Hz", Source::derived, "65536 dependent additions, one a cycle, over their time; the best of 5"}};
}

std::vector<NamedFigure> counter_figures(const CounterReading& reading, int calls) {
  std::vector<NamedFigure> figures;
  const std::string per_call = fmt::format("counted over {} calls, all threads, user mode{}", calls,
                                           reading.counted_fraction < 1 ? ", scaled up: the counters took turns" : "");
  const std::string why_not = reading.reason.empty() ? "not counted" : reading.reason;
  const auto add = [&](const char* name, double value) {
    figures.push_back({name, std::isfinite(value) ? Figure{value / calls, "count", Source::measured, per_call}
                                                  : absent("count", why_not)});
  };
  add("cycles", reading.cycles);
  add("instructions", reading.instructions);
  figures.push_back(
      {"instructions a cycle", derived(reading.instructions / reading.cycles, "1", "instructions / cycles", why_not)});
  add("last-level references", reading.cache_references);
  add("last-level misses", reading.cache_misses);
  add("branch misses", reading.branch_misses);
  return figures;
}

void derive_figures(Profile& profile, const ClockReadings& before, const ClockReadings& after) {
  add_work(profile);
  profile.clocks = {{"core, before", before.cpu}, {"core, after", after.cpu}};
  if (profile.row.backend == "cuda") add_gpu_clocks(profile);
  add_overhead(profile);
}

}  // namespace tandem::profile
