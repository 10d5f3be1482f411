// What measured times depend on, as fields: a file of measurements is worth what these have in common with here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <tandem/machine.h>

namespace tandem::tuning {

struct Fingerprint {
  std::string library;  // version
  std::string kernels;  // a hash of the sources of the kernels, made when the library was built
  std::string cpu;
  std::string isa;
  std::string instructions;  // beyond the level: "avx512_vnni avx512_bf16"
  int threads = 0;           // usable at once: affinity and quota
  std::int64_t l2_bytes = 0, l3_bytes = 0;
  std::string cpu_quota;  // "none", "1.5 CPUs" or "n/a: ..."
  // Of the GPU that is used; empty and zero without one, zero where it cannot be told.
  std::string gpu;
  int compute_capability = 0;
  int driver_version = 0, runtime_version = 0;
  double power_limit_watts = 0;
  int pcie_generation = 0, pcie_width = 0;
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

enum class Field : std::uint8_t {
  hard,  // another value: measurements say nothing here
  soft,  // they are a guess here
};

/// Calls visit("name", member, Field) for each field. `F` is Fingerprint, const where it is only read.
template <class F, class Visit>
void each_field(F& f, Visit visit) {
  visit("library", f.library, Field::soft);
  visit("kernels", f.kernels, Field::soft);
  visit("cpu", f.cpu, Field::hard);
  visit("isa", f.isa, Field::hard);
  visit("instructions", f.instructions, Field::hard);
  visit("threads", f.threads, Field::hard);
  visit("l2_bytes", f.l2_bytes, Field::hard);
  visit("l3_bytes", f.l3_bytes, Field::hard);
  visit("cpu_quota", f.cpu_quota, Field::hard);
  visit("gpu", f.gpu, Field::hard);
  visit("compute_capability", f.compute_capability, Field::hard);
  visit("driver_version", f.driver_version, Field::soft);
  visit("runtime_version", f.runtime_version, Field::soft);
  visit("power_limit_watts", f.power_limit_watts, Field::soft);
  visit("pcie_generation", f.pcie_generation, Field::hard);
  visit("pcie_width", f.pcie_width, Field::hard);
}

/// Of a machine as it was detected: no context's threads or cap.
Fingerprint fingerprint_of(const Machine& machine);

struct Match {
  bool hard = false;  // a hard field differs
  bool soft = false;
  std::string differences;  // "cpu is 'A' there and 'B' here; threads is 8 there and 2 here"; empty: none
  bool exact() const { return !hard && !soft; }
};
Match match(const Fingerprint& there, const Fingerprint& here);

}  // namespace tandem::tuning
