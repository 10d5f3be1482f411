// The command line of tandem-explain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <tandem/device.h>

#include "bench/support/run_options.h"

namespace tandem::explain_program {

using bench::UsageError;

struct Options {
  std::string question;  ///< "matmul f32:512x512x512 b:cuda:0 reuse=3"
  std::vector<Device> devices;
  bool analyze = false;
  int top = 3;
  bool break_even = false, measure = false;
  std::int64_t max_mib = 0;  ///< of the operands of the largest size that is looked at; 0: unset
  std::string machine;       ///< a file to take the machine from; empty: this one
  int threads = 0;
  double min_time = 0.1;
  std::uint64_t seed = 1;
  std::string json;  ///< path, "-" for standard output, empty for none
};

/// Empty when the program is done (help, version: already printed). Throws UsageError.
std::optional<Options> parse_command_line(int argc, const char* const* argv);

}  // namespace tandem::explain_program
