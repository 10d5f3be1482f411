#include "tests/support/kernel_run.h"

#include <map>

#include "common/core/host_api.h"

namespace tandem::test {

std::string describe(const HostSetting& setting) {
  return std::string(name(setting.isa)) + ", " + std::to_string(setting.threads) + " threads" +
         (setting.small_caches ? ", small caches" : "");
}

namespace {

const CpuInfo& this_cpu() {
  static const CpuInfo cpu = cpu::query();
  return cpu;
}

std::vector<IsaLevel> levels(IsaLevel least) {
  std::vector<IsaLevel> out;
  for (const IsaLevel level : {IsaLevel::scalar, IsaLevel::sse4, IsaLevel::avx2, IsaLevel::avx512})
    if (level >= least && level <= this_cpu().isa) out.push_back(level);
  return out;
}

}  // namespace

IsaLevel cpu_level() { return this_cpu().isa; }

std::vector<HostSetting> host_settings(IsaLevel least) {
  std::vector<HostSetting> out;
  for (const IsaLevel level : levels(least)) out.push_back({level, 1, false});
  if (out.empty()) return out;
  const IsaLevel best = out.back().isa;
  for (const int threads : {2, 3, 5}) out.push_back({best, threads, false});
  for (const int threads : {1, 3}) out.push_back({best, threads, true});
  if (out.front().isa != best) out.push_back({out.front().isa, 3, true});
  return out;
}

std::vector<HostSetting> thread_settings(IsaLevel least) {
  std::vector<HostSetting> out = host_settings(least);
  for (const IsaLevel level : levels(least))
    if (level != cpu_level()) out.push_back({level, 3, false});
  return out;
}

std::vector<HostSetting> few_host_settings(IsaLevel least) {
  std::vector<HostSetting> out;
  for (const IsaLevel level : levels(least)) out.push_back({level, 1, false});
  if (!out.empty()) out.push_back({out.back().isa, 2, false});
  return out;
}

Machine machine_of(const HostSetting& setting) {
  Machine machine;
  machine.cpu = this_cpu();
  machine.cpu.isa = setting.isa;
  machine.cpu.threads = setting.threads;
  machine.no_gpu_reason = "this test runs on the CPU";
  machine.ceilings.cpu_fork_seconds = 1e-12;
  if (setting.small_caches) {
    machine.cpu.l1d_bytes = 2 << 10;
    machine.cpu.l2_bytes = 16 << 10;
    machine.cpu.l3_bytes = 64 << 10;
  }
  return machine;
}

const Machine& gpu_machine() {
  static const Machine machine = [] {
    Machine m;
    m.cpu = this_cpu();
    m.gpus = gpu::query().gpus;
    return m;
  }();
  return machine;
}

gpu::Stream& gpu_stream() {
  static gpu::Stream stream(gpu_machine().gpus.front().index);
  return stream;
}

ThreadPool* pool_of(int threads) {
  if (threads == 1) return nullptr;
  static std::map<int, std::unique_ptr<ThreadPool>> pools;
  std::unique_ptr<ThreadPool>& pool = pools[threads];
  if (!pool) pool = std::make_unique<ThreadPool>(threads);
  return pool.get();
}

#define TANDEM_OP(Op)                                                                     \
  template class Prepared<Op>;                                                            \
  template Outcome run_on_host<Op>(const Kernel<Op>&, Prepared<Op>&, const HostSetting&); \
  template Outcome run_on_gpu<Op>(const Kernel<Op>&, Prepared<Op>&, const Machine&);
#include "common/ops/ops.def"
#undef TANDEM_OP

}  // namespace tandem::test
