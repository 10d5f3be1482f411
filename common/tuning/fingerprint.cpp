#include "common/tuning/fingerprint.h"

#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <tandem/version.h>

#include "common/io/untrusted.h"
#include "common/profile/noise.h"
#include "tandem_kernel_hash.h"  // made by cmake/kernel_hash.cmake

namespace tandem::tuning {
namespace {

std::string instructions_of(const CpuInfo& cpu) {
  std::string text;
  for (const auto& [there, word] : {std::pair{cpu.avx512_vnni, "avx512_vnni"}, std::pair{cpu.avx_vnni, "avx_vnni"},
                                    std::pair{cpu.avx512_bf16, "avx512_bf16"}, std::pair{cpu.amx_int8, "amx_int8"},
                                    std::pair{cpu.amx_bf16, "amx_bf16"}})
    if (there) text += (text.empty() ? "" : " ") + std::string(word);
  return text;
}

struct Told {
  std::string name, value, printed;
  Field field;
};

std::vector<Told> told(const Fingerprint& fingerprint) {
  std::vector<Told> all;
  each_field(fingerprint, [&](const char* name, const auto& value, Field field) {
    if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::string>)
      all.push_back({name, value, "'" + io::printable(value) + "'", field});
    else
      all.push_back({name, fmt::format("{}", value), fmt::format("{}", value), field});
  });
  return all;
}

}  // namespace

Fingerprint fingerprint_of(const Machine& machine) {
  Fingerprint f;
  f.library = version();
  f.kernels = kKernelHash;
  f.cpu = machine.cpu.name;
  f.isa = name(machine.cpu.isa);
  f.instructions = instructions_of(machine.cpu);
  f.threads = machine.cpu.threads;
  f.l2_bytes = machine.cpu.l2_bytes;
  f.l3_bytes = machine.cpu.l3_bytes;
  f.cpu_quota = profile::read_noise_facts().cpu_quota;
  if (machine.gpus.empty()) return f;
  const GpuInfo& gpu = machine.gpus.front();
  f.gpu = gpu.name;
  f.compute_capability = gpu.compute_capability;
  f.driver_version = gpu.driver_version;
  f.runtime_version = gpu.runtime_version;
  f.power_limit_watts = gpu.power_limit_watts;
  f.pcie_generation = gpu.pcie_generation;
  f.pcie_width = gpu.pcie_width;
  return f;
}

Match match(const Fingerprint& there, const Fingerprint& here) {
  Match match;
  const std::vector<Told> a = told(there), b = told(here);
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].value == b[i].value) continue;
    (a[i].field == Field::hard ? match.hard : match.soft) = true;
    match.differences += fmt::format("{}{} is {} there and {} here", match.differences.empty() ? "" : "; ", a[i].name,
                                     a[i].printed, b[i].printed);
  }
  return match;
}

}  // namespace tandem::tuning
