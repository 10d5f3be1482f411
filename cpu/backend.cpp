// Detection of the host processor: instruction sets, usable threads, caches.
#include <hwy/targets.h>
#if HWY_ARCH_X86
#include <cpuid.h>
#endif
#include <sched.h>
#if defined(__linux__)
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <fstream>
#include <string>
#include <thread>

#include "common/core/host_api.h"
#include "cpu/dot/dot.h"

namespace tandem::cpu {
namespace {

IsaLevel detect_isa() {
  const std::int64_t targets = hwy::SupportedTargets();  // asks CPUID and XGETBV
#if HWY_ARCH_X86
  if (targets & HWY_AVX3) return IsaLevel::avx512;
  if (targets & HWY_AVX2) return IsaLevel::avx2;
  if (targets & HWY_SSE4) return IsaLevel::sse4;
#else
  (void)targets;
#endif
  return IsaLevel::scalar;
}

// Whether the system keeps the tiles of AMX for this process, which it has to be asked for once.
bool may_use_tiles() {
#if HWY_ARCH_X86 && defined(__linux__) && defined(SYS_arch_prctl)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c >> 27 & 1) == 0) return false;  // XGETBV
  unsigned enabled = 0, upper = 0;
  asm volatile("xgetbv" : "=a"(enabled), "=d"(upper) : "c"(0));
  if ((enabled >> 17 & 3) != 3) return false;
  static const bool granted = syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
#else
  return false;
#endif
}

// What the levels leave out; the registers that these instructions use are those of the level, asked for there.
void detect_dot_products(CpuInfo& cpu) {
#if HWY_ARCH_X86
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return;
  cpu.avx512_vnni = cpu.isa >= IsaLevel::avx512 && (c >> 11 & 1) != 0 && s8_avx512vnni.tiles != nullptr;
  const bool amx_int8 = (d >> 24 & 3) == 3, amx_bf16 = (d >> 24 & 1) != 0 && (d >> 22 & 1) != 0;
  if (__get_cpuid_count(7, 1, &a, &b, &c, &d) == 0) return;
  cpu.avx_vnni = cpu.isa >= IsaLevel::avx2 && (a >> 4 & 1) != 0 && s8_avxvnni.tiles != nullptr;
  cpu.avx512_bf16 = cpu.isa >= IsaLevel::avx512 && (a >> 5 & 1) != 0 && bf16_avx512.tiles != nullptr;
  // Their kernels use the panels and stores of those above.
  cpu.amx_int8 = amx_int8 && cpu.avx512_vnni && s8_amx.tiles != nullptr && may_use_tiles();
  cpu.amx_bf16 = amx_bf16 && cpu.avx512_bf16 && bf16_amx.tiles != nullptr && may_use_tiles();
#else
  (void)cpu;
#endif
}

std::string model_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name"))
      if (const std::size_t at = line.find(':'); at != std::string::npos && at + 2 < line.size())
        return line.substr(at + 2);
  return "unknown";
}

/// CPUs' worth of time that the control group grants, or 0 for no limit.
double cgroup_quota() {
  std::string quota;
  double period = 0, granted = 0;
  if (std::ifstream v2("/sys/fs/cgroup/cpu.max"); v2 >> quota >> period) {
    if (quota != "max" && period > 0) granted = std::strtod(quota.c_str(), nullptr) / period;
  } else {
    std::ifstream us("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), per("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    double value = 0;
    if (us >> value && per >> period && value > 0 && period > 0) granted = value / period;
  }
  return granted;
}

int usable_threads() {
  int threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) threads = std::max(1, CPU_COUNT(&set));
  if (const double quota = cgroup_quota(); quota > 0)
    threads = std::min(threads, std::max(1, static_cast<int>(std::floor(quota))));
  return threads;
}

/// "48K", "2M" -> bytes.
std::int64_t parse_size(const std::string& text) {
  char* end = nullptr;
  std::int64_t value = std::strtoll(text.c_str(), &end, 10);
  if (end && *end == 'K') value <<= 10;
  if (end && *end == 'M') value <<= 20;
  return value;
}

void detect_caches(CpuInfo& cpu) {
  std::int64_t l3 = 0;
  for (int i = 0; i < 8; ++i) {
    const std::string base = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/";
    int level = 0;
    std::string type, size;
    if (!(std::ifstream(base + "level") >> level) || !(std::ifstream(base + "type") >> type) ||
        !(std::ifstream(base + "size") >> size))
      continue;
    const std::int64_t bytes = parse_size(size);
    if (bytes <= 0 || type == "Instruction") continue;
    if (level == 1) cpu.l1d_bytes = bytes;
    if (level == 2) cpu.l2_bytes = bytes;
    if (level == 3) l3 = bytes;
  }
  cpu.l3_bytes = l3 > 0 ? l3 : cpu.l2_bytes;
}

}  // namespace

CpuInfo query() {
  CpuInfo cpu;
  cpu.name = model_name();
  cpu.isa = detect_isa();
  detect_dot_products(cpu);
  cpu.threads = usable_threads();
  detect_caches(cpu);
  return cpu;
}

void measure(const CpuInfo& cpu, Ceilings& ceilings) {
  ceilings.cpu_flops = measure_fma(cpu.isa, 2e-3);
  ceilings.cpu_s8_ops = measure_dot(cpu, DType::s8, 1e-3);
  ceilings.cpu_bf16_flops = measure_dot(cpu, DType::bf16, 1e-3);
  const auto l2 = static_cast<std::size_t>(cpu.l2_bytes), l3 = static_cast<std::size_t>(cpu.l3_bytes);
  ceilings.cpu_l2_bytes = measure_copy(cpu.isa, l2 / 4, 2e-3);
  // From and to take four times L2, or half of an L3 that is smaller.
  ceilings.cpu_l3_bytes = measure_copy(cpu.isa, std::max<std::size_t>(std::min(2 * l2, l3 / 4), 4096), 2e-3);
  // Large enough to leave the last-level cache on common parts, small enough to fault in within milliseconds. Of a
  // larger last-level cache this is its own rate.
  ceilings.cpu_dram_bytes = measure_copy(cpu.isa, std::min<std::size_t>(l3, 32u << 20), 5e-3);
}

}  // namespace tandem::cpu
