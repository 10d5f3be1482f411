#include "common/profile/roof.h"

#include <algorithm>

#include <tandem/error.h>

#include "common/core/context_impl.h"
#include "common/core/host_api.h"

namespace tandem::profile {
namespace {

constexpr double kLeastSeconds = 0.002, kMostSeconds = 0.05;  // a measurement

MemoryLevel measure_level(std::string_view name, std::int64_t capacity, std::int64_t working_set, const CpuInfo& cpu,
                          double seconds) {
  const auto share = static_cast<std::size_t>(std::max<std::int64_t>(working_set / cpu.threads, 4096));
  const cpu::MemoryRates rates = cpu::measure_memory(cpu.isa, share, seconds, cpu.threads);
  return {name, capacity, rates.copy, rates.read, rates.write};
}

}  // namespace

const MemoryLevel& Roof::level_of(double bytes) const {
  for (const MemoryLevel& level : levels)
    if (bytes <= static_cast<double>(level.capacity)) return level;
  return levels.back();
}

std::int64_t last_level_working_set(const CpuInfo& cpu) {
  const std::int64_t l2 = cpu.l2_bytes * cpu.threads, l3 = std::max(cpu.l3_bytes, l2);
  return std::min(l3 / 2, std::max(8 * l2, std::int64_t{16} << 20));
}

Roof measure_roof(const CpuInfo& cpu, double min_seconds) {
  const double seconds = std::clamp(min_seconds, kLeastSeconds, kMostSeconds);
  Roof roof;
  roof.threads = cpu.threads;
  roof.flops_one = cpu::measure_fma(cpu.isa, seconds);
  roof.flops_all = cpu::measure_fma(cpu.isa, seconds, cpu.threads);
  roof.s8_all = cpu::measure_dot(cpu, DType::s8, seconds, cpu.threads);
  roof.bf16_all = cpu::measure_dot(cpu, DType::bf16, seconds, cpu.threads);
  // L1 and L2 belong to a core; the last level is shared. Half of a level at most is used, so that it surely fits.
  const std::int64_t l1 = cpu.l1d_bytes * cpu.threads, l2 = cpu.l2_bytes * cpu.threads;
  const std::int64_t l3 = std::max(cpu.l3_bytes, l2);
  const std::int64_t beyond = std::clamp<std::int64_t>(4 * l3, std::int64_t{64} << 20, std::int64_t{1} << 30);
  const auto level = [&](std::string_view name, std::int64_t capacity, std::int64_t working_set) {
    return measure_level(name, capacity, working_set, cpu, seconds);
  };
  roof.levels = {level("L1", l1, l1 / 2), level("L2", l2, l2 / 2), level("L3", l3, last_level_working_set(cpu)),
                 level("DRAM", INT64_MAX, beyond)};
  return roof;
}

namespace {

Bound arithmetic_bound(const Work& work, const Roof& roof) {
  const auto bound = [&](const char* by, double rate) { return Bound{work.flops / rate, by, rate, true}; };
  if (work.arithmetic == DType::s8) return bound("s8 dot", roof.s8_all);
  return work.arithmetic == DType::bf16 ? bound("bf16 dot", roof.bf16_all) : bound("FMA", roof.flops_all);
}

// The stricter of two ceilings, where both were measured.
Bound stricter(Bound arithmetic, Bound memory, bool rate_is_flops) {
  if (!rate_is_flops || arithmetic.value <= 0) return memory;
  return memory.seconds > arithmetic.seconds ? memory : arithmetic;
}

}  // namespace

Bound host_bound(const Work& work, const Roof& roof) {
  const bool copies = work.written_bytes >= work.bytes / 4;
  const auto rate_of = [&](const MemoryLevel& level) { return copies ? level.copy_bytes : level.read_bytes; };
  const MemoryLevel& level = roof.level_of(work.bytes);
  double rate = rate_of(level);
  std::string where(level.name);
  // A working set above the last cache level stays there in part. The part is taken to fade linearly, until at four
  // times that level, where the ceiling of memory was measured, all comes from memory.
  const MemoryLevel& cache = roof.levels[roof.levels.size() - 2];
  const double resident = (4 * static_cast<double>(cache.capacity) - work.bytes) / 3;
  if (&level == &roof.levels.back() && resident > 0) {
    rate = work.bytes / (resident / rate_of(cache) + (work.bytes - resident) / rate);
    where = std::string(cache.name) + " and " + where;
  }
  const Bound memory{work.bytes / rate, (copies ? "copy " : "read ") + where, rate, false};
  return stricter(arithmetic_bound(work, roof), memory, work.rate_is_flops);
}

Bound device_bound(const Work& work, const Ceilings& ceilings) {
  if (!(ceilings.gpu_bytes > 0)) return {};
  const Bound memory{work.bytes / ceilings.gpu_bytes, "device memory", ceilings.gpu_bytes, false};
  const auto bound = [&](const char* by, double rate) {
    return rate > 0 ? Bound{work.flops / rate, by, rate, true} : Bound{};
  };
  const Bound arithmetic = work.arithmetic == DType::s8     ? bound("s8 tensor cores", ceilings.gpu_s8_ops)
                           : work.arithmetic == DType::bf16 ? bound("bf16 tensor cores", ceilings.gpu_bf16_flops)
                                                            : bound("FMA", ceilings.gpu_flops);
  return stricter(arithmetic, memory, work.rate_is_flops);
}

}  // namespace tandem::profile

namespace tandem {

Ceilings measure_ceilings(Context& ctx) {
  if (ctx.impl().pretended)
    throw Error(Code::unavailable, "measure_ceilings: this context pretends to be another machine");
  const Machine& machine = ctx.machine();
  Ceilings ceilings;
  cpu::measure(machine.cpu, ceilings);
  ceilings.cpu_fork_seconds = measure_fork(machine.cpu.threads);
  if (machine.gpus.empty()) return ceilings;
  gpu::measure(machine.gpus.front().index, machine.cpu.threads, ceilings);
  gpu::measure_copies(machine.gpus.front().index, machine.cpu.threads, ceilings);
  return ceilings;
}

}  // namespace tandem
