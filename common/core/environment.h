// The environment variables, read once a process and validated.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <tandem/device.h>
#include <tandem/machine.h>

namespace tandem {

/// What TANDEM_TUNING and use_tuning() say.
struct TuningSource {
  bool off = false;     // no file
  bool frozen = false;  // nothing is measured, ceilings included
  std::string path;     // named; empty: the usual ones
};
/// "", "off", "frozen", "frozen:PATH" or a path. Throws Error(invalid_argument), after `who`, for "frozen:".
TuningSource parse_tuning_source(std::string_view text, const char* who = "");

struct Environment {
  std::optional<Backend> backend;    // TANDEM_BACKEND: cpu, cuda
  std::vector<std::string> kernels;  // TANDEM_KERNEL: full names, separated by commas
  std::optional<IsaLevel> isa_max;   // TANDEM_ISA_MAX: scalar, sse4, avx2, avx512
  std::optional<int> threads;        // TANDEM_THREADS: 1 .. 1024
  bool log = false;                  // TANDEM_LOG: 0, 1
  std::string tuning;                // TANDEM_TUNING: off, frozen, frozen:PATH or a path
  std::string record;                // TANDEM_RECORD: a path
};

/// Throws Error(invalid_argument) that names the variable, its value and what is accepted. `get` is like getenv.
Environment parse_environment(const std::function<const char*(const char*)>& get);

/// The process's environment as it was at the first call.
const Environment& environment();

}  // namespace tandem
